import Alerting
import Monitoring
import TimeSeriesStore

/// Rebuilds the alerting's state at the start: the last snapshot, then the frames behind it with their effects
/// discarded.
enum AlertRecovery {
    static func book(writer: StoreWriter, ruleSet: RuleSet) throws -> AlertBook {
        let registry = writer.registry
        let stored = try writer.alertSnapshot()
        let snapshot = stored.flatMap { AlertSnapshot(encoded: $0) } ?? AlertSnapshot()
        // Without a snapshot every frame is still in the journal or was never judged: nothing that is stored is news.
        let head = writer.head
        var book = AlertBook(
            bindings: ruleSet.bindings(registry), snapshot: snapshot,
            newestMilliseconds: { stored == nil ? nil : self.newest(head, registry.series[$0]) })
        guard book.bindings.slotCount > 0 else { return book }
        var raised: [AlertBook.Raised] = []
        try writer.forEachFrame(after: writer.alertsThrough) { frame in
            try self.observe(frame, registry: registry, book: &book, raised: &raised)
            raised.removeAll(keepingCapacity: true)
        }
        book.commit()
        return book
    }

    static func newest(_ head: Head, _ series: Series) -> Int64? {
        let newest = head.newestMilliseconds(series: series.number)
        return newest >= 0 ? newest : nil
    }

    private static func observe(
        _ frame: consuming FrameReader, registry: Registry, book: inout AlertBook, raised: inout [AlertBook.Raised]
    ) throws {
        var frame = frame
        let header = frame.header
        let outage =
            header.outageToMilliseconds > header.outageFromMilliseconds
            ? Outage(
                fromMilliseconds: header.outageFromMilliseconds, toMilliseconds: header.outageToMilliseconds) : nil
        while let message = try frame.nextMessage() {
            for _ in 0..<message.sampleCount {
                let sample = try frame.nextSample()
                let late = lateness(
                    receivedMilliseconds: header.receivedMilliseconds, timeMilliseconds: sample.timeMilliseconds,
                    outage: outage)
                for _ in 0..<sample.readingCount {
                    let reading = try frame.nextReading()
                    guard message.flags.mayAlert,
                        let index = registry.seriesIndex(number: reading.series)
                    else { continue }
                    book.observe(
                        seriesIndex: index, value: reading.value, status: reading.status,
                        timeMilliseconds: sample.timeMilliseconds, latenessMilliseconds: late, into: &raised)
                }
            }
        }
    }
}
