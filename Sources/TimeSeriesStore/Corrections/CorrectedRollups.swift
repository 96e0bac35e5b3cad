import Monitoring
import Synchronization

/// Rollups folded from corrected readings, kept for the next who asks.
///
/// An entry is right for one state of the series' merged readings and of its corrections, both named by the store's
/// `change`; buckets that hold unmerged readings are never kept. Bounded in bytes: the series that nobody asked for
/// longest goes first.
package final class CorrectedRollups: Sendable {
    /// What a series' entries were folded from.
    struct Stamp: Hashable {
        let data: Int64
        let corrections: Int64
    }

    private struct Kept {
        var stamp: Stamp
        var hours: [Int64: Rollup] = [:]
        var days: [Int64: Rollup] = [:]
        var used: UInt64 = 0

        var count: Int { self.hours.count + self.days.count }
    }

    private struct State {
        var series: [Int32: Kept] = [:]
        var count = 0
        var uses: UInt64 = 0
        var bytesMax: Int
        var readingsMax: Int

        mutating func shrink() {
            while self.count * CorrectedRollups.entryBytes > self.bytesMax,
                let oldest = self.series.min(by: { $0.value.used < $1.value.used })?.key
            {
                self.count -= self.series.removeValue(forKey: oldest)?.count ?? 0
            }
        }
    }

    /// A rollup, its start, and its share of a dictionary that is three quarters full at most.
    private static let entryBytes = (MemoryLayout<Rollup>.stride + MemoryLayout<Int64>.stride) * 2

    private let state: Mutex<State>

    init() {
        self.state = Mutex(
            State(bytesMax: StoreLimits.correctedRollupBytesMax, readingsMax: StoreLimits.correctedReadingsMax))
    }

    /// Bytes held, about.
    package var bytes: Int { self.state.withLock { $0.count * Self.entryBytes } }

    /// Readings folded anew in one read transaction.
    var readingsMax: Int { self.state.withLock { $0.readingsMax } }

    /// Sets other bounds than those of the limits; 0 bytes keep nothing.
    package func bound(bytes: Int, readings: Int = StoreLimits.correctedReadingsMax) {
        self.state.withLock { state in
            state.bytesMax = bytes
            state.readingsMax = readings
            state.shrink()
        }
    }

    /// The kept rollups of these buckets; those that are not there are left out.
    func kept(series: Int32, level: Level, stamp: Stamp, starts: [Int64]) -> [Int64: Rollup] {
        self.state.withLock { state in
            guard let kept = state.series[series], kept.stamp == stamp else { return [:] }
            state.uses += 1
            state.series[series]?.used = state.uses
            let entries = level == .day ? kept.days : kept.hours
            return starts.reduce(into: [:]) { found, start in found[start] = entries[start] }
        }
    }

    /// Keeps rollups.
    ///
    /// A reader whose transaction is older than what is kept changes nothing.
    func keep(_ entries: [RollupEntry], series: Int32, level: Level, stamp: Stamp) {
        guard !entries.isEmpty else { return }
        self.state.withLock { state in
            guard state.bytesMax > 0 else { return }
            var kept = state.series.removeValue(forKey: series) ?? Kept(stamp: stamp)
            state.count -= kept.count
            if kept.stamp != stamp {
                let isOlder = stamp.data < kept.stamp.data || stamp.corrections < kept.stamp.corrections
                if isOlder {
                    state.series[series] = kept
                    state.count += kept.count
                    return
                }
                kept = Kept(stamp: stamp)
            }
            for entry in entries where (kept.count + 1) * Self.entryBytes <= state.bytesMax {
                if level == .day {
                    kept.days[entry.startMilliseconds] = entry.rollup
                } else {
                    kept.hours[entry.startMilliseconds] = entry.rollup
                }
            }
            state.uses += 1
            kept.used = state.uses
            state.series[series] = kept
            state.count += kept.count
            state.shrink()
        }
    }
}
