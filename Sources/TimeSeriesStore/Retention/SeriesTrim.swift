import Foundation
import GRDB
import Monitoring

/// Deletes what one series holds before an instant, a bounded piece at a time: full chunks whole, the one across the
/// boundary and the open end cut.
///
/// Oldest first, so that an empty open end still means an empty level. Doing it again deletes nothing.
struct SeriesTrim {
    let database: Database
    let rows: SeriesRows
    let series: Int32
    let level: ChunkLevel
    let beforeMilliseconds: Int64
    let change: Int64

    /// What a piece deleted, and whether there may be more.
    struct Piece {
        var amount = RetentionAmount()
        var hasMore = false
    }

    func run() throws -> Piece {
        var piece = try self.deleteChunks()
        if !piece.hasMore { piece.amount += try self.cutTail() }
        if !piece.hasMore, self.level == .raw { piece.hasMore = try self.deleteRevisions() }
        return piece
    }

    /// What ``run()`` would delete in the end; changes nothing.
    func measure() throws -> RetentionAmount {
        var amount = RetentionAmount()
        let first = ChunkKey.first(series: self.series, level: self.level)
        let chunks = try Row.fetchAll(
            self.database.cachedStatement(
                sql: "SELECT key, readings, length(data) FROM chunk WHERE key >= ? AND key < ? ORDER BY key"),
            arguments: [first, first | self.beforeMilliseconds])
        for chunk in chunks.dropLast() {
            amount.count += chunk[1]
            amount.bytes += chunk[2]
        }
        if let last = chunks.last {
            let (removed, kept) = try self.cut(try self.data(ofChunk: last[0]))
            amount.count += Int64(removed)
            amount.bytes += (last[2] as Int64) - Int64(kept?.bytes.count ?? 0)
        }
        let tail = try self.rows.tail(self.database, series: self.series)
        amount.count += Int64(self.countBefore(in: tail))
        amount.oldestMilliseconds =
            chunks.first.map { ChunkKey.startMilliseconds($0[0]) }
            ?? (amount.count > 0 ? self.firstTime(in: tail) : nil)
        return amount
    }

    private func data(ofChunk key: Int64) throws -> Data {
        try Data.fetchOne(
            self.database.cachedStatement(sql: "SELECT data FROM chunk WHERE key = ?"), arguments: [key]) ?? Data()
    }

    // MARK: Chunks

    private func deleteChunks() throws -> Piece {
        var piece = Piece()
        let first = ChunkKey.first(series: self.series, level: self.level)
        let chunks = try Row.fetchAll(
            self.database.cachedStatement(
                sql: "SELECT key, readings, length(data) FROM chunk WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"),
            arguments: [first, first | self.beforeMilliseconds, StoreLimits.retentionChunksMax + 1])
        piece.hasMore = chunks.count > StoreLimits.retentionChunksMax
        // All but the last are followed by one that begins before the boundary, too.
        for chunk in chunks.dropLast() {
            try self.rows.deleteChunk(self.database, key: chunk[0])
            piece.amount.count += chunk[1]
            piece.amount.bytes += chunk[2]
        }
        if !piece.hasMore, let last = chunks.last {
            let (removed, kept) = try self.cut(try self.data(ofChunk: last[0]))
            if removed > 0 {
                try self.rows.deleteChunk(self.database, key: last[0])
                if let kept {
                    try self.rows.insertChunk(
                        self.database,
                        key: ChunkKey.key(
                            series: self.series, level: self.level, startMilliseconds: kept.startMilliseconds),
                        count: kept.count, bytes: kept.bytes, change: self.change)
                }
                piece.amount.count += Int64(removed)
                piece.amount.bytes += (last[2] as Int64) - Int64(kept?.bytes.count ?? 0)
            }
        }
        guard piece.amount.count > 0 else { return piece }
        piece.amount.oldestMilliseconds = chunks.first.map { ChunkKey.startMilliseconds($0[0]) }
        if self.level == .raw {
            try self.database.cachedStatement(
                sql: "UPDATE tail SET readings = readings - ?, change = ? WHERE series = ?"
            ).execute(arguments: [piece.amount.count, self.change, self.series])
        }
        return piece
    }

    /// A chunk's entries before the boundary, counted, and the rest encoded anew; nil when nothing is left.
    private func cut(
        _ data: Data
    ) throws -> (removed: Int, kept: (startMilliseconds: Int64, count: Int, bytes: [UInt8])?) {
        if self.level == .raw {
            let columns = try self.rows.decodeRaw(data, series: self.series)
            let removed = columns.firstIndex(atOrAfter: self.beforeMilliseconds)
            guard removed < columns.count else { return (removed, nil) }
            let kept = columns.slice(removed..<columns.count)
            return (removed, (kept.times[0], kept.count, self.rows.codec.encode(kept)))
        }
        let entries = try self.rows.decodeRollups(data, series: self.series)
        let kept = Array(entries.drop { $0.startMilliseconds < self.beforeMilliseconds })
        guard let first = kept.first else { return (entries.count, nil) }
        return (
            entries.count - kept.count, (first.startMilliseconds, kept.count, self.rows.codec.encode(kept))
        )
    }

    // MARK: The open end

    private func countBefore(in tail: Tail) -> Int {
        switch self.level {
        case .raw: tail.raw.firstIndex(atOrAfter: self.beforeMilliseconds)
        case .hour: tail.hours.prefix { $0.startMilliseconds < self.beforeMilliseconds }.count
        case .day: tail.days.prefix { $0.startMilliseconds < self.beforeMilliseconds }.count
        }
    }

    private func firstTime(in tail: Tail) -> Int64? {
        switch self.level {
        case .raw: tail.raw.times.first
        case .hour: tail.hours.first?.startMilliseconds
        case .day: tail.days.first?.startMilliseconds
        }
    }

    private func cutTail() throws -> RetentionAmount {
        var amount = RetentionAmount()
        var tail = try self.rows.tail(self.database, series: self.series)
        let count = self.countBefore(in: tail)
        guard count > 0 else { return amount }
        amount.oldestMilliseconds = self.firstTime(in: tail)
        switch self.level {
        case .raw:
            tail.raw = tail.raw.slice(count..<tail.raw.count)
            tail.readings -= Int64(count)
        case .hour: tail.hours.removeFirst(count)
        case .day: tail.days.removeFirst(count)
        }
        try self.rows.save(tail, series: self.series, change: self.change, self.database)
        amount.count = Int64(count)
        return amount
    }

    // MARK: Revisions

    private func deleteRevisions() throws -> Bool {
        try self.database.cachedStatement(
            sql: """
                DELETE FROM revision WHERE series = ?1 AND (time, version) IN
                (SELECT time, version FROM revision WHERE series = ?1 AND time < ?2 ORDER BY time, version LIMIT ?3)
                """
        ).execute(arguments: [self.series, self.beforeMilliseconds, StoreLimits.retentionRowsMax])
        return self.database.changesCount == StoreLimits.retentionRowsMax
    }
}
