import Foundation
import Monitoring
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    /// Every class of bad payload has its fate, and none stops the others (invariant I2).
    @Suite(.serialized)
    struct BadPayloadTests {
        private let time = nowMilliseconds() / 1_000 * 1_000 - 120_000
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"

        private func running() throws -> Installation {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            return site
        }

        private struct BadMessage {
            let reason: DeadLetterReason
            let payload: [UInt8]
            init(_ reason: DeadLetterReason, _ text: String) {
                self.init(reason, bytes: Array(text.utf8))
            }
            init(_ reason: DeadLetterReason, bytes: [UInt8]) {
                self.reason = reason
                self.payload = bytes
            }
        }

        private var badMessages: [BadMessage] {
            let values = #""values": {"PM10": 1}"#
            let deep = String(repeating: "[", count: 9) + String(repeating: "]", count: 9)
            return [
                .init(.notJSON, "hello"),
                .init(.notJSON, #"{"ts": \#(time), "values": {"PM10": 1}"#),
                .init(
                    .invalidUTF8,
                    bytes: Array(#"{"ts": \#(time), "boot": ""#.utf8) + [0xff, 0xfe] + Array(#"", \#(values)}"#.utf8)),
                .init(.noTime, "{\(values)}"),
                .init(.badTime, #"{"ts": "yesterday", \#(values)}"#),
                .init(.badTime, #"{"ts": "2026-11-23T09:00:00", \#(values)}"#),
                .init(.tooDeep, #"{"ts": \#(time), "x": \#(deep), \#(values)}"#),
                .init(.duplicateKey, #"{"ts": \#(time), "values": {"PM10": 1, "PM10": 2}}"#),
                .init(.empty, #"{"ts": \#(time), "values": {}}"#),
                .init(.empty, #"{"samples": []}"#),
                .init(.badShape, #"{"ts": \#(time), \#(values), "samples": [{"ts": \#(time), \#(values)}]}"#),
                .init(.badShape, #"{"seq": -1, "ts": \#(time), \#(values)}"#),
                .init(.badShape, #"{"boot": "\#(String(repeating: "b", count: 33))", "ts": \#(time), \#(values)}"#),
            ]
        }

        @Test func `every class of unreadable message is kept as a dead letter with its reason and payload`() throws {
            let site = try self.running()
            for message in self.badMessages { try site.publish(self.telemetry, bytes: message.payload) }
            try site.publish(self.telemetry, #"{"ts": \#(time), "values": {"PM10": 7}}"#)
            try site.awaitReadings(1)
            let letters = try site.quantrac("deadletter", "list", "--json").rows
            try #require(letters.count == self.badMessages.count)
            // Newest first.
            for (letter, message) in zip(letters.reversed(), self.badMessages) {
                let text = String(decoding: message.payload, as: UTF8.self)
                #expect(letter["reason"] as? String == message.reason.rawValue, "\(text)")
                #expect(letter["payload"] as? String == Data(message.payload).base64EncodedString(), "\(text)")
                #expect(letter["topic"] as? String == self.telemetry)
                #expect(letter["station"] as? String == "nd-dust-1")
                #expect(letter["bytes"] as? Int == message.payload.count)
                #expect((letter["detail"] as? String)?.isEmpty == false)
            }
            #expect(try site.export().map { $0[5] } == ["7"])
            #expect(site.metric("quantrac_dead_letters_total") == Double(self.badMessages.count))
        }

        @Test func `a message over 256 KiB is refused, its beginning and its hash are kept`() throws {
            let site = try self.running()
            let payload = Array(#"{"ts": \#(time), "pad": ""#.utf8) + .init(repeating: 0x78, count: 256 << 10)
            try site.publish(self.telemetry, bytes: payload)
            try site.publish(self.telemetry, #"{"ts": \#(time), "values": {"PM10": 7}}"#)
            try site.awaitReadings(1)
            let letter = try #require(try site.quantrac("deadletter", "list", "--json").rows.first)
            #expect(letter["reason"] as? String == "too-large")
            #expect(letter["bytes"] as? Int == payload.count)
            #expect(letter["payload"] as? String == Data(payload[..<(64 << 10)]).base64EncodedString())
            #expect((letter["sha256"] as? String)?.count == 64)
        }

        @Test func `each value has its own fate beside the good ones of its message`() throws {
            let site = try self.running()
            let odd = #""XYZ": 1, "SO2": null"#
            try site.publish(self.telemetry, #"{"ts": \#(time), "values": {"PM10": 1, \#(odd)}}"#)
            try site.publish(self.telemetry, #"{"ts": \#(time + 1_000), "values": {"PM10": 2, "SO2": "12"}}"#)
            try site.publish(self.telemetry, #"{"ts": \#(time + 2_000), "values": {"PM10": 3, "SO2": 1e999}}"#)
            try site.publish(
                self.telemetry,
                #"{"ts": \#(time + 3_000), "values": {"PM10": 4, "SO2": 5}, "status": {"SO2": "not legal"}}"#)
            let old = time - 401 * 86_400_000
            let new = time + 4_000_000
            try site.publish(
                self.telemetry,
                #"{"samples": [{"ts": \#(old), "values": {"PM10": 8}}, {"ts": \#(time + 4_000), "values": {"PM10": 5}}, "#
                    + #"{"ts": \#(new), "values": {"PM10": 9}}]}"#)
            try site.awaitReadings(5)
            #expect(try site.export().map { [$0[1], $0[5]] } == (1...5).map { ["PM10", "\($0)"] })
            let rows = try site.quantrac("quarantine", "list", "--json").rows
            let found = Set(rows.map { "\($0["parameter"] ?? "") \($0["reason"] ?? "")" })
            #expect(
                found == [
                    "XYZ unknown-parameter", "SO2 null", "SO2 not-a-number", "SO2 not-finite", "SO2 bad-status",
                    "PM10 too-old", "PM10 too-new",
                ])
            #expect(rows.count == 7)
            let early = rows.first { $0["reason"] as? String == "too-old" }
            #expect((early?["time"] as? String).flatMap { Civil.parseRFC3339($0) } == old)
            #expect(early?["value"] as? Double == 8)
            let incidents = try site.quantrac("incident", "list", "--json").rows
            #expect(incidents.contains { $0["rule"] as? String == "quantrac.clock" })
            #expect(try site.quantrac("verify").exitCode == 0)
        }

        @Test func `dead letters of an unknown station come back once it was imported`() throws {
            let site = try self.running()
            let topic = "quantrac/v1/late-1/telemetry"
            try site.publish(topic, #"{"seq": 1, "ts": \#(time), "values": {"PM10": 41.5}}"#)
            try site.publish(topic, "not JSON at all")
            try site.publish("quantrac/v1/bad station/telemetry", #"{"ts": \#(time), "values": {"PM10": 1}}"#)
            try site.publish(self.telemetry, #"{"ts": \#(time), "values": {"PM10": 7}}"#)
            try site.awaitReadings(1)
            let before = try site.quantrac("deadletter", "list", "--json").rows
            #expect(
                before.map { $0["reason"] as? String } == ["unknown-station", "unknown-station", "unknown-station"])
            try site.importStations(plainStations(id: "late-1").replacingOccurrences(of: "na-duong", with: "site-2"))
            let replay = try site.quantrac("deadletter", "replay")
            #expect(replay.exitCode == 0, "\(replay.errors)")
            let rows = try site.export("--station", "late-1")
            #expect(rows.map { $0[5] } == ["41.5"])
            #expect(Civil.parseRFC3339(rows.first?[3] ?? "") == time)
            // Who is there now and still cannot be read stays; nothing comes back twice.
            #expect(try site.quantrac("deadletter", "list", "--json").rows.count == 2)
            #expect(try site.quantrac("deadletter", "replay").exitCode == 0)
            #expect(try site.export().count == 2)
            // A message sent now goes straight in: the running service knows the station.
            try site.publish(topic, #"{"seq": 2, "ts": \#(time + 1_000), "values": {"PM10": 42}}"#)
            try site.awaitReadings(3)
            #expect(try site.quantrac("verify").exitCode == 0)
        }

        @Test func `values of a clock that was ahead are released with their times moved back`() throws {
            let site = try self.running()
            let claimed = nowMilliseconds() / 1_000 * 1_000 + 600_000
            try site.publish(self.telemetry, #"{"ts": \#(claimed), "values": {"PM10": 55.5, "SO2": "x"}}"#)
            try site.publish(self.telemetry, #"{"ts": \#(time), "values": {"PM10": 7}}"#)
            try site.awaitReadings(1)
            #expect(try site.quantrac("quarantine", "list", "--json").rows.count == 2)
            let release = try site.quantrac("quarantine", "release", "--station", "nd-dust-1", "--shift", "-10m")
            #expect(release.exitCode == 0, "\(release.errors)")
            let rows = try site.export()
            #expect(rows.map { $0[5] } == ["7", "55.5"])
            #expect(Civil.parseRFC3339(rows.last?[3] ?? "") == claimed - 600_000)
            // A text is still no number, and stays.
            let rest = try site.quantrac("quarantine", "list", "--json").rows
            #expect(rest.map { $0["reason"] as? String } == ["not-a-number"])
            #expect(try site.quantrac("verify").exitCode == 0)
        }

        @Test func `a flood of garbage from one device stops nobody else`() throws {
            let site = try self.running()
            try site.publish("quantrac/v1/ghost/telemetry", lines: (0..<1_500).map { "garbage \($0)" })
            try site.publish(
                self.telemetry,
                lines: (0..<50).map { #"{"ts": \#(time + Int64($0) * 1_000), "values": {"PM10": \#($0)}}"# })
            try site.awaitReadings(50)
            // A thousand a day and topic are kept; the rest is counted.
            let letters = try site.quantrac("deadletter", "list", "--json").rows
            #expect(letters.count <= 1_001 && letters.count >= 1_000, "\(letters.count)")
            #expect(site.metric("quantrac_dead_letters_total") == 1_500)
            #expect(letters.contains { $0["payload"] as? String == Data("garbage 1499".utf8).base64EncodedString() })
            let incidents = try site.quantrac("incident", "list", "--open", "--json").rows
            #expect(incidents.map { $0["rule"] as? String } == ["quantrac.dead-letters"])
            #expect(try site.quantrac("verify").exitCode == 0)
        }
    }
}
