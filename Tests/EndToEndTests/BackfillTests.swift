import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    /// Numbered messages that did not arrive, and what becomes of them.
    @Suite(.serialized)
    struct BackfillTests {
        /// A fleet in which every station is a client of its own, and its station file imported.
        private func fleet(_ site: Installation, _ arguments: [String], stations: Int = 3) throws -> [String] {
            let passwords = site.folder.file("passwords")
            try FileManager.default.createDirectory(atPath: passwords, withIntermediateDirectories: true)
            let file = site.folder.file("fleet.yaml")
            let fleet =
                [
                    Places.simulator, "fleet", "--port", "\(site.broker.port)", "--stations", "\(stations)",
                    "--write-stations", file, "--password-directory", passwords,
                ] + arguments
            try #require(try site.run(fleet + ["--write-stations-only"]).exitCode == 0)
            try site.importStations(file: file)
            let list = try site.quantrac("station", "list", "--json").rows.compactMap { $0["id"] as? String }
            try #require(list.count == stations)
            for id in list { try "x\n".write(toFile: "\(passwords)/\(id)", atomically: true, encoding: .utf8) }
            return fleet
        }

        private func gapCount(_ site: Installation) throws -> Int {
            Int(try site.sql("SELECT coalesce(sum(length(gaps) / 16), 0) FROM account")) ?? -1
        }

        @Test func `a hole is asked for, the device sends it on history, and stored has no gap any more`() throws {
            let seed = setting("QUANTRAC_TEST_SEED", Int(nowMilliseconds() % 1_000_000))
            print("seed \(seed)")
            let site = try Installation()
            try site.broker.start()
            let truth = site.folder.file("truth.ndjson")
            let fleet = try self.fleet(
                site,
                [
                    "--interval", "1s", "--duration", "4s", "--seed", "\(seed)", "--faults", "hole:0.4",
                    "--gap-repair", "command", "--wait-stored", "60s", "--truth", truth,
                ])
            try site.start()
            let simulator = try site.run(fleet, seconds: 100)
            #expect(simulator.exitCode == 0, "\(simulator.errors)")
            #expect(!simulator.errors.contains("not confirmed"), "\(simulator.errors)")
            try #require(simulator.errors.contains("lost on the way"), "seed \(seed): no hole was made")
            let expected = try Truth(file: truth)
            try site.awaitReadings(expected.values.count)
            try expected.check(exported: try site.export())
            try eventually("the requests are settled") { site.metric("quantrac_backfills_open") == 0 }
            #expect(site.metric("quantrac_messages_lost_total") == 0)
            #expect(try site.stopService() == 0)
            #expect(try self.gapCount(site) == 0)
            let states = try site.sql("SELECT DISTINCT state FROM backfill")
            // With this seed only the last messages may have been lost, which are in no gap.
            #expect(states == "filled" || states.isEmpty, "\(states)")
            #expect(try site.quantrac("verify").exitCode == 0)
        }

        @Test func `a killed broker forgets what it acknowledged, and devices that obey stored send it again`() throws {
            let seed = setting("QUANTRAC_TEST_SEED", Int(nowMilliseconds() % 1_000_000))
            print("seed \(seed)")
            let site = try Installation()
            try site.broker.start()
            let truth = site.folder.file("truth.ndjson")
            let fleet = try self.fleet(
                site,
                [
                    "--interval", "100ms", "--duration", "8s", "--seed", "\(seed)", "--wait-stored", "60s", "--truth",
                    truth,
                ])
            try site.start()
            let devices = try Child(fleet, log: site.folder.file("devices"))
            // An account begins with the first number that was seen.
            try eventually("every station was heard") { Set(try site.export().map { $0[0] }).count == 3 }
            // Nobody reads while the devices send on: what the broker acknowledges is only in its memory.
            site.killService()
            let witness = try Child(
                [
                    "mosquitto_sub", "-h", "127.0.0.1", "-p", "\(site.broker.port)", "-q", "1", "-t",
                    "quantrac/v1/+/telemetry", "-C", "30",
                ], log: site.folder.file("witness"))
            try witness.wait(seconds: 20)
            site.broker.kill()
            try? FileManager.default.removeItem(atPath: site.broker.persistenceFile)
            try site.broker.start()
            try site.start()
            #expect(try devices.wait(seconds: 100) == 0, "\(devices.errors)")
            #expect(!devices.errors.contains("not confirmed"), "\(devices.errors)")
            let expected = try Truth(file: truth)
            try site.awaitReadings(expected.values.count)
            try expected.check(exported: try site.export())
            #expect(try site.stopService() == 0)
            #expect(try self.gapCount(site) == 0)
            #expect(try site.quantrac("verify").exitCode == 0)
        }

        @Test func `a device that has forgotten says so, and the numbers are declared lost at once`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations(interval: "1s"))
            try site.start()
            let telemetry = "quantrac/v1/nd-dust-1/telemetry"
            let command = site.folder.file("command")
            let listener = try Child(
                [
                    "mosquitto_sub", "-h", "127.0.0.1", "-p", "\(site.broker.port)", "-q", "1", "-t",
                    "quantrac/v1/nd-dust-1/command", "-C", "1",
                ], log: command)
            let now = nowMilliseconds()
            for number in [1, 5] {
                try site.publish(
                    telemetry, #"{"seq": \#(number), "ts": \#(now + Int64(number)), "values": {"PM10": 1}}"#)
            }
            try listener.wait(seconds: 40)
            let asked = try #require(
                try JSONSerialization.jsonObject(with: Data(listener.output.utf8)) as? [String: Any])
            #expect(asked["kind"] as? String == "backfill" && asked["boot"] as? String == "")
            #expect(asked["seqFrom"] as? Int == 2 && asked["seqTo"] as? Int == 4)
            let id = try #require(asked["id"] as? String)
            try eventually("the command is marked as delivered") {
                try site.sql("SELECT count(*) FROM outbox WHERE channel = 'mqtt:nd-dust-1' AND delivered IS NULL")
                    == "0"
            }
            try site.publish("quantrac/v1/nd-dust-1/response", #"{"id": "\#(id)", "status": "unknown"}"#)
            try eventually("the numbers are lost") { site.metric("quantrac_messages_lost_total") == 3 }
            // At most one a second: the one that lies there may be older.
            try eventually("stored has no gap any more") {
                let stored = try site.run([
                    "mosquitto_sub", "-h", "127.0.0.1", "-p", "\(site.broker.port)", "-t",
                    "quantrac/v1/nd-dust-1/stored", "-C", "1", "-W", "10",
                ])
                let boot = (stored.object["boots"] as? [[String: Any]])?.first ?? [:]
                return boot["through"] as? Int == 5 && (boot["gaps"] as? [Any])?.isEmpty == true
            }
            // Should it come after all, it is stored.
            try site.publish(
                "quantrac/v1/nd-dust-1/history", #"{"seq": 3, "ts": \#(now + 3), "values": {"PM10": 3}}"#)
            try site.awaitReadings(3)
        }
    }
}
