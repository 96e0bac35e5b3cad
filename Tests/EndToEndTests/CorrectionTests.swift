import Foundation
import Monitoring
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct CorrectionTests {
        private let time = (nowMilliseconds() / 3_600_000 - 2) * 3_600_000

        private func stamp(_ milliseconds: Int64) -> String {
            Civil.formatRFC3339(milliseconds: milliseconds, offsetSeconds: 25_200, decimals: false)
        }

        /// The mean of the hour that was published, over HTTP.
        private func mean(_ site: Installation, _ view: String) throws -> Double? {
            let path =
                "/api/v1/series/nd-dust-1/PM10?level=1h&columns=mean&from=\(self.time)&to=\(self.time + 3_600_000)"
                + "&view=\(view)"
            let object = try #require(httpGet(port: site.httpPort, path)?.json as? [String: Any])
            return (object["rows"] as? [[Any]])?.first?.first as? Double
        }

        @Test func `a correction made beside the running service is served at once, and gone when revoked`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            try site.publish(
                "quantrac/v1/nd-dust-1/telemetry",
                lines: (0..<60).map {
                    #"{"ts": \#(self.time + Int64($0) * 60_000), "values": {"PM10": \#($0 < 30 ? 10 : 30)}}"#
                })
            try site.awaitReadings(60)
            #expect(try self.mean(site, "corrected") == 20)
            let added = try site.quantrac(
                "correction", "add", "--station", "nd-dust-1", "--parameter", "PM10", "--from", self.stamp(self.time),
                "--to", self.stamp(self.time + 1_800_000), "--scale", "2", "--who", "Lan", "--why", "span gas")
            #expect(added.exitCode == 0, "\(added.errors)")
            #expect(added.output.contains("correction 1 of nd-dust-1 PM10"))
            #expect(try self.mean(site, "corrected") == 25)
            #expect(try self.mean(site, "as-received") == 20)
            #expect(try site.export("--level", "1h", "--parameter", "PM10").first?[8] == "25")
            #expect(try site.export("--level", "1h", "--parameter", "PM10", "--as-received").first?[8] == "20")
            #expect(try site.stopService() == 0)
            try site.start()
            #expect(try self.mean(site, "corrected") == 25)
            let revoked = try site.quantrac("correction", "revoke", "1", "--who", "Minh", "--why", "wrong bottle")
            #expect(revoked.exitCode == 0, "\(revoked.errors)")
            #expect(try self.mean(site, "corrected") == 20)
            #expect(try site.quantrac("correction", "list", "--json").rows.isEmpty)
            let listed = try #require(try site.quantrac("correction", "list", "--all", "--json").rows.first)
            #expect(listed["revokedBy"] as? String == "Minh" && listed["why"] as? String == "span gas")
            #expect(try site.quantrac("correction", "revoke", "1", "--who", "M", "--why", "x").exitCode == 2)
            #expect(try site.quantrac("verify").exitCode == 0)
        }
    }
}
