import GRDB
import Monitoring

/// One series as it is served at one moment: what is merged, overlaid with what is not.
///
/// The unmerged part was copied before the transaction began. What was merged in between is met twice, and counted
/// once, because merging is by identity; the other order would miss it.
struct SeriesView {
    let database: Database
    let rows: SeriesRows
    let series: Series
    let zone: Zone
    let receiptSeries: Int32
    /// Raw readings before this are deleted, or being deleted; rollups that stand for them are as stored.
    let rawStart: Int64
    /// Sorted by time.
    let unmerged: [Reading]
    let receipts: [Reading]

    /// Served readings of `[from, to)` with the versions they replaced; at most about `limit`.
    struct Page {
        var columns: RawColumns
        var superseded: [SupersededVersion]
        /// Where the next page begins; nil at the end.
        var next: Int64?
    }

    func page(from: Int64, to: Int64, limit: Int) throws -> Page {
        let from = max(from, 0)
        let to = min(to, TimeBounds.endMilliseconds)
        let tail = try self.rows.tail(self.database, series: self.series.number).raw
        let scanner = RawScanner(self.database, rows: self.rows, series: self.series.number, tail: tail)
        return try self.page(scanner, from: from, to: to, limit: limit)
    }

    private func page(_ scanner: RawScanner, from: Int64, to: Int64, limit: Int) throws -> Page {
        let from = max(from, self.rawStart)
        var base = RawColumns()
        var end = to
        try scanner.scan(from: from, to: to) { columns, range in
            let room = min(range.count, limit - base.count)
            base.append(columns, range.lowerBound..<(range.lowerBound + room))
            guard base.count < limit else {
                end = (base.times.last ?? from) + 1
                return false
            }
            return true
        }
        let low = self.unmerged.firstIndex { $0.timeMilliseconds >= from } ?? self.unmerged.count
        var high = self.unmerged[low...].firstIndex { $0.timeMilliseconds >= end } ?? self.unmerged.count
        if high - low > limit {
            // Cut between two times, never inside one.
            let last = self.unmerged[low + limit - 1].timeMilliseconds
            high = self.unmerged[low...].firstIndex { $0.timeMilliseconds > last } ?? self.unmerged.count
            end = last + 1
            base = base.slice(0..<base.firstIndex(atOrAfter: end))
        }
        guard low < high else {
            return Page(columns: base, superseded: [], next: end < to ? end : nil)
        }
        let merged = try ColumnMerge.merge(self.unmerged[low..<high], into: base, rule: .newestServes) { time in
            try self.rows.superseded(self.database, series: self.series.number, time: time)
        }
        return Page(columns: merged.columns, superseded: merged.superseded, next: end < to ? end : nil)
    }

    /// The receipt second of each served reading: its own, or the station's at that time.
    func resolveReceipts(_ columns: inout RawColumns) throws {
        guard let first = columns.times.first, let last = columns.times.last,
            columns.received.contains(0)
        else { return }
        let tail = try self.rows.tail(self.database, series: self.receiptSeries).raw
        let scanner = RawScanner(self.database, rows: self.rows, series: self.receiptSeries, tail: tail)
        var base = RawColumns()
        try scanner.scan(from: first, to: last + 1) { piece, range in
            base.append(piece, range)
            return true
        }
        let low = self.receipts.firstIndex { $0.timeMilliseconds >= first } ?? self.receipts.count
        let high = self.receipts[low...].firstIndex { $0.timeMilliseconds > last } ?? self.receipts.count
        let all = try ColumnMerge.merge(self.receipts[low..<high], into: base, rule: .firstStays) { _ in [] }.columns
        var position = 0
        for index in columns.times.indices where columns.received[index] == 0 {
            position = all.firstIndex(atOrAfter: columns.times[index], from: position)
            guard position < all.count, all.times[position] == columns.times[index] else { continue }
            columns.received[index] = Receipts.receivedSeconds(
                value: all.values[position], timeMilliseconds: columns.times[index])
        }
    }

    // MARK: Rollups

