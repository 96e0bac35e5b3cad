import FoundationEssentials
import GRDB
import Monitoring

/// Which of a series' columns a chunk holds; two bits of its key.
enum ChunkLevel: Int64 {
    case raw = 0
    case hour = 1
    case day = 2
}

/// The key of a chunk: series, level and first time in one integer, so that the table needs no index.
enum ChunkKey {
    static func first(series: Int32, level: ChunkLevel) -> Int64 { (Int64(series) << 2 | level.rawValue) << 42 }
    static func key(series: Int32, level: ChunkLevel, startMilliseconds: Int64) -> Int64 {
        self.first(series: series, level: level) | startMilliseconds
    }
    static func startMilliseconds(_ key: Int64) -> Int64 { key & (1 << 42 - 1) }
}

/// The open end of a series.
struct Tail {
    var mergedThrough: Int64 = 0
    /// Newest device time of the series; -1 when it has no reading.
    var newestMilliseconds: Int64 = -1
    /// Readings served of the whole series.
    var readings: Int64 = 0
    var raw = RawColumns()
    var hours: [RollupEntry] = []
    var days: [RollupEntry] = []
}

/// Reads and writes the rows of series on one connection.
///
/// Not `Sendable`: it owns the codec's buffers.
final class SeriesRows {
    let codec = ChunkCodec()

    func tail(_ database: Database, series: Int32) throws -> Tail {
        let statement = try database.cachedStatement(
            sql: "SELECT merged_through, newest, readings, raw, hours, days FROM tail WHERE series = ?")
        guard let row = try Row.fetchOne(statement, arguments: [series]) else { return Tail() }
        return Tail(
            mergedThrough: row[0], newestMilliseconds: row[1], readings: row[2],
            raw: try self.decodeRaw(row[3], series: series),
            hours: try self.decodeRollups(row[4], series: series),
            days: try self.decodeRollups(row[5], series: series))
    }

