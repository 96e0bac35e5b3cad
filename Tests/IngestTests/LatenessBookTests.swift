import Alerting
import FieldFormats
import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import Ingest

/// A station all of whose readings are late raises its own incident (invariant I10).
@Suite struct LatenessBookTests {
    private let minute: Int64 = 60_000

    /// A bench that judges lateness, with the incidents of these stations open.
    private func bench(open: Set<Int32> = []) -> Bench {
        let bench = Bench()
        bench.builder.latenessBook = LatenessBook(
            bench.registry, stationsOpen: open, newestMilliseconds: { _ in -1 })
        return bench
    }

    /// Sends one message; what it did to incidents.
    private func send(
        _ bench: Bench, _ station: String, minute: Int64, minutesLate: Int64, outage: Outage? = nil,
        topic: String = "telemetry", value: String = "1", isDurable: Bool = true
    ) -> [String] {
        let received = Bench.now + minute * self.minute
        bench.begin(at: received, outage: outage)
        let time = received - minutesLate * self.minute
        bench.take("quantrac/v1/\(station)/\(topic)", #"{"ts": \#(time), "values": {"PM10": \#(value)}}"#)
        bench.builder.finish()
        let changes = bench.builder.effects.incidents.map { change in
            switch change {
            case .open(_, _, let rule, let subject, _, _, _, _, let since, _, _, _, let detail):
                "open \(rule) \(subject) since \((since - Bench.now) / self.minute): \(detail)"
            case .cleared(let rule, let subject, _): "cleared \(rule) \(subject)"
            default: "\(change)"
            }
        }
        if isDurable { bench.builder.commit() } else { bench.builder.rollBack() }
        return changes
    }

    @Test func `an hour of late messages opens it once, and one on time ends it`() {
        let bench = self.bench()
        for minute in Int64(0)..<60 {
            #expect(self.send(bench, "a", minute: minute, minutesLate: 20).isEmpty)
            #expect(self.send(bench, "b", minute: minute, minutesLate: 0).isEmpty)
        }
        let opened = self.send(bench, "a", minute: 60, minutesLate: 20)
        #expect(opened.count == 1 && opened[0].hasPrefix("open quantrac.late station:1 since 0: "), "\(opened)")
        #expect(opened[0].contains("station a ") && opened[0].contains("1200 s"))
        #expect(self.send(bench, "a", minute: 61, minutesLate: 20).isEmpty)
        #expect(self.send(bench, "a", minute: 62, minutesLate: 1) == ["cleared quantrac.late station:1"])
        #expect(self.send(bench, "a", minute: 63, minutesLate: 1).isEmpty)
    }

    @Test func `a batch that was not durable is judged again as if it had never been`() {
        let bench = self.bench()
        for minute in Int64(0)..<60 { _ = self.send(bench, "a", minute: minute, minutesLate: 20) }
        let first = self.send(bench, "a", minute: 60, minutesLate: 20, isDurable: false)
        #expect(first.count == 1)
        #expect(self.send(bench, "a", minute: 60, minutesLate: 20) == first.map { $0 })
        // One on time that was lost does not begin the hour anew either.
        let cleared = self.send(bench, "a", minute: 61, minutesLate: 0, isDurable: false)
        #expect(self.send(bench, "a", minute: 61, minutesLate: 0) == cleared && cleared.count == 1)
    }

    @Test func `what repeats, fills a gap or is set aside says nothing`() {
        let bench = self.bench(open: [1])
        _ = self.send(bench, "a", minute: 0, minutesLate: 20)
        // Older than the newest, on time or not; a value that is none; a time that is not believed.
        #expect(self.send(bench, "a", minute: 1, minutesLate: 60).isEmpty)
        #expect(self.send(bench, "a", minute: 2, minutesLate: 0, value: "null").isEmpty)
        let future = self.send(bench, "a", minute: 3, minutesLate: -30)
        #expect(!future.contains { $0.contains(LatenessBook.rule) })
        #expect(self.send(bench, "a", minute: 4, minutesLate: 0).contains("cleared quantrac.late station:1"))
    }

    @Test func `our own outage is no lateness of the station`() {
        let bench = self.bench()
        let outage = Outage(fromMilliseconds: Bench.now - 100_000 * self.minute)
        for minute in Int64(0)...80 {
            #expect(self.send(bench, "a", minute: minute, minutesLate: 20, outage: outage).isEmpty)
        }
    }

    @Test func `a changed registry and a restart keep what is open`() {
        let bench = self.bench(open: [2])
        bench.builder.adopt(StationDirectory(registry: bench.registry))
        #expect(self.send(bench, "b", minute: 0, minutesLate: 20).isEmpty)
        #expect(self.send(bench, "b", minute: 1, minutesLate: 0) == ["cleared quantrac.late station:2"])
    }
}
