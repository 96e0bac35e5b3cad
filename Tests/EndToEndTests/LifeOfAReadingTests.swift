import Foundation
import Monitoring
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    @Suite(.serialized)
    struct LifeOfAReadingTests {
        /// 2026-01-01T00:00:00Z is far enough from any bound of a test that runs within the service's 400 days.
        private let time = (nowMilliseconds() / 60_000 - 10) * 60_000

        private func stamp(_ milliseconds: Int64, decimals: Bool = true) -> String {
            Civil.formatRFC3339(milliseconds: milliseconds, offsetSeconds: 25_200, decimals: decimals)
        }

        @Test func `a published message is exported, served over HTTP and counted`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            let before = nowMilliseconds()
            try site.publish(
                "quantrac/v1/nd-dust-1/telemetry",
                #"{"seq": 1, "boot": "b1", "ts": \#(time), "values": {"PM10": 31.40, "SO2": 3}, "status": {"SO2": "01"}}"#
            )
            try site.publish(
                "quantrac/v1/nd-dust-1/telemetry",
                #"{"seq": 2, "boot": "b1", "ts": \#(time + 60_000), "values": {"PM10": 1e-5, "SO2": -0.1}}"#)
            try eventually("four readings are stored") {
                site.metric("quantrac_readings_stored_total") == 4
            }
            let export = try site.quantrac("export", "--level", "raw")
            #expect(export.exitCode == 0)
            let lines = export.output.split(separator: "\n").map(String.init)
            #expect(lines.first == "station,parameter,unit,time,received,value,status")
            let fields = lines.dropFirst().map { $0.split(separator: ",").map(String.init) }
            let withoutReceived = fields.map { ($0[..<4] + $0[5...]).joined(separator: ",") }
            #expect(
                withoutReceived == [
                    "nd-dust-1,PM10,µg/m³,\(self.stamp(time)),31.4,00",
                    "nd-dust-1,PM10,µg/m³,\(self.stamp(time + 60_000)),1e-5,00",
                    "nd-dust-1,SO2,µg/m³,\(self.stamp(time)),3,01",
                    "nd-dust-1,SO2,µg/m³,\(self.stamp(time + 60_000)),-0.1,00",
                ])
            for row in fields {
                let received = try #require(Civil.parseRFC3339(row[4]))
                #expect(row[4].hasSuffix("+07:00") && !row[4].contains("."))
                #expect((before / 1_000 * 1_000...nowMilliseconds()).contains(received))
            }
            #expect(export.errors.contains("4 rows"))
            try self.checkHTTP(site)
            let status = try site.quantrac("status", "--json").object
            #expect(status["readings"] as? Int == 4)
            #expect(status["stations"] as? Int == 1)
            #expect(status["series"] as? Int == 2)
            #expect(status["service"] as? String == "running")
            let stopping = ContinuousClock.now
            #expect(try site.stopService() == 0)
            #expect(stopping.duration(to: .now) < .seconds(5))
            #expect(try site.quantrac("status", "--json").object["service"] as? String == "stopped")
            #expect(try site.export("--level", "raw").count == 4)
            let verify = try site.quantrac("verify")
            #expect(verify.exitCode == 0, "\(verify.output)\(verify.errors)")
        }

        private func checkHTTP(_ site: Installation) throws {
            #expect(site.metric("quantrac_messages_received_total") == 2)
            #expect(site.metric("quantrac_dead_letters_total") == 0)
            #expect(site.metric("quantrac_broker_connected") == 1)
            let stations = try #require(httpGet(port: site.httpPort, "/api/v1/stations")?.json as? [[String: Any]])
            #expect(stations.count == 1)
            #expect(stations.first?["id"] as? String == "nd-dust-1")
            #expect(stations.first?["site"] as? String == "na-duong")
            let parameters = try #require(stations.first?["parameters"] as? [[String: Any]])
            let last = parameters.first { $0["id"] as? String == "PM10" }?["last"] as? [String: Any]
            #expect(last?["time"] as? Int == Int(time + 60_000))
            #expect(last?["value"] as? Double == 1e-5)
            let path = "/api/v1/series/nd-dust-1/PM10?level=raw&from=\(time)&to=\(time + 120_000)"
            let series = try #require(httpGet(port: site.httpPort, path)?.json as? [String: Any])
            #expect(series["unit"] as? String == "µg/m³")
            let rows = try #require(series["rows"] as? [[Any]])
            #expect(rows.count == 2)
            #expect(rows.first?.first as? Int == Int(time))
        }

        @Test func `every level of an export agrees with the readings, open buckets included`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            let hour = Civil.floorDivide(nowMilliseconds(), 3_600_000) * 3_600_000 - 7_200_000
            let messages = (0..<120).map {
                #"{"ts": \#(hour + Int64($0) * 60_000), "values": {"PM10": \#($0)}}"#
            }
            try site.publish("quantrac/v1/nd-dust-1/telemetry", lines: messages)
            try site.awaitReadings(120)
            let hours = try site.export("--level", "1h")
            #expect(hours.count == 2)
            let expected =
                "nd-dust-1,PM10,µg/m³,\(self.stamp(hour, decimals: false)),\(self.stamp(hour + 3_600_000, decimals: false)),"
                + "60,60,60,29.5,1770,0,\(self.stamp(hour)),59,\(self.stamp(hour + 3_540_000)),0,59"
            #expect(hours.first?.joined(separator: ",") == expected)
            #expect(try site.export("--level", "1m").count == 120)
            let days = try site.export("--level", "1d")
            #expect(days.compactMap { Int($0[5]) }.reduce(0, +) == 120)
            #expect(days.compactMap { Double($0[9]) }.reduce(0, +) == 7_140)
        }

        @Test func `an unknown station in an export is a usage error, all of nothing only a header`() throws {
            let site = try Installation()
            try site.importStations(plainStations())
            let all = try site.quantrac("export")
            #expect(all.exitCode == 0)
            #expect(all.output == "station,parameter,unit,time,received,value,status\n")
            let unknown = try site.quantrac("export", "--station", "no-such")
            #expect(unknown.exitCode == 2)
            #expect(unknown.errors.contains("no-such"))
        }

        @Test func `a QoS 0 message is stored and counted apart`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            try site.publish(
                "quantrac/v1/nd-dust-1/telemetry", #"{"ts": \#(time), "values": {"PM10": 5}}"#,
                options: ["-q", "0"])
            try eventually("the message is stored") { site.metric("quantrac_messages_qos0_total") == 1 }
            #expect(try site.export().count == 1)
        }
    }
}
