import Foundation
import Monitoring
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct LakeTests {
        /// Two local days ago: settled whatever the time of this run.
        private let day = Civil.floorDivide(nowMilliseconds() + 25_200_000, 86_400_000) - 2
        private var dayStart: Int64 { self.day * 86_400_000 - 25_200_000 }
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"

        private func parts(_ lake: String) throws -> [String] {
            let names = FileManager.default.enumerator(atPath: lake)?.compactMap { $0 as? String } ?? []
            return names.filter { $0.hasSuffix(".parquet") }.sorted()
        }

        private func rows(_ site: Installation, _ part: String) throws -> [String] {
            let duckdb = try #require(Places.duckdb)
            let result = try site.run([
                duckdb, "-noheader", "-csv", "-c",
                "SELECT station, parameter, epoch_ms(time), value, status FROM read_parquet('\(part)') ORDER BY ALL",
            ])
            try #require(result.exitCode == 0, "\(result.errors)")
            return result.output.split(separator: "\n").map(String.init)
        }

        private func manifest(_ lake: String) throws -> [String: Any] {
            let path = "\(lake)/manifest/readings/date=\(Civil.formatDate(days: self.day)).json"
            return try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
                as? [String: Any]
                ?? [:]
        }

        @Test(.enabled(if: Places.duckdb != nil, "no DuckDB here"))
        func `a closed day becomes one part, again changes nothing, late data make generation 2`() throws {
            let folder = try Folder()
            let lake = folder.file("lake")
            let site = try Installation(
                settings: ["lake.destination": lake, "lake.duckdb": try #require(Places.duckdb)], folder: folder)
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            // The last reading is the first of the next local day: half-open.
            let offsets = (0..<100).map { Int64($0) * 600_000 } + [86_399_999, 86_400_000]
            try site.publish(
                self.telemetry,
                lines: offsets.enumerated().map { #"{"ts": \#(dayStart + $1), "values": {"PM10": \#($0).25}}"# })
            try site.awaitReadings(102)
            let first = try site.quantrac("lake", "publish")
            #expect(first.exitCode == 0, "\(first.errors)")
            let name = Civil.formatDate(days: self.day)
            let published = try self.parts(lake)
            let ofDay = published.filter { $0.contains("date=\(name)/") }
            #expect(ofDay.count == 1 && ofDay[0].hasSuffix("-g1.parquet"), "\(published)")
            let part = "\(lake)/\(try #require(ofDay.first))"
            let expected = offsets.enumerated().filter { $1 < 86_400_000 }
                .map { "nd-dust-1,PM10,\(dayStart + $1),\($0).25,00" }.sorted()
            #expect(try self.rows(site, part).sorted() == expected)
            let current = try self.manifest(lake)["current"] as? [String: Any]
            #expect(current?["rows"] as? Int == 101)
            #expect(current?["generation"] as? Int == 1)
            let digest = try site.run(["sha256sum", part]).output.prefix(64)
            #expect(current?["sha256"] as? String == String(digest))

            #expect(try site.quantrac("lake", "publish").exitCode == 0)
            #expect(try self.parts(lake) == published)
            #expect(try String(site.run(["sha256sum", part]).output.prefix(64)) == digest)

            // One that was late, and beside it one that says nothing new.
            try site.publish(self.telemetry, #"{"ts": \#(dayStart + 1_000), "values": {"PM10": 999}}"#)
            try site.publish(self.telemetry, #"{"ts": \#(dayStart), "values": {"PM10": 0.25}}"#)
            try site.awaitReadings(103)
            // The service is down now: the verb publishes by itself.
            #expect(try site.stopService() == 0)
            let second = try site.quantrac("lake", "publish")
            #expect(second.exitCode == 0, "\(second.errors)")
            let restated = try self.parts(lake).filter { $0.contains("date=\(name)/") }
            #expect(restated.count == 2 && restated.contains { $0.hasSuffix("-g2.parquet") }, "\(restated)")
            let manifest = try self.manifest(lake)
            #expect((manifest["current"] as? [String: Any])?["generation"] as? Int == 2)
            #expect((manifest["current"] as? [String: Any])?["rows"] as? Int == 102)
            #expect((manifest["earlier"] as? [Any])?.count == 1)
            #expect(try String(site.run(["sha256sum", part]).output.prefix(64)) == digest)
            let status = try site.quantrac("lake", "status", "--json").rows
            #expect(status.contains { $0["day"] as? String == name && $0["state"] as? String == "published" })
        }
    }
}
