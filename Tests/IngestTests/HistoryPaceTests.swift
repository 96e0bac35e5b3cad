import Testing

@testable import Ingest

@Suite struct HistoryPaceTests {
    /// A loop in which both sessions always have something: live batches of 30 ms, backlog batches of a given length.
    private func share(ofBatches batch: Duration, liveBrings: (Duration) -> Bool, through end: Duration) -> Double {
        var pace = HistoryPace()
        var now = Duration.zero
        var history = Duration.zero
        while now < end {
            if liveBrings(now) {
                now += .milliseconds(30)
                pace.liveWasRead(at: now)
            }
            let rest = pace.rest(at: now)
            guard rest == .zero else {
                now += min(rest, .milliseconds(5))
                continue
            }
            pace.historyWasRead(from: now, to: now + batch)
            now += batch
            history += batch
        }
        return history / end
    }

    @Test(arguments: [1, 20, 45, 200])
    func `while live brings something the backlog takes at most half of the time`(milliseconds: Int) {
        let busy = self.share(
            ofBatches: .milliseconds(milliseconds), liveBrings: { _ in true }, through: .seconds(20))
        #expect(busy <= 0.505, "\(busy)")
        // A drizzle: five messages a second, and the loop idle in between.
        var last = Duration.zero
        let drizzle = self.share(
            ofBatches: .milliseconds(milliseconds),
            liveBrings: { now in
                guard now - last >= .milliseconds(200) else { return false }
                last = now
                return true
            }, through: .seconds(20))
        #expect(drizzle <= 0.505 && drizzle > 0.3, "\(drizzle)")
    }

    @Test func `with live silent the backlog is read without a pause`() {
        #expect(self.share(ofBatches: .milliseconds(20), liveBrings: { _ in false }, through: .seconds(5)) > 0.99)
    }

    @Test func `the backlog does not rest any more once live has been silent for a second`() {
        var pace = HistoryPace()
        pace.liveWasRead(at: .zero)
        pace.historyWasRead(from: .zero, to: .seconds(3))
        #expect(pace.rest(at: .milliseconds(999)) == .milliseconds(5_001))
        #expect(pace.rest(at: .milliseconds(1_000)) == .zero)
    }
}

@Suite struct BrokerSettingsTests {
    private func settings(_ topics: [String]?) -> BrokerSettings {
        BrokerSettings(host: "h", port: 1, clientID: "q", topicPrefix: "p", topics: topics)
    }

    @Test func `the backlog is the history session's, all else the live session's`() {
        let derived = self.settings(nil)
        #expect(derived.liveSubscriptions == ["p/+/telemetry", "p/+/event", "p/+/status", "p/+/response"])
        #expect(derived.historySubscriptions == ["p/+/history"])
        #expect(derived.historyClientID == "q-history")
    }

    @Test func `each session hears its own marker, whatever topics the settings name`() {
        let named = self.settings(["p/a/telemetry", "p/a/history"])
        #expect(named.liveSubscriptions == ["p/a/telemetry", "p/_q/response"])
        #expect(named.historySubscriptions == ["p/a/history", "p/_q/history"])
        let liveOnly = self.settings(["p/+/telemetry", "p/+/response"])
        #expect(liveOnly.liveSubscriptions == ["p/+/telemetry", "p/+/response"])
        #expect(liveOnly.historySubscriptions.isEmpty)
    }
}
