import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    /// The signature test: whatever a publisher has a PUBACK for is served exactly once.
    @Suite(.serialized)
    struct KillTests {
        private static let kills = setting("QUANTRAC_KILLS", 5)
        private static let messages = setting("QUANTRAC_KILL_MESSAGES", 10_000)
        private static let stations = 12

        @Test func `nothing acknowledged is lost and nothing is served twice, however often the service is killed`()
            throws
        {
            let seed = UInt64(setting("QUANTRAC_KILL_SEED", Int(nowMilliseconds() % 1_000_000)))
            print("seed \(seed), \(Self.kills) kills, \(Self.messages) messages")
            var random = SeededGenerator(seed)
            // Merging early puts kills between slices, too.
            let site = try Installation(settings: ["store.mergeSeconds": "1"])
            try site.broker.start()
            let stations = site.folder.file("fleet.yaml")
            let truth = site.folder.file("truth.ndjson")
            let fleet = Self.fleet(site, seed: seed, stations: stations, truth: truth)
            try #require(try site.run(fleet + ["--write-stations-only"]).exitCode == 0)
            try site.importStations(file: stations)
            try site.start()
            let simulator = try Child(fleet, log: site.folder.file("fleet"))
            for number in 1...Self.kills {
                // A random moment is the point here: while starting, catching up, reading, committing or merging.
                usleep(UInt32.random(in: 20_000...1_500_000, using: &random))
                site.killService()
                if number % 3 == 0 { usleep(UInt32.random(in: 0...300_000, using: &random)) }
                try site.launch()
            }
            #expect(try simulator.wait(seconds: 600) == 0, "\(simulator.errors)")
            try site.awaitHealthy(seconds: 120)
            let expected = try Truth(file: truth)
            try #require(!expected.values.isEmpty)
            try site.awaitReadings(expected.values.count, seconds: 120)
            try Self.checkStored(site, expected)
            try expected.check(exported: try site.export("--level", "raw"))
            let beside = try site.quantrac("verify")
            #expect(beside.exitCode == 0, "\(beside.output)\(beside.errors)")
            #expect(try site.stopService() == 0)
            let verify = try site.quantrac("verify")
            #expect(verify.exitCode == 0, "\(verify.output)\(verify.errors)")
            try expected.check(exported: try site.export("--level", "raw"))
        }

        private static func fleet(_ site: Installation, seed: UInt64, stations: String, truth: String) -> [String] {
            // So fast that the run lasts about as long as the kills take.
            let virtualSeconds = Double(Self.messages) / Double(Self.stations) * 10
            let rate = virtualSeconds / max(6, Double(Self.kills) * 1.2)
            return [
                Places.simulator, "fleet", "--port", "\(site.broker.port)", "--stations", "\(Self.stations)",
                "--interval", "10s", "--seed", "\(seed)", "--rate", "\(rate)", "--messages", "\(Self.messages)",
                "--faults", "duplicate:0.05", "--truth", truth, "--write-stations", stations,
            ]
        }

        /// The retained `…/stored` of every station covers all its messages, without a gap.
        private static func checkStored(_ site: Installation, _ truth: Truth) throws {
            var last = ""
            do {
                try eventually("`stored` covers every message", seconds: 20) {
                    let heard = try site.run([
                        "mosquitto_sub", "-h", "127.0.0.1", "-p", "\(site.broker.port)", "-q", "1", "-v", "-t",
                        "quantrac/v1/+/stored", "-C", "\(truth.messages.count)", "-W", "5",
                    ])
                    last = heard.output
                    var through: [String: Int] = [:]
                    for line in heard.output.split(separator: "\n") {
                        let parts = line.split(separator: " ", maxSplits: 1)
                        guard parts.count == 2,
                            let account = try? JSONSerialization.jsonObject(with: Data(parts[1].utf8))
                                as? [String: Any],
                            let boots = account["boots"] as? [[String: Any]], boots.count == 1,
                            boots[0]["from"] as? Int == 1, (boots[0]["gaps"] as? [Any])?.isEmpty == true
                        else { continue }
                        through[String(parts[0].split(separator: "/")[2])] = boots[0]["through"] as? Int
                    }
                    return through == truth.messages
                }
            } catch { throw Trouble("\(error); expected \(truth.messages), heard \(last)") }
        }
    }
}
