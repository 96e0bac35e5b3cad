import Foundation
import Testing

extension EndToEnd {
    /// A fleet with every fault the simulator knows, against its own account of what must become of each value.
    @Suite(.serialized)
    struct FaultTests {
        @Test func `every value of a faulty fleet has the fate its truth file says`() throws {
            let seed = setting("QUANTRAC_TEST_SEED", Int(nowMilliseconds() % 1_000_000))
            print("seed \(seed)")
            let site = try Installation(settings: ["store.mergeSeconds": "1"])
            try site.broker.start()
            let stations = site.folder.file("fleet.yaml")
            let truth = site.folder.file("truth.ndjson")
            let fleet = [
                Places.simulator, "fleet", "--port", "\(site.broker.port)", "--stations", "10", "--interval", "5m",
                "--seed", "\(seed)", "--rate", "max", "--messages", "4000", "--faults", "all:4,poison:0.1", "--truth",
                truth,
                "--write-stations", stations,
            ]
            try #require(try site.run(fleet + ["--write-stations-only"]).exitCode == 0)
            try site.importStations(file: stations)
            try site.start()
            let simulator = try site.run(fleet, seconds: 120)
            #expect(simulator.exitCode == 0, "\(simulator.errors)")
            let expected = try Truth(file: truth)
            try #require(!expected.deadLetters.isEmpty && !expected.quarantined.isEmpty && expected.revisedCount > 0)
            try site.awaitReadings(expected.values.count)
            // Everything was read when our own marker of a new connection has come back.
            #expect(try site.stopService() == 0)
            try site.start()
            try eventually("the service has caught up", seconds: 40) { site.metric("quantrac_caught_up") == 1 }
            try expected.check(exported: try site.export())
            let letters = try site.quantrac("deadletter", "list", "--json").rows
            let places = letters.map { letter in
                let topic =
                    (letter["topic"] as? String ?? "").split(separator: "/").dropLast().last.map(String.init) ?? ""
                return "\(letter["station"] as? String ?? topic),\(letter["reason"] as? String ?? "")"
            }
            #expect(Dictionary(grouping: places) { $0 }.mapValues(\.count) == expected.deadLetters)
            let values = try site.quantrac("quarantine", "list", "--json").rows.map {
                "\($0["station"] ?? ""),\($0["parameter"] ?? ""),\($0["reason"] ?? "")"
            }
            #expect(Dictionary(grouping: values) { $0 }.mapValues(\.count) == expected.quarantined)
            #expect(try site.stopService() == 0)
            let versions = try site.export("--revisions")
            #expect(versions.count == expected.values.count + expected.revisedCount)
            let verify = try site.quantrac("verify")
            #expect(verify.exitCode == 0, "\(verify.output)\(verify.errors)")
        }
    }
}