    func save(_ tail: Tail, series: Int32, change: Int64, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO tail (series, merged_through, newest, readings, change, raw, hours, days)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (series) DO UPDATE SET
                merged_through = excluded.merged_through, newest = excluded.newest, readings = excluded.readings,
                change = excluded.change, raw = excluded.raw, hours = excluded.hours, days = excluded.days
                """)
        try statement.execute(arguments: [
            series, tail.mergedThrough, tail.newestMilliseconds, tail.readings, change,
            tail.raw.isEmpty ? Data() : Data(self.codec.encode(tail.raw)),
            tail.hours.isEmpty ? Data() : Data(self.codec.encode(tail.hours)),
            tail.days.isEmpty ? Data() : Data(self.codec.encode(tail.days)),
        ])
    }

    func decodeRaw(_ data: Data, series: Int32) throws -> RawColumns {
        guard !data.isEmpty else { return RawColumns() }
        do { return try data.withUnsafeBytes { bytes throws(ChunkError) in try self.codec.decode(bytes) } } catch {
            throw StoreError(.damaged, "series \(series): \(error)")
        }
    }

    func decodeRollups(_ data: Data, series: Int32) throws -> [RollupEntry] {
        guard !data.isEmpty else { return [] }
        do {
            return try data.withUnsafeBytes { bytes throws(ChunkError) in try self.codec.decodeRollups(bytes) }
        } catch { throw StoreError(.damaged, "series \(series): \(error)") }
    }

    /// The closed chunk a time belongs to: the last one that starts at or before it, else the first of the level.
    func chunk(
        _ database: Database, series: Int32, level: ChunkLevel, containing time: Int64
    ) throws -> (key: Int64, data: Data)? {
        let first = ChunkKey.first(series: series, level: level)
        let before = try database.cachedStatement(
            sql: "SELECT key, data FROM chunk WHERE key BETWEEN ? AND ? ORDER BY key DESC LIMIT 1")
        if let row = try Row.fetchOne(before, arguments: [first, first | time]) { return (row[0], row[1]) }
        return try self.chunk(database, series: series, level: level, after: -1)
    }

    /// The first closed chunk that starts after a time.
    func chunk(
        _ database: Database, series: Int32, level: ChunkLevel, after time: Int64
    ) throws -> (key: Int64, data: Data)? {
        let first = ChunkKey.first(series: series, level: level)
        let statement = try database.cachedStatement(
            sql: "SELECT key, data FROM chunk WHERE key BETWEEN ? AND ? ORDER BY key LIMIT 1")
        return try Row.fetchOne(
            statement, arguments: [first | (time + 1), first | (TimeBounds.endMilliseconds - 1)]
        ).map { ($0[0], $0[1]) }
    }

    /// Where the closed chunk that starts after a time starts.
    func chunkStart(
        _ database: Database, series: Int32, level: ChunkLevel, after time: Int64
    ) throws -> Int64? {
        let first = ChunkKey.first(series: series, level: level)
        let statement = try database.cachedStatement(
            sql: "SELECT key FROM chunk WHERE key BETWEEN ? AND ? ORDER BY key LIMIT 1")
        return try Int64.fetchOne(
            statement, arguments: [first | (time + 1), first | (TimeBounds.endMilliseconds - 1)]
        ).map(ChunkKey.startMilliseconds)
    }

    func insertChunk(_ database: Database, key: Int64, count: Int, bytes: [UInt8], change: Int64) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO chunk (key, readings, change, data) VALUES (?, ?, ?, ?)")
        try statement.execute(arguments: [key, count, change, Data(bytes)])
    }

    func deleteChunk(_ database: Database, key: Int64) throws {
        try database.cachedStatement(sql: "DELETE FROM chunk WHERE key = ?").execute(arguments: [key])
    }

    /// The superseded versions of one time, oldest first.
    func superseded(_ database: Database, series: Int32, time: Int64) throws -> [SupersededVersion] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT value_bits, status, received FROM revision WHERE series = ? AND time = ? ORDER BY version
                """)
        return try Row.fetchAll(statement, arguments: [series, time]).map {
            SupersededVersion(
                timeMilliseconds: time, valueBits: UInt64(bitPattern: $0[0]), status: UInt64(bitPattern: $0[1]),
                receivedSeconds: $0[2])
        }
    }

    func insertSuperseded(
        _ database: Database, series: Int32, _ version: SupersededVersion, change: Int64
    ) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO revision (series, time, version, value_bits, status, received, change) VALUES
                (?1, ?2, 1 + (SELECT count(*) FROM revision WHERE series = ?1 AND time = ?2), ?3, ?4, ?5, ?6)
                """)
        try statement.execute(arguments: [
            series, version.timeMilliseconds, Int64(bitPattern: version.valueBits), Int64(bitPattern: version.status),
            version.receivedSeconds, change,
        ])
    }
}

extension SeriesRows {
    /// Hands over the stored rollups that start in `[from, to)`, ascending, until `body` says stop.
    func scanRollups(
        _ database: Database, series: Int32, level: ChunkLevel, tail: [RollupEntry], from: Int64, to: Int64,
        _ body: (RollupEntry) throws -> Bool
    ) throws {
        let tailStart = tail.first?.startMilliseconds ?? TimeBounds.endMilliseconds
        var position = max(from, TimeBounds.earliestMilliseconds)
        while position < min(to, tailStart) {
            guard let (key, data) = try self.chunk(database, series: series, level: level, containing: position)
            else { break }
            let next = try self.chunkStart(
                database, series: series, level: level, after: ChunkKey.startMilliseconds(key))
            for entry in try self.decodeRollups(data, series: series)
            where entry.startMilliseconds >= from && entry.startMilliseconds < to {
                if try !body(entry) { return }
            }
            position = next ?? tailStart
        }
        for entry in tail where entry.startMilliseconds >= from && entry.startMilliseconds < to {
            if try !body(entry) { return }
        }
    }
}
