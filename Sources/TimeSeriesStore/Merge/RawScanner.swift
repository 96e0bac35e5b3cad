import GRDB
import Monitoring

/// Reads the merged raw readings of a series, range after range in ascending order; each chunk is decoded once.
final class RawScanner {
    private let database: Database
    private let rows: SeriesRows
    private let series: Int32
    private let tail: RawColumns
    private var current = RawColumns()
    /// The times the current chunk is responsible for.
    private var currentRange: Range<Int64> = 0..<0

    init(_ database: Database, rows: SeriesRows, series: Int32, tail: RawColumns) {
        self.database = database
        self.rows = rows
        self.series = series
        self.tail = tail
    }

    /// Hands over the readings of `[from, to)` in order of time, as ranges of columns, until `body` says stop.
    func scan(from: Int64, to: Int64, _ body: (RawColumns, Range<Int>) throws -> Bool) throws {
        let tailStart = self.tail.times.first ?? TimeBounds.endMilliseconds
        var position = max(from, TimeBounds.earliestMilliseconds)
        while position < min(to, tailStart) {
            if !self.currentRange.contains(position) {
                guard try self.load(containing: position, tailStart: tailStart) else { break }
            }
            let low = self.current.firstIndex(atOrAfter: position)
            let high = self.current.firstIndex(atOrAfter: to)
            if low < high, try !body(self.current, low..<high) { return }
            position = self.currentRange.upperBound
        }
        guard to > tailStart else { return }
        let low = self.tail.firstIndex(atOrAfter: from)
        let high = self.tail.firstIndex(atOrAfter: to)
        if low < high { _ = try body(self.tail, low..<high) }
    }

    /// Loads the chunk responsible for a time; false when the series has no closed chunk.
    private func load(containing time: Int64, tailStart: Int64) throws -> Bool {
        guard
            let (key, data) = try self.rows.chunk(self.database, series: self.series, level: .raw, containing: time)
        else { return false }
        let start = ChunkKey.startMilliseconds(key)
        let next = try self.rows.chunkStart(self.database, series: self.series, level: .raw, after: start)
        self.current = try self.rows.decodeRaw(data, series: self.series)
        // Before the first chunk there is nothing: it answers for that time, too.
        self.currentRange = min(start, time)..<(next ?? tailStart)
        return true
    }
}
