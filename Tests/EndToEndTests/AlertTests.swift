import Foundation
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct AlertTests {
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"

        private func running(sinkPort: Int) throws -> Installation {
            let folder = try Folder()
            let rules = try folder.write(
                "rules.yaml",
                """
                channels:
                  - {id: duty, webhook: "http://127.0.0.1:\(sinkPort)/alert", headers: {X-Key: abc}}
                rules:
                  - id: pm10-high
                    parameter: PM10
                    stations: all
                    kinds: [ambient-air]
                    above: 100
                    clear: 90
                    for: 0s
                    clearFor: 0s
                    severity: warning
                    notify: [duty]

                """)
            let site = try Installation(settings: ["rules": rules], folder: folder)
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            try eventually("the service has caught up") { site.metric("quantrac_caught_up") == 1 }
            return site
        }

        private func publish(_ site: Installation, _ value: Double, at time: Int64) throws {
            try site.publish(self.telemetry, #"{"ts": \#(time), "values": {"PM10": \#(value)}}"#)
        }

        private func openIncidents(_ site: Installation) throws -> [[String: Any]] {
            try site.quantrac("incident", "list", "--open", "--json").rows.filter {
                $0["rule"] as? String == "pm10-high"
            }
        }

        @Test func `an exceedance pages once, is acknowledged, and clears`() throws {
            // The first try is refused: it is sent again under the same key.
            let sink = try WebhookSink(refusing: 1)
            let site = try self.running(sinkPort: sink.port)
            let time = nowMilliseconds() - 5_000
            try self.publish(site, 50, at: time)
            try self.publish(site, 150.5, at: time + 1_000)
            try eventually("the page arrives") { !sink.received.isEmpty }
            let page = try #require(sink.received.first)
            #expect(page.start.hasPrefix("POST /alert "))
            #expect(page.headers["x-key"] == "abc")
            #expect(page.headers["idempotency-key"]?.isEmpty == false)
            let body = page.json
            #expect(body["id"] as? String == page.headers["idempotency-key"])
            #expect(
                Set(body.keys) == [
                    "id", "kind", "incident", "rule", "severity", "site", "station", "parameter", "unit", "value",
                    "limit",
                    "since", "at", "foundLate", "repeat",
                ])
            #expect(body["kind"] as? String == "firing")
            #expect(body["rule"] as? String == "pm10-high")
            #expect(body["severity"] as? String == "warning")
            #expect(body["site"] as? String == "na-duong")
            #expect(body["station"] as? String == "nd-dust-1")
            #expect(body["parameter"] as? String == "PM10")
            #expect(body["unit"] as? String == "µg/m³")
            #expect(body["value"] as? Double == 150.5)
            #expect(body["limit"] as? Double == 100)
            #expect(body["since"] as? Int == Int(time + 1_000))
            #expect(body["foundLate"] as? Bool == false)
            let incident = try #require(try self.openIncidents(site).first)
            let number = try #require(incident["id"] as? Int)
            #expect(incident["paged"] is String)
            let ack = try site.quantrac("incident", "ack", "\(number)", "--by", "Lan", "--why", "water sprayed")
            #expect(ack.exitCode == 0, "\(ack.errors)")
            let taken = try #require(try self.openIncidents(site).first)
            #expect(taken["acknowledgedBy"] as? String == "Lan")
            #expect(taken["acknowledgedWhy"] as? String == "water sprayed")
            // A duplicate changes nothing.
            try self.publish(site, 150.5, at: time + 1_000)
            try self.publish(site, 80, at: time + 2_000)
            try eventually("the all-clear arrives") { !sink.received("cleared").isEmpty }
            #expect(try self.openIncidents(site).isEmpty)
            #expect(sink.received("firing").count == 1)
            #expect(sink.received("cleared").count == 1)
        }

        @Test func `a page that was committed and not sent survives a kill`() throws {
            let port = try freePort()
            let site = try self.running(sinkPort: port)
            let time = nowMilliseconds() - 5_000
            try self.publish(site, 200, at: time)
            try eventually("the incident is open") { try !self.openIncidents(site).isEmpty }
            site.killService()
            let sink = try WebhookSink(port: port)
            try site.start()
            try eventually("the page arrives after the restart", seconds: 40) { !sink.received.isEmpty }
            #expect(sink.received("firing").count == 1)
            #expect(try self.openIncidents(site).count == 1)
            // Still firing: another reading above opens nothing and pages nobody.
            try self.publish(site, 210, at: time + 1_000)
            try self.publish(site, 10, at: time + 2_000)
            try eventually("the all-clear arrives") { !sink.received("cleared").isEmpty }
            #expect(sink.received("firing").count == 1)
            #expect(sink.received.count == 2)
        }

        @Test func `an exceedance found late opens unnotified and pages with the first reading on time`() throws {
            let sink = try WebhookSink()
            let site = try self.running(sinkPort: sink.port)
            let late = nowMilliseconds() - 1_800_000
            try self.publish(site, 170, at: late)
            try eventually("the incident is open") { try !self.openIncidents(site).isEmpty }
            let incident = try #require(try self.openIncidents(site).first)
            #expect(incident["foundLate"] as? Bool == true)
            #expect(incident["paged"] == nil || incident["paged"] is NSNull)
            #expect(sink.received.isEmpty)
            try self.publish(site, 180, at: nowMilliseconds() - 1_000)
            try eventually("the page arrives") { !sink.received.isEmpty }
            let page = try #require(sink.received.first).json
            #expect(page["foundLate"] as? Bool == true)
            #expect(page["since"] as? Int == Int(late))
            #expect(sink.received.count == 1)
            #expect(try self.openIncidents(site).count == 1)
        }

        @Test func `a bad rules file keeps the old rules`() throws {
            let sink = try WebhookSink()
            let site = try self.running(sinkPort: sink.port)
            let bad = try site.folder.write("bad.yaml", "rules:\n  - {id: x, parameter: PM10, abve: 5}\n")
            let load = try site.quantrac("rules", "load", bad)
            #expect(load.exitCode == 2)
            #expect(load.errors.contains("bad.yaml") && load.errors.contains("abve"), "\(load.errors)")
            try self.publish(site, 150, at: nowMilliseconds() - 1_000)
            try eventually("the old rule pages") { !sink.received.isEmpty }
        }
    }
}
