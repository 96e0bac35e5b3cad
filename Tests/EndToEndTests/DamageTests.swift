import Foundation
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct DamageTests {
        private let time = nowMilliseconds() / 1_000 * 1_000 - 600_000
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"

        private func publish(_ site: Installation, _ number: Int) throws {
            try site.publish(
                self.telemetry, #"{"ts": \#(time + Int64(number) * 1_000), "values": {"PM10": \#(number)}}"#)
        }

        private func change(_ site: Installation, _ statement: String) throws {
            let result = try site.run(["sqlite3", site.storePath, statement])
            try #require(result.exitCode == 0, "\(result.errors)")
        }

        private func openRules(_ site: Installation) throws -> [String] {
            try site.quantrac("incident", "list", "--open", "--json").rows.compactMap { $0["rule"] as? String }
        }

        @Test func `a damaged station is told until it is repaired, and nothing sent meanwhile is lost`() throws {
            let site = try Installation(settings: ["store.mergeSeconds": "1"])
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            try self.publish(site, 1)
            let merged = "SELECT count(*) FROM tail WHERE readings > 0 AND series IN (SELECT number FROM series "
            let ours = "WHERE parameter = 'PM10')"
            try eventually("the reading is merged") { try site.sql(merged + ours) == "1" }
            #expect(try site.stopService() == 0)
            // A bit flips in the middle of the open end.
            let place = "FROM tail WHERE series = (SELECT number FROM series \(ours)"
            let sound = try site.sql("SELECT hex(raw) \(place)")
            var bytes = Array(sound.utf8)
            bytes[bytes.count / 2] = bytes[bytes.count / 2] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
            let update = "WHERE series = (SELECT number FROM series \(ours)"
            try self.change(site, "UPDATE tail SET raw = x'\(String(decoding: bytes, as: UTF8.self))' \(update)")
            try site.start()
            try self.publish(site, 2)
            try eventually("the damage is told") { try self.openRules(site) == ["quantrac.damaged"] }
            #expect(site.health()?.status == 200)
            #expect(try site.stopService() == 0)
            // A start alone mends nothing.
            try site.start()
            #expect(try self.openRules(site) == ["quantrac.damaged"])
            #expect(try site.stopService() == 0)
            try self.change(site, "UPDATE tail SET raw = x'\(sound)' \(update)")
            try site.start()
            try eventually("the incident ends") { try self.openRules(site).isEmpty }
            #expect(try site.export().map { $0[5] } == ["1", "2"])
            #expect(try site.stopService() == 0)
            #expect(try site.quantrac("verify").exitCode == 0)
        }
    }
}
