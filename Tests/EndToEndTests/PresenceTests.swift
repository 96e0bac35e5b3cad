import Foundation
import Testing

extension EndToEnd {
    /// What a device says of its link, when it was heard, and which parameters are fresh: three things.
    @Suite(.serialized)
    struct PresenceTests {
        private let status = "quantrac/v1/nd-dust-1/status"

        private func station(_ site: Installation) -> [String: Any] {
            (httpGet(port: site.httpPort, "/api/v1/stations")?.json as? [[String: Any]])?.first ?? [:]
        }

        private func fresh(_ site: Installation) -> [String: Bool] {
            let parameters = self.station(site)["parameters"] as? [[String: Any]] ?? []
            return Dictionary(
                uniqueKeysWithValues: parameters.compactMap { parameter in
                    guard let id = parameter["id"] as? String, let fresh = parameter["fresh"] as? Bool else {
                        return nil
                    }
                    return (id, fresh)
                })
        }

        @Test func `link, device and parameters are told apart, and a retained word is no reading and no life`() throws
        {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            #expect(self.station(site)["online"] is NSNull && self.station(site)["lastReceived"] is NSNull)
            try site.publish(self.status, #"{"online": true, "boot": "b"}"#, retain: true)
            try eventually("the station is online") { self.station(site)["online"] as? Bool == true }
            #expect(self.station(site)["lastReceived"] is NSNull && self.fresh(site) == ["PM10": false, "SO2": false])
            try site.publish(
                "quantrac/v1/nd-dust-1/telemetry", #"{"ts": \#(nowMilliseconds()), "values": {"PM10": 1}}"#)
            try eventually("one parameter is fresh") { self.fresh(site) == ["PM10": true, "SO2": false] }
            let heard = try #require(self.station(site)["lastReceived"] as? Int)
            // Back-filled: the device lives, but nothing is fresher than it was measured.
            try site.publish(
                "quantrac/v1/nd-dust-1/history",
                #"{"ts": \#(nowMilliseconds() - 3_600_000), "values": {"SO2": 1}}"#)
            try eventually("the station was heard again") { self.station(site)["lastReceived"] as? Int ?? 0 > heard }
            #expect(self.fresh(site) == ["PM10": true, "SO2": false])
            try site.publish(self.status, #"{"online": false}"#, retain: true)
            try eventually("the station is offline") { self.station(site)["online"] as? Bool == false }
            let before = self.station(site)["lastReceived"] as? Int
            // The broker hands the retained word over again.
            #expect(try site.stopService() == 0)
            try site.start()
            try eventually("we are caught up") { site.metric("quantrac_caught_up") == 1 }
            #expect(
                self.station(site)["online"] as? Bool == false && self.station(site)["lastReceived"] as? Int == before)
            #expect(try site.readingCount() == 2)
            let life = try site.quantrac("status", "--json").object["life"] as? [String: Int]
            #expect(life == ["online": 0, "offline": 1, "silent": 0, "stale": 1])
            #expect(try site.sql("SELECT count(*) FROM incident") == "0")
        }
    }
}
