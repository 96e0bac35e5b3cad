import Foundation
import Monitoring
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct RetentionTests {
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"
        /// Three local days ago, at midnight.
        private let dayStart =
            (Civil.floorDivide(nowMilliseconds() + 25_200_000, 86_400_000) - 3) * 86_400_000 - 25_200_000

        private func message(_ time: Int64, _ value: Int) -> String {
            #"{"ts": \#(time), "values": {"PM10": \#(value)}}"#
        }

        @Test func `old raw readings go, their rollups stay, and what comes late for them is set aside`() throws {
            let site = try Installation(settings: ["retention.raw": "1d"])
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            let recent = nowMilliseconds() - 60_000
            try site.publish(
                self.telemetry, lines: (0..<100).map { self.message(self.dayStart + Int64($0) * 600_000, $0) })
            try site.publish(self.telemetry, self.message(recent, 5))
            try site.awaitReadings(101)
            let hours = try site.export("--level", "1h")
            let days = try site.export("--level", "1d")

            let dry = try site.quantrac("retention", "--dry-run", "--json")
            #expect(dry.exitCode == 0, "\(dry.errors)")
            let planned = try #require((dry.object["deleted"] as? [[String: Any]])?.first)
            #expect(planned["level"] as? String == "raw" && planned["readings"] as? Int == 100)
            #expect(try site.readingCount() == 101)

            let run = try site.quantrac("retention")
            #expect(run.exitCode == 0 && run.output.contains("nd-dust-1"), "\(run.output)\(run.errors)")
            #expect(try site.export("--level", "raw").count == 1)
            #expect(try site.export("--level", "1h") == hours)
            #expect(try site.export("--level", "1d") == days)
            #expect(try site.readingCount() == 1)

            try site.publish(self.telemetry, self.message(self.dayStart + 1, 999))
            try site.publish(self.telemetry, self.message(recent + 1, 6))
            try site.awaitReadings(2)
            let set = try site.quantrac("quarantine", "list", "--json").rows
            #expect(set.map { $0["reason"] as? String } == ["sealed"])
            #expect(try site.export("--level", "1h").prefix(hours.count - 1) == hours.prefix(hours.count - 1))
            let verify = try site.quantrac("verify")
            #expect(verify.exitCode == 0, "\(verify.output)\(verify.errors)")
            #expect(try site.stopService() == 0)
            #expect(try site.quantrac("verify").exitCode == 0)
            #expect(try site.quantrac("retention").output.contains("nothing is old enough"))
        }

        @Test func `the service gives space back by itself while it acknowledges, and says when the disk will be full`()
            throws
        {
            let site = try Installation(settings: ["retention.setAside": "1d", "store.mergeSeconds": "1"])
            try site.broker.start()
            try site.importStations(plainStations())
            // 48 MB of dead letters from 1970, and a file that grew by 100 TB a day.
            let today = Civil.floorDivide(nowMilliseconds() + 25_200_000, 86_400_000)
            let filled = try site.run([
                "sqlite3", site.storePath,
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800)
                INSERT INTO dead_letter (received, topic, reason, detail, bytes, payload)
                SELECT i, 't', 'not-json', '', 60000, zeroblob(60000) FROM n;
                INSERT INTO file_size VALUES (\(today - 3), 1), (\(today - 2), 100000000000000),
                (\(today - 1), 200000000000000);
                """,
            ])
            try #require(filled.exitCode == 0, "\(filled.errors)")
            func bytes() throws -> Int {
                try FileManager.default.attributesOfItem(atPath: site.storePath)[.size] as? Int ?? 0
            }
            try site.start()
            let before = try bytes()
            #expect(before > 45_000_000)
            var sent = 0
            try eventually("the file is shorter", seconds: 60) {
                // Returns when it is acknowledged.
                try site.publish(self.telemetry, self.message(nowMilliseconds() - 60_000, sent))
                sent += 1
                return try bytes() < before - 20_000_000
            }
            try site.awaitReadings(sent)
            #expect(try site.quantrac("deadletter", "list", "--json").rows.isEmpty)

            let disk = try #require(try site.quantrac("status", "--json").object["disk"] as? [String: Any])
            #expect((disk["fullInDays"] as? Double).map { $0 < 14 } == true, "\(disk)")
            func isOpen() throws -> Bool {
                try site.quantrac("incident", "list", "--open", "--json").rows
                    .contains { $0["rule"] as? String == "quantrac.disk-filling" }
            }
            try eventually("an incident says so") { try isOpen() }
            #expect(site.metric("quantrac_disk_full_in_days").map { $0 >= 0 && $0 < 14 } == true)
            #expect(try site.stopService() == 0)
            let mended = try site.run(["sqlite3", site.storePath, "DELETE FROM file_size WHERE day < \(today)"])
            try #require(mended.exitCode == 0, "\(mended.errors)")
            try site.start()
            try eventually("it clears by itself") { try !isOpen() }
            #expect(site.metric("quantrac_disk_full_in_days") == -1)
        }
    }
}
