import Monitoring
import Synchronization

/// The unmerged part of the store, shared by the one writer and the readers.
///
/// The writer holds the lock once per frame; a reader only as long as it takes to copy the reference of one station's
/// log.
package final class Head: Sendable {
    private let state: Mutex<HeadState>

    init(_ state: consuming HeadState) { self.state = Mutex(state) }

    func withState<Value: Sendable>(_ body: (inout HeadState) throws -> Value) rethrows -> Value {
        try self.state.withLock { try body(&$0) }
    }

    /// What is unmerged of a series, and of its station's receipt times, in order of arrival.
    func unmerged(series: Int32, station: Int32) -> (readings: [Reading], receipts: [Reading]) {
        let log = self.state.withLock { state in
            Int(station) < state.stations.count ? state.stations[Int(station)].log : StationLog()
        }
        return log.isEmpty ? ([], []) : log.readings(of: series)
    }

    /// The oldest device time that is unmerged of a station; nil when all is merged.
    func oldestUnmergedMilliseconds(station: Int32) -> Int64? {
        let log = self.state.withLock { state in
            Int(station) < state.stations.count ? state.stations[Int(station)].log : StationLog()
        }
        var oldest: Int64?
        log.forEach { time, _ in
            oldest = min(oldest ?? time, time)
        } reading: { _, _ in
        }
        return oldest
    }

    /// Unmerged readings and the bytes they take.
    package var size: (readings: Int, bytes: Int) {
        self.state.withLock { ($0.readings, $0.bytes) }
    }

    /// Newest device time known of a series; -1 when it has no reading.
    package func newestMilliseconds(series: Int32) -> Int64 {
        self.state.withLock { Int(series) < $0.series.count ? $0.series[Int(series)].newest : -1 }
    }

    /// The accounts of a station's numbered messages, the newest boot last.
    package func accounts(station: Int32) -> [SequenceAccount] {
        self.state.withLock { Int(station) < $0.stations.count ? $0.stations[Int(station)].accounts : [] }
    }

    func unmergedCount(series: Int32) -> Int {
        self.state.withLock { Int(series) < $0.series.count ? $0.series[Int(series)].unmergedCount : 0 }
    }
}
