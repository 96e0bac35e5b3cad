import Monitoring
import Simulation
import Testing

struct MessageTests {
    let format = MessageFormat(parameters: [parameter("PM2.5"), parameter("SO2")], boot: "b1")

    @Test func `a live message is what the surface says`() {
        var measured = sample(
            at: 1_795_420_800_000, Quantity(31.4, decimals: 1), Quantity(12.1, decimals: 1))
        measured.values[1].status = .calibrating
        #expect(
            text { self.format.appendLive(measured, seq: 4_711, to: &$0) } == """
                {"seq":4711,"boot":"b1","ts":1795420800000,"values":{"PM2.5":31.4,"SO2":12.1},"status":{"SO2":"01"}}
                """)
    }

    @Test func `a message without faults has no status`() {
        let measured = sample(at: 1_795_420_800_000, Quantity(0, decimals: 1))
        #expect(
            text { self.format.appendLive(measured, seq: 1, to: &$0) }
                == "{\"seq\":1,\"boot\":\"b1\",\"ts\":1795420800000,\"values\":{\"PM2.5\":0.0}}")
    }

    @Test func `backlog is written as samples, never with values beside them`() {
        let first = sample(at: 1_795_420_800_000, Quantity(-0.25, decimals: 2))
        let second = sample(at: 1_795_420_860_000, .literal("1e3"), Quantity(7, decimals: 0))
        #expect(
            text { self.format.appendSamples([first, second], seq: 9, to: &$0) } == """
                {"seq":9,"boot":"b1","samples":[{"ts":1795420800000,"values":{"PM2.5":-0.25}},\
                {"ts":1795420860000,"values":{"PM2.5":1e3,"SO2":7}}]}
                """)
    }

    @Test(arguments: [
        (0.0, UInt8(0), "0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (9.996, 2, "10.00"), (-12.5, 1, "-12.5"),
        (123_456.789, 3, "123456.789"), (0.007, 3, "0.007"),
    ])
    func `a number is rounded and printed as an instrument does`(value: Double, decimals: UInt8, expected: String) {
        let quantity = Quantity(value, decimals: decimals)
        let printed = text { quantity.append(to: &$0) }
        #expect(printed == expected)
        #expect(quantity.number == Double(printed))
    }

    @Test(arguments: ["0", "-1", "12.50", "1e5", "-0.0", "1E-7", "4.0"])
    func `JSON numbers are recognised`(number: String) { #expect(Quantity.isJSONNumber(number)) }

    @Test(arguments: ["", "-", "+1", "01", ".5", "5.", "1e", "NaN", "inf", "1,5", "0x10", "1 "])
    func `what is no JSON number is refused`(number: String) { #expect(!Quantity.isJSONNumber(number)) }

    @Test func `truth is one line of JSON per value`() {
        let truth = TruthFormat(station: StationID("nd-dust-1")!, parameters: [parameter("PM10")])
        var lines: [UInt8] = []
        let good = SampleValue(parameterIndex: 0, quantity: .decimal(scaled: 314, decimals: 1))
        truth.append(good, timeMilliseconds: 1_000, fate: .stored, message: 1, to: &lines)
        let huge = SampleValue(parameterIndex: 0, quantity: .literal("1e999"), status: .fault)
        truth.append(huge, timeMilliseconds: 2_000, fate: .quarantined(.notFinite), message: 2, to: &lines)
        truth.appendEmpty(timeMilliseconds: nil, fate: .deadLetter(reason: "empty"), message: 3, to: &lines)
        #expect(
            text { TruthFormat.finish(lines, acknowledged: true, to: &$0) } == """
                {"station":"nd-dust-1","parameter":"PM10","ts":1000,"value":31.4,"status":"00","fate":"stored",\
                "message":1,"acked":true}
                {"station":"nd-dust-1","parameter":"PM10","ts":2000,"value":"1e999","status":"02",\
                "fate":"quarantined","reason":"not-finite","message":2,"acked":true}
                {"station":"nd-dust-1","parameter":null,"ts":null,"value":null,"status":null,"fate":"dead-letter",\
                "reason":"empty","message":3,"acked":true}

                """)
    }

    @Test func `the station file says everything the service needs`() {
        let plan = FleetPlan(stationCount: 5, intervalMilliseconds: 60_000, seed: 1, kinds: [.mine])
        let yaml = StationYAML.yaml(plan.sites, comment: "Demo.")
        #expect(
            yaml.hasPrefix(
                """
                # Demo.
                sites:
                  - id: "na-duong"
                    name: "Mỏ than Na Dương (DEMO)"
                    kind: mine
                    timeZone: "Asia/Ho_Chi_Minh"
                    stations:
                      - id: "nd-dust-1"
                        name: "Trạm bụi 1, Mỏ than Na Dương"
                        kind: ambient-air
                        latitude: 21.70200
                        longitude: 106.98500
                        interval: 1m
                        parameters:
                          - {id: "PM10", unit: "µg/m³"}

                """))
        #expect(yaml.contains("- {id: \"WindDir\", unit: \"°\", direction: true}"))
        #expect(yaml.contains("- {id: \"Tonnage\", unit: \"t\", kind: counter}"))
        #expect(yaml.contains("- {id: \"Rain\", unit: \"mm\", kind: sum}"))
    }
}
