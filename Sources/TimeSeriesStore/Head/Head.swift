import Monitoring
import Synchronization

/// The unmerged part of the store, shared by the one writer and the readers.
///
/// The writer holds the lock once per frame; a reader only as long as it takes to copy the references of one series'
/// arrays.
package final class Head: Sendable {
    private let state: Mutex<HeadState>

    init(_ state: consuming HeadState) { self.state = Mutex(state) }

    func withState<Value: Sendable>(_ body: (inout HeadState) throws -> Value) rethrows -> Value {
        try self.state.withLock { try body(&$0) }
    }

    /// What is unmerged of a series, and of its station's receipt times, in order of arrival.
    func unmerged(series: Int32, station: Int32) -> (readings: [Reading], receipts: [Reading]) {
        self.state.withLock { state in
            guard Int(series) < state.series.count, Int(station) < state.stations.count else { return ([], []) }
            let receipts = Int(state.stations[Int(station)].receiptSeries)
            return (state.series[Int(series)], receipts > 0 ? state.series[receipts] : [])
        }
    }

    /// Unmerged readings and the bytes they take.
    package var size: (readings: Int, bytes: Int) {
        self.state.withLock { ($0.readings, $0.entries * StoreLimits.headEntryBytes) }
    }

    /// Newest device time known of a series; -1 when it has no reading.
    package func newestMilliseconds(series: Int32) -> Int64 {
        self.state.withLock { Int(series) < $0.newest.count ? $0.newest[Int(series)] : -1 }
    }

    /// The accounts of a station's numbered messages, the newest boot last.
    package func accounts(station: Int32) -> [SequenceAccount] {
        self.state.withLock { Int(station) < $0.stations.count ? $0.stations[Int(station)].accounts : [] }
    }

    func unmergedCount(series: Int32) -> Int {
        self.state.withLock { Int(series) < $0.series.count ? $0.series[Int(series)].count : 0 }
    }
}