    /// Rollups of hours or days that start in `[from, to)`: stored ones, with those the unmerged readings touch folded
    /// anew.
    func rollups(level: Level, from: Int64, to: Int64, limit: Int) throws -> [RollupEntry] {
        let from = max(from, 0)
        let to = min(to, TimeBounds.endMilliseconds)
        let tail = try self.rows.tail(self.database, series: self.series.number)
        let scanner = RawScanner(self.database, rows: self.rows, series: self.series.number, tail: tail.raw)
        switch level {
        case .raw: return []
        case .minute: return try self.minutes(scanner, from: from, to: to, limit: limit)
        case .hour: return try self.hours(scanner, tail: tail, from: from, to: to, limit: limit)
        case .day:
            var stored = try self.stored(.day, tail: tail.days, from: from, to: to, limit: limit)
            let end = stored.truncated ? (stored.entries.last?.startMilliseconds ?? from) + 1 : to
            let touched = distinctBuckets(self.unmerged.map(\.timeMilliseconds), level: .day, zone: self.zone)
            let folded = try touched.filter { $0.startMilliseconds >= from && $0.startMilliseconds < end }.map { day in
                var entry = RollupEntry(startMilliseconds: day.startMilliseconds, rollup: Rollup())
                for hour in try self.hours(
                    scanner, tail: tail, from: day.startMilliseconds, to: day.endMilliseconds, limit: .max)
                { entry.rollup.add(hour.rollup, method: self.series.method) }
                return entry
            }
            stored.entries = replacing(stored.entries, with: folded)
            return stored.entries
        }
    }

    private func hours(
        _ scanner: RawScanner, tail: Tail, from: Int64, to: Int64, limit: Int
    ) throws -> [RollupEntry] {
        let stored = try self.stored(.hour, tail: tail.hours, from: from, to: to, limit: limit)
        let end = stored.truncated ? (stored.entries.last?.startMilliseconds ?? from) + 1 : to
        let touched = distinctBuckets(self.unmerged.map(\.timeMilliseconds), level: .hour, zone: self.zone)
        let folded = try touched.filter { $0.startMilliseconds >= from && $0.startMilliseconds < end }.map { bucket in
            let page = try self.page(
                scanner, from: bucket.startMilliseconds, to: bucket.endMilliseconds, limit: .max)
            var entry = RollupEntry(startMilliseconds: bucket.startMilliseconds, rollup: Rollup())
            entry.rollup.add(page.columns, 0..<page.columns.count, method: self.series.method)
            return entry
        }
        return replacing(stored.entries, with: folded)
    }

    private func stored(
        _ level: ChunkLevel, tail: [RollupEntry], from: Int64, to: Int64, limit: Int
    ) throws -> (entries: [RollupEntry], truncated: Bool) {
        var entries: [RollupEntry] = []
        var truncated = false
        try self.rows.scanRollups(
            self.database, series: self.series.number, level: level, tail: tail, from: from, to: to
        ) { entry in
            if entries.count < limit { entries.append(entry) } else { truncated = true }
            return !truncated
        }
        return (entries, truncated)
    }

    private func minutes(_ scanner: RawScanner, from: Int64, to: Int64, limit: Int) throws -> [RollupEntry] {
        guard from < to else { return [] }
        var entries: [RollupEntry] = []
        var bucket = Bucket(startMilliseconds: 0, endMilliseconds: 0)
        // Minutes are matched on their start: the one `from` cuts in two is left out, the one `to` cuts is whole.
        let first = Level.minute.bucket(containing: from, zone: self.zone)
        var position: Int64? = first.startMilliseconds < from ? first.endMilliseconds : from
        let last = Level.minute.bucket(containing: to - 1, zone: self.zone).endMilliseconds
        while let start = position, start < last {
            let page = try self.page(scanner, from: start, to: last, limit: StoreLimits.pageRowsMax)
            for index in 0..<page.columns.count {
                let time = page.columns.times[index]
                if !bucket.contains(time) {
                    if entries.count >= limit { return entries }
                    bucket = Level.minute.bucket(containing: time, zone: self.zone)
                    entries.append(RollupEntry(startMilliseconds: bucket.startMilliseconds, rollup: Rollup()))
                }
                entries[entries.count - 1].rollup.add(
                    page.columns, index..<(index + 1), method: self.series.method)
            }
            position = page.next
        }
        return entries
    }
}
