import Alerting
import FieldFormats
import Monitoring
import TimeSeriesStore

/// Whether all that a station sends comes late, for every station; staged with the batch (invariant I10).
///
/// Reused memory only: a message costs no allocation.
struct LatenessBook {
    private struct Entry {
        var state: StationLateness
        /// Device time of its newest reading; what is not newer repeats something or fills a gap.
        var newestMilliseconds: Int64
        var lateAfterMilliseconds: Int64
    }

    static let rule = "quantrac.late"

    private let registry: Registry
    /// By the station's position in the registry.
    private var entries: [Entry]
    /// What the stations the batch at hand has touched were before it.
    private var undo: [(index: Int32, entry: Entry)] = []
    private var isTouched: [Bool]

    /// - Parameters:
    ///   - stationsOpen: Numbers of the stations whose incident is open; all else may be forgotten by a restart.
    ///   - newestMilliseconds: Device time of a series' newest reading; negative when there is none.
    init(_ registry: Registry, stationsOpen: Set<Int32>, newestMilliseconds: (Series) -> Int64) {
        self.registry = registry
        self.entries = registry.stations.map { station in
            Entry(
                state: StationLateness(isOpen: stationsOpen.contains(station.number)),
                newestMilliseconds: station.seriesIndices.map { newestMilliseconds(registry.series[$0]) }.max() ?? .min,
                lateAfterMilliseconds: defaultLateAfter(intervalMilliseconds: station.intervalMilliseconds.latest))
        }
        self.isTouched = Array(repeating: false, count: registry.stations.count)
    }

    /// With what the store knows.
    init(_ writer: StoreWriter) throws {
        let open = try writer.reader.incidents(openOnly: true).filter { $0.rule == Self.rule }
        let head = writer.head
        self.init(
            writer.registry, stationsOpen: Set(open.compactMap { Int32($0.subject.dropFirst("station:".count)) }),
            newestMilliseconds: { head.newestMilliseconds(series: $0.number) })
    }

    /// Judges nothing: for what is brought back from where it lay.
    static let none = LatenessBook(.empty, stationsOpen: [], newestMilliseconds: { _ in .min })

    /// Takes the newest reading of a message.
    mutating func observe(
        station index: Int, timeMilliseconds: Int64, receivedMilliseconds: Int64, outage: Outage?
    ) -> StationLateness.Change? {
        guard index < self.entries.count, timeMilliseconds > self.entries[index].newestMilliseconds else { return nil }
        if !self.isTouched[index] {
            self.isTouched[index] = true
            self.undo.append((Int32(index), self.entries[index]))
        }
        self.entries[index].newestMilliseconds = timeMilliseconds
        return self.entries[index].state.observe(
            receivedMilliseconds: receivedMilliseconds,
            latenessMilliseconds: lateness(
                receivedMilliseconds: receivedMilliseconds, timeMilliseconds: timeMilliseconds, outage: outage),
            lateAfterMilliseconds: self.entries[index].lateAfterMilliseconds)
    }

    /// The batch is durable.
    mutating func commit() {
        for item in self.undo { self.isTouched[Int(item.index)] = false }
        self.undo.removeAll(keepingCapacity: true)
    }

    /// The batch is not durable: its messages come again.
    mutating func rollBack() {
        for item in self.undo {
            self.isTouched[Int(item.index)] = false
            self.entries[Int(item.index)] = item.entry
        }
        self.undo.removeAll(keepingCapacity: true)
    }

    /// The same for a changed registry; between batches.
    func adopted(_ registry: Registry) -> LatenessBook {
        var book = LatenessBook(registry, stationsOpen: [], newestMilliseconds: { _ in .min })
        for (index, station) in registry.stations.enumerated() {
            guard let old = self.registry.stationIndex(number: station.number), old < self.entries.count else {
                continue
            }
            book.entries[index].state = self.entries[old].state
            book.entries[index].newestMilliseconds = self.entries[old].newestMilliseconds
        }
        return book
    }
}

extension BatchBuilder {
    /// A station's incident about its lateness opens or ends.
    func note(_ change: StationLateness.Change, station index: Int, receivedMilliseconds: Int64) {
        let station = self.directory.registry.stations[index]
        let subject = "station:\(station.number)"
        guard case .opened(let since, let lateness) = change else {
            return self.append(
                .cleared(rule: LatenessBook.rule, subject: subject, atMilliseconds: receivedMilliseconds))
        }
        self.append(
            .open(
                id: self.reserveIncident(), name: "\(LatenessBook.rule)/\(station.id)/\(receivedMilliseconds)",
                rule: LatenessBook.rule, subject: subject, series: nil, station: station.number, severity: "warning",
                openedMilliseconds: receivedMilliseconds, sinceMilliseconds: since, value: nil, bound: nil,
                foundLate: false,
                detail: "Everything that station \(station.id) sends comes late, the newest by \(lateness / 1_000) s: "
                    + "none of its alerts can page; its clock is slow, or its link never catches up"))
    }
}
