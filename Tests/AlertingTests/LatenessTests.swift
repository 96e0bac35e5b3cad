import Alerting
import Monitoring
import Testing

@Suite struct LatenessTests {
    private let minute: Int64 = 60_000

    private func late(
        received: Int64, time: Int64, outage: Outage? = nil, after: Int64? = nil, interval: Int64? = 60_000
    ) -> Bool {
        isLate(
            receivedMilliseconds: received * self.minute, timeMilliseconds: time * self.minute, outage: outage,
            lateAfterMilliseconds: after, intervalMilliseconds: interval)
    }

    private func outage(_ from: Int64, _ to: Int64) -> Outage {
        Outage(fromMilliseconds: from * self.minute, toMilliseconds: to * self.minute)
    }

    @Test func `ten minutes are not late, more is`() {
        #expect(!self.late(received: 110, time: 100))
        #expect(self.late(received: 111, time: 100))
        #expect(!self.late(received: 100, time: 105))
    }

    @Test func `three intervals are not late when that is longer`() {
        #expect(!self.late(received: 190, time: 100, interval: 30 * self.minute))
        #expect(self.late(received: 191, time: 100, interval: 30 * self.minute))
        #expect(!self.late(received: 110, time: 100, interval: nil))
        #expect(self.late(received: 111, time: 100, interval: nil))
        #expect(!self.late(received: 111, time: 100, interval: .max))
    }

    @Test func `a rule may say otherwise, even nothing at all`() {
        #expect(!self.late(received: 160, time: 100, after: 60 * self.minute))
        #expect(self.late(received: 161, time: 100, after: 60 * self.minute))
        #expect(self.late(received: 101, time: 100, after: 0))
        #expect(!self.late(received: 100, time: 100, after: 0))
    }

    @Test func `only the part of our outage between measuring and receipt excuses`() {
        #expect(!self.late(received: 200, time: 100, outage: self.outage(100, 195)), "5 min of its own")
        #expect(!self.late(received: 200, time: 100, outage: self.outage(0, 190)))
        #expect(self.late(received: 200, time: 100, outage: self.outage(0, 189)), "11 min of its own")
        #expect(self.late(received: 200, time: 100, outage: self.outage(0, 100)), "it was over before")
        #expect(self.late(received: 200, time: 100, outage: self.outage(200, 300)), "it began afterwards")
        #expect(!self.late(received: 200, time: 100, outage: Outage(fromMilliseconds: 0)), "it lasts")
        #expect(self.late(received: 200, time: 100, outage: self.outage(190, 100)), "none at all")
    }

    @Test func `extreme times never trap`() {
        let times: [Int64] = [.min, -1, 0, 1, .max]
        for received in times {
            for time in times {
                for from in times {
                    _ = isLate(
                        receivedMilliseconds: received, timeMilliseconds: time,
                        outage: Outage(fromMilliseconds: from), lateAfterMilliseconds: nil, intervalMilliseconds: from)
                }
            }
        }
    }

    // MARK: - The three cases of silence

    /// Runs one-minute readings, received in the order given, through lateness and step.
    private func run(_ arrivals: [(received: Int64, time: Int64, value: Double)], outage: Outage? = nil) -> [String] {
        let rule = Marbles().rule
        var state = RuleState()
        return arrivals.compactMap { arrival in
            let event = Event.reading(
                value: arrival.value, status: .measuring, timeMilliseconds: arrival.time * self.minute,
                late: self.late(received: arrival.received, time: arrival.time, outage: outage))
            return step(CompiledRule(rule), &state, event).map {
                "\(Marbles.marble($0))\($0.atMilliseconds / self.minute)-\($0.sinceMilliseconds / self.minute)"
            }
        }
    }

    @Test func `an exceedance that begins in a backlog and goes on pages once, saying since when`() {
        // The link was down from 100 to 400; the breach began at 200.
        let backlog = (100..<400).map { (received: Int64(400), time: Int64($0), value: $0 < 200 ? 50.0 : 150) }
        let live = (400..<420).map { (received: Int64($0), time: Int64($0), value: 150.0) }
        // The last ten minutes of the backlog are not late: the page leaves with the first of them.
        #expect(self.run(backlog + live) == ["o200-200", "P390-200"])
    }

    @Test func `a backlog whose exceedance is over pages nobody`() {
        let backlog = (100..<400).map {
            (received: Int64(400), time: Int64($0), value: (200..<300).contains($0) ? 150.0 : 50)
        }
        #expect(self.run(backlog + [(401, 401, 50)]) == ["o200-200", "c300-200"])
    }

    @Test func `a station whose clock is ten minutes slow pages at once, one of eleven is found late`() {
        #expect(self.run([(110, 100, 50), (111, 101, 150), (112, 102, 50)]) == ["O101-101", "C102-101"])
        #expect(self.run([(111, 100, 50), (112, 101, 150), (113, 102, 50)]) == ["o101-101", "c102-101"])
    }

    @Test func `our own outage of three hours delays the page and does not lose it`() {
        // Down from 100 to 280; the broker kept everything, and it comes in the minute we are back.
        let kept = (100..<280).map { (received: Int64(280), time: Int64($0), value: $0 < 150 ? 50.0 : 150) }
        let live = (280..<300).map { (received: Int64($0), time: Int64($0), value: 150.0) }
        #expect(self.run(kept + live, outage: self.outage(100, 280)) == ["O150-150"])
        #expect(self.run(kept + live, outage: self.outage(100, .max / self.minute)) == ["O150-150"])
    }
}
