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
    private let head: Head
    private let loaded: Mutex<LoadedRegistry>
    /// The zone of sites that name none.
    let defaultZone: String

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
    package func readings(of series: Series, from: Int64, to: Int64, limit: Int) throws -> [Reading] {
        try self.view(series) { view in
            var page = try view.page(from: from, to: to, limit: limit)
            try view.resolveReceipts(&page.columns)
            return (0..<page.columns.count).map { page.columns[$0] }
        }
    }

    /// The same without receipt times, which cost another column; `receivedSeconds` is then 0 or unset.
    package func values(of series: Series, from: Int64, to: Int64, limit: Int) throws -> [Reading] {
        try self.view(series) { view in
            let page = try view.page(from: from, to: to, limit: limit)
            return (0..<page.columns.count).map { page.columns[$0] }
        }
    }

    /// All versions of the readings of `[from, to)`, in order of time and version; about `limit` times at most.
    package func versions(of series: Series, from: Int64, to: Int64, limit: Int) throws -> [ReadingVersion] {
        try self.view(series) { view in
            var page = try view.page(from: from, to: to, limit: limit)
            try view.resolveReceipts(&page.columns)
            guard let first = page.columns.times.first, let last = page.columns.times.last else { return [] }
            var older = try view.allSuperseded(from: first, to: last + 1)
            for version in page.superseded { older[version.timeMilliseconds, default: []].append(version) }
            var stationReceipts = page.columns
            stationReceipts.received = Array(repeating: 0, count: page.columns.count)
            try view.resolveReceipts(&stationReceipts)
            var versions: [ReadingVersion] = []
            for index in 0..<page.columns.count {
                let served = page.columns[index]
                let before = older[served.timeMilliseconds] ?? []
                for (position, version) in before.enumerated() {
                    versions.append(
                        ReadingVersion(
                            reading: Reading(
                                timeMilliseconds: served.timeMilliseconds,
                                value: Double(bitPattern: version.valueBits), status: Status(packed: version.status),
                                receivedSeconds: version.receivedSeconds > 0
                                    ? version.receivedSeconds : stationReceipts.received[index]),
                            version: position + 1))
                }
                versions.append(ReadingVersion(reading: served, version: before.count + 1))
            }
            return versions
        }
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
        of series: Series, level: Level, from: Int64, to: Int64, limit: Int
    ) throws -> [RollupRow] {
        try self.view(series) { view in
            var entries = try view.rollups(level: level, from: from, to: to, limit: limit)
            if entries.count > limit { entries.removeLast(entries.count - limit) }
            var previous: RollupEntry?
            if series.method == .counter, let first = entries.first {
                let before = level.bucket(containing: first.startMilliseconds - 1, zone: view.zone)
                previous = try view.rollups(
                    level: level, from: before.startMilliseconds, to: before.endMilliseconds, limit: 1
                ).first
            }
            return entries.map { entry in
                let bucket = level.bucket(containing: entry.startMilliseconds, zone: view.zone)
                var total = entry.rollup.sum
                if series.method == .counter, let previous, previous.rollup.nValid > 0, entry.rollup.nValid > 0,
                    level.bucket(containing: previous.startMilliseconds, zone: view.zone).endMilliseconds
                        == entry.startMilliseconds
                {
                    total += increment(from: previous.rollup.last, to: entry.rollup.first)
                }
                previous = entry
                return RollupRow(bucket: bucket, rollup: entry.rollup, total: total)
            }
        }
    }

    private func view<Value: Sendable>(
        _ series: Series, _ body: @Sendable (SeriesView) throws -> Value
    ) throws -> Value {
        let loaded = self.loaded.withLock { $0 }
        let station = loaded.registry.station(of: series)
        // First the head, then the transaction: what is merged in between is met twice and counted once.
        let unmerged = self.head.unmerged(series: series.number, station: station.number)
        return try self.pool.read { database in
            try body(
                SeriesView(
                    database: database, rows: SeriesRows(), series: series, zone: loaded.registry.zone(of: series),
                    receiptSeries: loaded.receiptSeries[station.number] ?? 0,
                    unmerged: sortedByTime(unmerged.readings), receipts: sortedByTime(unmerged.receipts)))
        }
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

extension SeriesView {
    fileprivate func allSuperseded(from: Int64, to: Int64) throws -> [Int64: [SupersededVersion]] {
        var versions: [Int64: [SupersededVersion]] = [:]
        let rows = try Row.fetchCursor(
            self.database,
            sql: """
                SELECT time, value_bits, status, received FROM revision WHERE series = ? AND time >= ? AND time < ?
                ORDER BY time, version
                """,
            arguments: [self.series.number, from, to])
        while let row = try rows.next() {
            let time: Int64 = row[0]
            versions[time, default: []].append(
                SupersededVersion(
                    timeMilliseconds: time, valueBits: UInt64(bitPattern: row[1]),
                    status: UInt64(bitPattern: row[2]), receivedSeconds: row[3]))
        }
        return versions
    }
}

/// Carries a value out of a transaction that happens to run on another queue, one at a time.
struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

/// The ledger as rows.
enum LedgerRows {
    static func load(_ database: Database) throws -> [LedgerKey: LedgerCounts] {
        var ledger: [LedgerKey: LedgerCounts] = [:]
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM ledger")
        while let row = try rows.next() {
            var counts = LedgerCounts()
            counts.received = row["received"]
            counts.decoded = row["decoded"]
            counts.deadLettered = row["dead_lettered"]
            counts.repeated = row["repeated"]
            counts.qos0 = row["qos0"]
            counts.readings = row["readings"]
            counts.quarantined = row["quarantined"]
            counts.stored = row["stored"]
            counts.duplicate = row["duplicate"]
            counts.revised = row["revised"]
            ledger[LedgerKey(station: row["station"], day: row["day"])] = counts
        }
        return ledger
    }

    static func add(_ database: Database, _ key: LedgerKey, _ counts: LedgerCounts) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (station, day) DO UPDATE SET
                received = received + excluded.received, decoded = decoded + excluded.decoded,
                dead_lettered = dead_lettered + excluded.dead_lettered, repeated = repeated + excluded.repeated,
                qos0 = qos0 + excluded.qos0, readings = readings + excluded.readings,
                quarantined = quarantined + excluded.quarantined, stored = stored + excluded.stored,
                duplicate = duplicate + excluded.duplicate, revised = revised + excluded.revised
                """
        ).execute(arguments: [
            key.station, key.day, counts.received, counts.decoded, counts.deadLettered, counts.repeated, counts.qos0,
            counts.readings, counts.quarantined, counts.stored, counts.duplicate, counts.revised,
        ])
    }
}
