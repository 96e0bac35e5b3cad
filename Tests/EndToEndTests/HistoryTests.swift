import Foundation
import Testing

extension EndToEnd {
    /// The backlog, which a session of its own reads.
    @Suite(.serialized)
    struct HistoryTests {
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"
        private let history = "quantrac/v1/nd-dust-1/history"

        @Test func `what happens now is served while the backlog is still being read`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            #expect(try site.stopService() == 0)
            let messages = 6_000
            let samples = 50
            let start = nowMilliseconds() - 86_400_000 * 30
            let backlog = (0..<messages).map { number in
                let texts = (0..<samples).map {
                    #"{"ts": \#(start + Int64(number * samples + $0) * 1000), "values": {"PM10": \#($0)}}"#
                }
                return #"{"samples": ["# + texts.joined(separator: ", ") + "]}"
            }
            try site.publish(self.history, lines: backlog)
            try site.start()
            try eventually("the backlog is being read") { site.metric("quantrac_messages_history_total") ?? 0 > 0 }
            try site.publish(self.telemetry, #"{"ts": \#(nowMilliseconds()), "values": {"PM10": 1}}"#)
            var historyWhenLiveWasServed = -1.0
            try eventually("the live message is served") {
                let metrics = httpGet(port: site.httpPort, "/metrics")?.body ?? ""
                let all = sample("quantrac_messages_received_total", metrics) ?? 0
                historyWhenLiveWasServed = sample("quantrac_messages_history_total", metrics) ?? 0
                return all > historyWhenLiveWasServed
            }
            #expect(historyWhenLiveWasServed < Double(messages), "live waited for all of the backlog")
            try eventually("the backlog is through", seconds: 60) {
                site.metric("quantrac_messages_history_total") == Double(messages)
            }
            try eventually("the backlog's marker comes back", seconds: 40) {
                site.metric("quantrac_history_caught_up") == 1
            }
            #expect(try site.readingCount() == messages * samples + 1)
        }

        @Test func `an older session gives its subscription to the backlog up, once somebody else has it`() throws {
            let broker = try FakeBroker()
            defer { broker.stop() }
            let site = try Installation(settings: ["broker.port": "\(broker.port)"])
            try site.importStations(plainStations())
            // What the session of before had queued comes through it all the same.
            let old = broker.deliver(self.history, [#"{"ts": \#(nowMilliseconds()), "values": {"PM10": 1}}"#])
            try site.start()
            try eventually("the live session unsubscribes") { broker.unsubscribed == ["quantrac/v1/+/history"] }
            #expect(broker.isHistorySubscribed)
            try eventually("the old backlog is acknowledged") { broker.acknowledged == old }
            #expect(try site.readingCount() == 1)
        }

        @Test func `a lost session for the backlog leaves live alone and comes back by itself`() throws {
            let broker = try FakeBroker()
            defer { broker.stop() }
            let site = try Installation(settings: ["broker.port": "\(broker.port)"])
            try site.importStations(plainStations())
            try site.start()
            try eventually("both sessions stand") { site.metric("quantrac_history_connected") == 1 }
            broker.cut(.history)
            try eventually("its loss is noticed") { site.metric("quantrac_history_connected") == 0 }
            #expect(site.health()?.status == 200 && broker.isSubscribed)
            _ = broker.deliver(self.history, [#"{"ts": \#(nowMilliseconds()), "values": {"PM10": 1}}"#], to: .history)
            try eventually("it comes back and reads on") { broker.unacknowledgedCount == 0 }
            #expect(site.metric("quantrac_history_connected") == 1)
        }
    }
}

/// A sample of a text of metrics.
private func sample(_ name: String, _ metrics: String) -> Double? {
    let line = metrics.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
    return line?.split(separator: " ").last.flatMap { Double($0) }
}
