import Foundation
import GRDB
package import Monitoring
import Synchronization

/// A bucket with what it holds.
package struct RollupRow: Sendable, Hashable {
    package let bucket: Bucket
    package let rollup: Rollup
    /// What `sum` reports: of a counter, the increments of the bucket and the one that leads into it from the bucket
    /// just before; where that bucket is empty there is no such increment (a gap yields no value, never a difference).
    package let total: Double
}

/// A version of a reading: 1 is the first that arrived, the highest is served.
package struct ReadingVersion: Sendable, Hashable {
    package let reading: Reading
    package let version: Int
}

/// Reads a store.
///
/// In the service it sees the writer's head; beside it, it has replayed the journal for itself.
///
/// Calls block for a read transaction of at most one page: do not make them on the cooperative pool in a loop.
package final class StoreReader: Sendable {
    package let files: StoreFiles
    let pool: DatabasePool
    let head: Head
    private let loaded: Mutex<LoadedRegistry>
    /// The zone of sites that name none.
    let defaultZone: String
    package let correctedRollups = CorrectedRollups()

    init(files: StoreFiles, pool: DatabasePool, head: Head, loaded: LoadedRegistry, defaultZone: String) {
        self.files = files
        self.pool = pool
        self.head = head
        self.defaultZone = defaultZone
        self.loaded = Mutex(loaded)
    }

    /// Opens a store beside the service, or when none runs.
    ///
    /// Never writes.
    package static func open(path: String, defaultZone: String) throws -> StoreReader {
        let files = StoreFiles(database: path)
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreError(.wrongFile, "\(path): no store there yet; `quantrac serve` creates it")
        }
        let pool = try StoreOpening.pool(files, readonly: true)
        let (loaded, replayed) = try pool.read { database in
            let loaded = try RegistryRows.load(database, defaultZone: defaultZone)
            return (loaded, UncheckedBox(try Replay.run(database, loaded).head))
        }
        return StoreReader(
            files: files, pool: pool, head: Head(replayed.value), loaded: loaded, defaultZone: defaultZone)
    }

    /// What is known of sites, stations and series now.
    package var registry: Registry { self.loaded.withLock { $0.registry } }

    func adopt(_ loaded: LoadedRegistry) { self.loaded.withLock { $0 = loaded } }

    // MARK: Readings

    /// Served readings of `[from, to)` in order of time, about `limit` at most: ask on from the last time + 1.
    package func readings(
        of series: Series, from: Int64, to: Int64, limit: Int, view: ServedView = .asReceived
    ) throws -> [Reading] {
        try self.readingPage(of: series, from: from, to: to, limit: limit, view: view).rows
    }

    /// The same without receipt times, which cost another column; `receivedSeconds` is then 0 or unset.
    package func values(
        of series: Series, from: Int64, to: Int64, limit: Int, view: ServedView = .asReceived
    ) throws -> [Reading] {
        try self.readingPage(of: series, from: from, to: to, limit: limit, view: view, withReceipts: false).rows
    }

    /// All versions of the readings of `[from, to)`, in order of time and version; about `limit` times at most.
    package func versions(
        of series: Series, from: Int64, to: Int64, limit: Int, view: ServedView = .asReceived
    ) throws -> [ReadingVersion] {
        try self.versionPage(of: series, from: from, to: to, limit: limit, view: view).rows
    }

    /// The served reading of the newest device time.
    package func latest(of series: Series) throws -> Reading? {
        let newest = self.head.newestMilliseconds(series: series.number)
        guard newest >= 0 else { return nil }
        return try self.readings(of: series, from: newest, to: newest + 1, limit: 1).first
    }

    // MARK: Rollups

    /// Buckets that start in `[from, to)` and hold readings, ascending; about `limit` at most: ask on from the last
    /// end.
    package func rollups(
        of series: Series, level: Level, from: Int64, to: Int64, limit: Int, view: ServedView = .asReceived
    ) throws -> [RollupRow] {
        try self.view(series, view) { view in
            let zone = view.base.zone
            let entries = try view.rollups(level: level, from: from, to: to, limit: limit)
            var previous: RollupEntry?
            if series.method == .counter, let first = entries.first {
                let before = level.bucket(containing: first.startMilliseconds - 1, zone: zone)
                previous = try view.rollups(
                    level: level, from: before.startMilliseconds, to: before.endMilliseconds, limit: 1
                ).first
            }
            return entries.map { entry in
                let bucket = level.bucket(containing: entry.startMilliseconds, zone: zone)
                var total = entry.rollup.sum
                if series.method == .counter, let previous, previous.rollup.nValid > 0, entry.rollup.nValid > 0,
                    level.bucket(containing: previous.startMilliseconds, zone: zone).endMilliseconds
                        == entry.startMilliseconds
                {
                    total += increment(from: previous.rollup.last, to: entry.rollup.first)
                }
                previous = entry
                return RollupRow(bucket: bucket, rollup: entry.rollup, total: total)
            }
        }
    }

    /// One read transaction on a series.
    ///
    /// - Parameter asOf: the corrections are those that were in force at this instant; nil for now.
    func view<Value: Sendable>(
        _ series: Series, _ view: ServedView, asOf: Int64? = nil, _ body: @Sendable (CorrectedView) throws -> Value
    ) throws -> Value {
        let loaded = self.loaded.withLock { $0 }
        let station = loaded.registry.station(of: series)
        let current = view == .corrected ? loaded.corrections[series.number] ?? .empty : .empty
        // First the head, then the transaction: what is merged in between is met twice and counted once.
        let unmerged = self.head.unmerged(series: series.number, station: station.number)
        return try self.pool.read { database in
            let rawStart = try SealRows.rawBefore(database, station: station.number)
            var corrections = current
            if view == .corrected, let asOf {
                corrections = try CorrectionRows.inForce(database, series: series.number, atMilliseconds: asOf)
            }
            return try body(
                CorrectedView(
                    base: SeriesView(
                        database: database, rows: SeriesRows(), series: series, zone: loaded.registry.zone(of: series),
                        receiptSeries: loaded.receiptSeries[station.number] ?? 0, rawStart: rawStart,
                        // What was merged, sealed and deleted since it was copied is no news.
                        unmerged: sortedByTime(unmerged.readings.filter { $0.timeMilliseconds >= rawStart }),
                        receipts: sortedByTime(unmerged.receipts)),
                    corrections: corrections, kept: asOf == nil ? self.correctedRollups : nil))
        }
    }

    /// The corrections of a series that are in force now.
    func correctionsInForce(_ series: Series) -> SeriesCorrections {
        self.loaded.withLock { $0.corrections[series.number] } ?? .empty
    }

    // MARK: Head

    /// Unmerged readings and the bytes they take.
    package var headSize: (readings: Int, bytes: Int) { self.head.size }
    /// The accounts of a station's numbered messages, the newest boot last.
    package func accounts(of station: Station) -> [SequenceAccount] { self.head.accounts(station: station.number) }
    /// Newest device time known of a series; -1 when it has no reading.
    package func newestMilliseconds(of series: Series) -> Int64 {
        self.head.newestMilliseconds(series: series.number)
    }

    func unmergedTimes(_ series: Series, of station: Station) -> [Int64] {
        self.head.unmerged(series: series.number, station: station.number).readings.map(\.timeMilliseconds)
    }

    /// When a message of any station came last, of those in the journal; 0 for none.
    var lastReceivedMilliseconds: Int64 {
        self.head.withState { $0.stations.map(\.lastReceivedMilliseconds).max() ?? 0 }
    }

    func unmergedCount(_ series: Series) -> Int { self.head.unmergedCount(series: series.number) }

    func oldestUnmerged(_ station: Station) -> Int64? {
        self.head.oldestUnmergedMilliseconds(station: station.number)
    }

    /// Ledger rows with what is not folded yet.
    package func ledger() throws -> [LedgerKey: LedgerCounts] {
        // First the transaction, then the head: a frame in between has no fates yet, so that none are without readings.
        // A fold in between has taken in what the head then lacks: ask again.
        for _ in 0..<8 {
            let (folded, through) = try self.pool.read { database in
                (try LedgerRows.load(database), try Meta.integer(database, .ledgerThrough) ?? 0)
            }
            let unfolded = self.head.withState { $0.ledgerThrough == through ? $0.ledger : nil }
            guard let unfolded else { continue }
            return folded.merging(unfolded) { stored, more in
                var sum = stored
                sum += more
                return sum
            }
        }
        // Beside the service the head stands still while the service folds.
        return try self.consistentLedger().counts
    }
}

/// Carries a value out of a transaction that happens to run on another queue, one at a time.
struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
