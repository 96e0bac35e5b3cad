import Foundation
import Monitoring
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    /// Every gap of a station has its right cause: ours, the device's, or the wire's.
    @Suite(.serialized)
    struct AccountTests {
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"
        private let interval: Int64 = 500

        private func running() throws -> Installation {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations(interval: "500ms"))
            try site.start()
            return site
        }

        private func message(_ time: Int64, seq: Int) -> String {
            #"{"seq": \#(seq), "boot": "b", "ts": \#(time), "values": {"PM10": 1, "SO2": 2}}"#
        }

        private func account(_ site: Installation, day: Int64? = nil) throws -> [String: Any] {
            var arguments = [Places.quantrac, "account", "--station", "nd-dust-1", "--json"]
            if let day { arguments += ["--day", Civil.formatDate(days: day)] }
            let result = try site.run(arguments + ["--config", site.configuration])
            guard let account = result.rows.first else { throw Trouble("account: \(result.errors)") }
            return account
        }

        private func localDay(_ time: Int64) -> Int64 { (time + 7 * 3_600_000) / 86_400_000 }

        private func time(_ object: [String: Any], _ key: String) -> Int64 { Int64(object[key] as? Int ?? 0) }

        /// `cause from-to count`, in intervals since a time.
        private func gaps(_ account: [String: Any], since base: Int64) -> [String] {
            (account["gaps"] as? [[String: Any]] ?? []).map { gap in
                let from = self.time(gap, "from") - base
                let to = self.time(gap, "to") - base
                return "\(gap["cause"] ?? "") \(from / self.interval)-\(to / self.interval) \(gap["readings"] ?? "")"
            }
        }

        @Test func `silence, poison, a hole, a calibration and a kill are told apart`() throws {
            let site = try self.running()
            // A time of the past for what needs no clock, within an hour, and so within a day.
            let base = (nowMilliseconds() - 6 * 3_600_000) / 3_600_000 * 3_600_000 + 60_000
            let day = self.localDay(base)
            var lines: [String] = []
            // 0–9 present, 10–19 silent, 20–24 present; 25–29 a hole of the numbering; 30–39 present, calibrating
            // 40–44, then 45–49 present.
            var seq = 0
            for slot in Array(0..<10) + Array(20..<25) {
                seq += 1
                lines.append(self.message(base + Int64(slot) * self.interval, seq: seq))
            }
            seq += 5
            for slot in 30..<50 {
                seq += 1
                let time = base + Int64(slot) * self.interval
                let status = (40..<45).contains(slot) ? #", "status": {"PM10": "01", "SO2": "01"}"# : ""
                lines.append(
                    #"{"seq": \#(seq), "boot": "b", "ts": \#(time), "values": {"PM10": 1, "SO2": 2}\#(status)}"#)
            }
            // 50: one value of it is no number. 51–52 present.
            seq += 1
            lines.append(
                #"{"seq": \#(seq), "boot": "b", "ts": \#(base + 50 * interval), "values": {"PM10": 1, "SO2": "?"}}"#)
            for slot in 51..<53 {
                seq += 1
                lines.append(self.message(base + Int64(slot) * self.interval, seq: seq))
            }
            try site.publish(self.telemetry, lines: lines)
            try site.awaitReadings(75)
            var account = try self.account(site, day: day)
            let past = self.gaps(account, since: base)
            #expect(
                Array(past.prefix(4)) == [
                    "silent 10-20 10", "sequence 25-30 5", "calibrating 40-45 5", "refused 50-51 1",
                ], "\(past)")
            let gaps = account["gaps"] as? [[String: Any]] ?? []
            #expect(gaps.first?["wholeStation"] as? Bool == true)
            #expect(gaps.first { $0["cause"] as? String == "refused" }?["parameters"] as? [String] == ["SO2"])
            #expect(
                gaps.first { $0["cause"] as? String == "refused" }?["refused"] as? [String: Int] == ["not-a-number": 1])
            let holes = gaps.first { $0["cause"] as? String == "sequence" }?["holes"] as? [[String: Any]]
            #expect(holes?.first?["from"] as? Int == 16 && holes?.first?["to"] as? Int == 20)
            let numbered = (account["numbered"] as? [[String: Any]])?.first
            #expect(numbered?["expected"] as? Int == seq && numbered?["missing"] as? Int == 5)

            // Now: a device that sends, one message of it that cannot be read, and then a service that is killed.
            let start = nowMilliseconds()
            func sendNow(_ seq: Int, _ readings: Int) throws {
                let time = nowMilliseconds()
                try site.publish(
                    self.telemetry, #"{"seq": \#(seq), "boot": "c", "ts": \#(time), "values": {"PM10": 3, "SO2": 4}}"#)
                try site.awaitReadings(readings)
            }
            try sendNow(100, 77)
            // Inside the gap, which begins when the next message is due.
            let sent = nowMilliseconds()
            try eventually("the next message is due") { nowMilliseconds() - sent > self.interval + 100 }
            try site.publish(self.telemetry, "no json")
            let poisoned = nowMilliseconds()
            try eventually("the device was silent for a second") { nowMilliseconds() - poisoned > 1_000 }
            try sendNow(101, 79)
            let killed = nowMilliseconds()
            site.killService()
            try eventually("the service is gone for two seconds") { nowMilliseconds() - killed > 2_000 }
            // Beside a dead service the account knows it, too.
            account = try self.account(site)
            #expect((account["outages"] as? [[String: Any]])?.last?["cause"] as? String == "crashed")
            #expect((account["outages"] as? [[String: Any]])?.last?["to"] is NSNull)
            try site.start()
            try sendNow(102, 81)
            let end = nowMilliseconds()
            account = try self.account(site)
            let recent = (account["gaps"] as? [[String: Any]] ?? []).filter {
                self.time($0, "from") >= start && self.time($0, "to") <= end
            }
            let causes = recent.compactMap { $0["cause"] as? String }
            #expect(causes.contains("refused") && causes.contains("outage"), "\(recent)")
            let outage = recent.first { $0["cause"] as? String == "outage" }?["outage"] as? [String: Any]
            #expect(outage?["cause"] as? String == "crashed")
            #expect(outage?["versionBefore"] as? String == outage?["versionAfter"] as? String)
            #expect((outage?["versionAfter"] as? String)?.isEmpty == false)
            // The outage covers the kill, and ended when the service had caught up.
            #expect(outage.map { self.time($0, "from") } ?? .max <= killed)
            #expect(outage.map { self.time($0, "to") } ?? 0 >= killed + 2_000)
            #expect(try Int(site.sql("SELECT count(*) FROM outage WHERE ended IS NULL")) == 0)

            // What is counted adds up, in every view of it.
            #expect(account["balanced"] as? Bool == true)
            let messages = account["messages"] as? [String: Int] ?? [:]
            #expect(messages["received"] == lines.count + 4 && messages["deadLettered"] == 1, "\(messages)")
            let readings = account["readings"] as? [String: Int] ?? [:]
            #expect(readings["decoded"] == 82 && readings["quarantined"] == 1, "\(readings)")
            let status = try site.quantrac("status", "--json").object["account"] as? [String: Any]
            #expect(status?["balanced"] as? Bool == true && status?["seqMissing"] as? Int == 5, "\(status ?? [:])")
            #expect(status?["outage"] is NSNull)
            try eventually("the metrics say so") { site.metric("quantrac_seq_missing") == 5 }
            #expect(site.metric("quantrac_ledger_unbalanced") == 0)
            #expect((site.metric("quantrac_outage_seconds_total") ?? 0) >= 2)
            #expect(try site.quantrac("account", "--station", "nobody").exitCode == 2)
            #expect(try site.quantrac("account", "--day", "yesterday").exitCode == 2)
            let table = try site.quantrac("account")
            #expect(table.exitCode == 0 && table.output.contains("nd-dust-1"), "\(table.output)")
        }

        @Test func `a clean stop is told from a crash, and a broker that was away from both`() throws {
            let site = try self.running()
            try site.publish(self.telemetry, self.message(nowMilliseconds(), seq: 1))
            try site.awaitReadings(2)
            #expect(try site.stopService() == 0)
            #expect(try site.sql("SELECT cause FROM outage WHERE ended IS NULL") == "stopped")
            let status = try site.quantrac("status", "--json").object["account"] as? [String: Any]
            #expect((status?["outage"] as? [String: Any])?["cause"] as? String == "stopped")
            try site.start()
            try eventually("the outage is over") { site.metric("quantrac_caught_up") == 1 }
            try site.broker.stop()
            try eventually("the service says that the broker is away", seconds: 20) { site.health()?.status == 503 }
            try site.broker.start()
            try site.awaitHealthy()
            try eventually("both outages have ended") {
                try site.sql("SELECT group_concat(cause) FROM outage WHERE ended IS NOT NULL") == "stopped,broker"
            }
            try eventually("none is open") { try site.sql("SELECT count(*) FROM outage WHERE ended IS NULL") == "0" }
        }

        @Test func `a ledger that does not add up raises an incident, and clears when it does`() throws {
            let site = try self.running()
            try site.publish(self.telemetry, self.message(nowMilliseconds(), seq: 1))
            try site.awaitReadings(2)
            #expect(try site.stopService() == 0)
            try site.start()
            func open() throws -> [[String: Any]] {
                try site.quantrac("incident", "list", "--open", "--json").rows
                    .filter { $0["rule"] as? String == "quantrac.unbalanced" }
            }
            #expect(try open().isEmpty)
            #expect(try site.stopService() == 0)
            try self.change(site, "UPDATE ledger SET stored = stored + 7")
            try site.start()
            try eventually("the incident is open") { try open().count == 1 }
            let incident = try #require(try open().first)
            #expect(incident["station"] as? String == "nd-dust-1")
            let detail = incident["detail"] as? String ?? ""
            #expect(detail.contains("7 stored") || detail.contains("9 stored"), "\(detail)")
            #expect(site.metric("quantrac_ledger_unbalanced") == 1)
            let account = try self.account(site)
            #expect(account["balanced"] as? Bool == false)
            #expect((account["imbalance"] as? String)?.isEmpty == false)
            try self.change(site, "UPDATE ledger SET stored = stored - 7")
            try eventually("it has cleared") { try open().isEmpty }
        }

        private func change(_ site: Installation, _ sql: String) throws {
            let result = try site.run(["sqlite3", "-cmd", ".timeout 5000", site.storePath, sql])
            guard result.exitCode == 0 else { throw Trouble("sqlite3: \(result.errors)") }
        }
    }
}
