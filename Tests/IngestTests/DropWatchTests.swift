import Testing

@testable import Ingest

@Suite struct DropWatchTests {
    private let hour: Int64 = 3_600_000

    @Test func `a rise is told with all that was dropped since it began, and an hour of quiet ends it`() {
        var watch = DropWatch(total: nil)
        // What was dropped before we ever looked is nobody's news.
        #expect(watch.observe(nil, isOpen: false, now: 0) == nil)
        #expect(watch.observe(40, isOpen: false, now: 0) == nil)
        #expect(watch.observe(45, isOpen: false, now: 1_000) == .dropping(5))
        #expect(watch.observe(45, isOpen: true, now: 2_000) == nil)
        #expect(watch.observe(52, isOpen: true, now: self.hour) == .dropping(12))
        #expect(watch.observe(52, isOpen: true, now: 2 * self.hour - 1) == nil)
        #expect(watch.observe(52, isOpen: true, now: 2 * self.hour) == .over)
        // The next one is another.
        #expect(watch.observe(52, isOpen: false, now: 2 * self.hour + 1) == nil)
        #expect(watch.observe(53, isOpen: false, now: 2 * self.hour + 2) == .dropping(1))
    }

    @Test func `what was dropped while we were down is told when we are back`() {
        var watch = DropWatch(total: 10)
        #expect(watch.observe(1_010, isOpen: false, now: 0) == .dropping(1_000))
        #expect(watch.total == 1_010)
    }

    @Test func `a broker that was restarted counts from nothing`() {
        var watch = DropWatch(total: 100)
        #expect(watch.observe(0, isOpen: false, now: 0) == nil)
        #expect(watch.observe(3, isOpen: false, now: 1) == .dropping(3))
        var other = DropWatch(total: 100)
        #expect(other.observe(7, isOpen: false, now: 0) == .dropping(7))
    }

    @Test func `an incident of an earlier run ends an hour after our start, also without a word of the broker`() {
        var watch = DropWatch(total: nil)
        #expect(watch.observe(nil, isOpen: true, now: 5 * self.hour) == nil)
        #expect(watch.observe(nil, isOpen: true, now: 6 * self.hour - 1) == nil)
        #expect(watch.observe(nil, isOpen: true, now: 6 * self.hour) == .over)
    }

    @Test func `a clock that steps back does not hold the incident open for longer than an hour from then`() {
        var watch = DropWatch(total: 0)
        #expect(watch.observe(1, isOpen: false, now: 100 * self.hour) == .dropping(1))
        #expect(watch.observe(1, isOpen: true, now: 0) == nil)
        #expect(watch.observe(1, isOpen: true, now: self.hour) == .over)
    }
}

@Suite struct WithholdingProofTests {
    @Test func `the library installed here keeps acknowledgements back until they are let go`() throws {
        let outcome = try WithholdingProof.run()
        #expect(outcome.holds, "\(outcome)")
        #expect(outcome.messages > 277 && outcome.acknowledgedAfter == outcome.messages)
        #expect(outcome.version.split(separator: ".").count == 3)
    }

    @Test func `the proof fails for a library that sends them at once`() throws {
        let outcome = try WithholdingProof.run(withholds: false)
        #expect(!outcome.holds && outcome.acknowledgedBefore == outcome.messages, "\(outcome)")
    }
}
