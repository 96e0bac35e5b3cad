import FieldFormats
import Monitoring
import Testing

@Suite struct MessageTests {
    @Test func `a message yields its sample, values and statuses`() throws {
        let bench = try Bench()
        let decoded = bench.decode(
            #"{"seq":4711,"boot":"b1","ts":1795420800000,"values":{"PM2.5":31.4,"SO2":12},"status":{"SO2":"01"}}"#)
        #expect(
            decoded
                == Decoded(
                    reason: nil, sequence: 4711, boot: Array("b1".utf8),
                    samples: [
                        .init(
                            timeMilliseconds: 1_795_420_800_000,
                            values: [
                                .init(
                                    name: "PM2.5", bits: (31.4).bitPattern, status: .measuring, seriesIndex: 0,
                                    reason: 0),
                                .init(
                                    name: "SO2", bits: (12.0).bitPattern, status: .calibrating, seriesIndex: 1,
                                    reason: 0),
                            ])
                    ]))
    }

    @Test func `samples each have their own time, values and status`() throws {
        let bench = try Bench()
        let decoded = bench.decode(
            """
            {"samples":[{"ts":"2026-11-23T09:00:00+07:00","values":{"pH":7.2},"status":{"pH":"02"}},
                        {"ts":1795399200.5,"values":{"pH":7.3,"SO2":1}}]}
            """)
        #expect(decoded.reason == nil)
        #expect(decoded.samples.map(\.timeMilliseconds) == [1_795_399_200_000, 1_795_399_200_500])
        #expect(decoded.samples.map { $0.values.map(\.seriesIndex) } == [[2], [2, 1]])
        #expect(decoded.samples.map { $0.values.map(\.status) } == [[.fault], [.measuring, .measuring]])
        #expect(decoded.sequence == nil)
        #expect(decoded.boot.isEmpty)
    }

    @Test func `status counts before and after values alike`() throws {
        let bench = try Bench()
        let after = bench.decode(#"{"ts":1,"values":{"pH":7,"SO2":1},"status":{"SO2":"02"}}"#)
        let before = bench.decode(#"{"status":{"SO2":"02"},"values":{"pH":7,"SO2":1},"ts":1}"#)
        #expect(after == before)
        #expect(after.samples.first?.values.map(\.status) == [.measuring, .fault])
    }

    @Test func `a status of a parameter without a value is ignored`() throws {
        let bench = try Bench()
        let decoded = bench.decode(#"{"ts":1,"values":{"pH":7},"status":{"SO2":"!","Foo":7,"pH":"01"}}"#)
        #expect(decoded.reason == nil)
        #expect(decoded.samples.first?.values.map(\.reason) == [0])
        #expect(decoded.samples.first?.values.map(\.status) == [.calibrating])
    }

    @Test func `a status of one sample does not reach the next`() throws {
        let bench = try Bench()
        let decoded = bench.decode(
            """
            {"samples":[{"ts":1,"values":{"pH":7},"status":{"pH":"02","SO2":"02"}},
                        {"ts":2,"values":{"SO2":1,"pH":7}}]}
            """)
        #expect(decoded.samples.map { $0.values.map(\.status) } == [[.fault], [.measuring, .measuring]])
    }

    @Test func `parameters are found in any order, whatever their length`() throws {
        let bench = try Bench()
        for names in [Bench.parameters, Bench.parameters.reversed()] {
            let members = names.map { "\"\($0)\":1" }.joined(separator: ",")
            let decoded = bench.decode("{\"ts\":1,\"values\":{\(members)}}")
            let expected = names.map { name in Bench.parameters.firstIndex(of: name).map(Int32.init) }
            #expect(decoded.samples.first?.values.map(\.seriesIndex) == expected)
        }
    }

    @Test func `a key may be written with escapes`() throws {
        let bench = try Bench()
        #expect(bench.onlyValue(#"{"\u0074s":1,"v\u0061lues":{"p\u0048":7}}"#)?.seriesIndex == 2)
    }

    @Test func `unknown keys are tolerated, in the message and in samples`() throws {
        let bench = try Bench()
        #expect(bench.onlyValue(#"{"fw":"1.2","ts":1,"x":{"a":[1,{}]},"values":{"pH":7},"battery":12.1}"#)?.value == 7)
        #expect(bench.deadLetter(#"{"samples":[{"ts":1,"seq":{},"n":[],"values":{"pH":7}}],"ts":null}"#) == nil)
    }

    @Test func `each station has its own parameters`() throws {
        let bench = try Bench([("a", ["pH", "SO2"]), ("b", []), ("c", ["SO2"])])
        let payload = #"{"ts":1,"values":{"SO2":1}}"#
        #expect(
            (0..<3).map { bench.decode(payload, station: $0).samples.first?.values.first?.seriesIndex } == [1, -1, 2])
    }

    @Test func `a decoder may be used with one directory after another`() throws {
        let small = try Bench()
        let names = (0..<300).map { "P\($0)" }
        let large = StationDirectory(registry: try makeRegistry([("st-1", names)]))
        let payload = Array("{\"ts\":1,\"values\":{\(names.map { "\"\($0)\":1" }.joined(separator: ","))}}".utf8)
        for _ in 0..<3 {
            #expect(small.onlyValue(#"{"ts":1,"values":{"pH":7}}"#)?.seriesIndex == 2)
            let outcome = payload.withUnsafeBytes {
                small.decoder.decode($0, stationIndex: 0, directory: large)
            }
            #expect(outcome == .message)
            #expect(small.decoder.values.map(\.seriesIndex) == (0..<300).map(Int32.init))
        }
    }

    @Test func `the largest payload is decoded, and one byte more is not`() throws {
        let bench = try Bench()
        let limit = 256 << 10
        var payload = #"{"ts":1,"values":{"pH":7}}"#
        payload += String(repeating: " ", count: limit - payload.utf8.count)
        #expect(bench.decode(payload).reason == nil)
        #expect(bench.decode(payload + " ").reason == .tooLarge)
        let samples = Array(repeating: #"{"ts":1,"values":{"":0}}"#, count: (limit - 15) / 25).joined(separator: ",")
        #expect(bench.decode("{\"samples\":[\(samples)]}").samples.count == (limit - 15) / 25)
    }

    @Test(
        arguments: [
            (#"{"online": true, "boot": "b1"}"#, true), (#"{"boot": "b1", "online": false}"#, false),
            (#"{"online": 1}"#, nil), (#"{"boot": "b1"}"#, nil), ("[true]", nil), ("", nil), ("{", nil),
        ] as [(String, Bool?)])
    func `a device says whether it is online`(payload: String, expected: Bool?) throws {
        let bench = try Bench()
        #expect(Array(payload.utf8).withUnsafeBytes { bench.decoder.online(in: $0) } == expected)
    }
}
