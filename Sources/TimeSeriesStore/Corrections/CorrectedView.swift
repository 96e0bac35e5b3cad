import GRDB
import Monitoring

/// What a reader is asked to show.
package enum ServedView: String, Sendable, Hashable, CaseIterable {
    /// With the corrections in force laid over the readings.
    case corrected
    /// As the devices sent it.
    case asReceived = "as-received"
}

/// Rows of one read transaction, and where to ask on.
package struct ServedPage<Row: Sendable>: Sendable {
    /// May be empty although there is a next page, when asked as of an instant.
    package var rows: [Row]
    /// Nil at the end.
    package var next: Int64?
}

/// A series as it is served, with its corrections laid over it; without any, the series alone.
struct CorrectedView {
    let base: SeriesView
    let corrections: SeriesCorrections
    /// Nil: nothing is kept, because the corrections are those of another time.
    let kept: CorrectedRollups?

    private var method: Rollup.Method { self.base.series.method }

    /// Served readings of `[from, to)`; what they replaced is left as it came.
    func page(from: Int64, to: Int64, limit: Int) throws -> SeriesView.Page {
        var page = try self.base.page(from: from, to: to, limit: limit)
        self.corrections.apply(to: &page.columns, method: self.method)
        return page
    }

    // MARK: Rollups

    /// Rollups that start in `[from, to)`, at most `limit`.
    ///
    /// Buckets that corrections touch are folded anew from corrected readings, in the arithmetic of the merge: hours
    /// from readings in order of time, days from hours in order. A page ends early when it would fold too many.
    func rollups(level: Level, from: Int64, to: Int64, limit: Int) throws -> [RollupEntry] {
        if level == .minute, !self.corrections.isEmpty {
            return try self.minutes(from: from, to: to, limit: limit)
        }
        var entries = try self.base.rollups(level: level, from: from, to: to, limit: limit)
        if entries.count > limit { entries.removeLast(entries.count - limit) }
        guard !self.corrections.isEmpty, level != .raw else { return entries }
        return try self.corrected(
            entries, level: level, readingsMax: self.kept?.readingsMax ?? StoreLimits.correctedReadingsMax)
    }

    private func corrected(_ entries: [RollupEntry], level: Level, readingsMax: Int) throws -> [RollupEntry] {
        var entries = entries
        let buckets = entries.map { level.bucket(containing: $0.startMilliseconds, zone: self.base.zone) }
        let touched = buckets.indices.filter {
            self.corrections.touch(from: buckets[$0].startMilliseconds, to: buckets[$0].endMilliseconds)
        }
        guard !touched.isEmpty else { return entries }
        let stamp = try self.stamp()
        let known =
            self.kept?.kept(
                series: self.base.series.number, level: level, stamp: stamp,
                starts: touched.map { entries[$0].startMilliseconds }) ?? [:]
        var missing: [Int] = []
        var readings = 0
        for index in touched {
            if !self.isUnmerged(buckets[index]), let rollup = known[entries[index].startMilliseconds] {
                entries[index].rollup = rollup
                continue
            }
            if readings >= readingsMax {
                entries.removeLast(entries.count - index)
                break
            }
            readings += entries[index].rollup.n
            missing.append(index)
        }
        var toKeep: [RollupEntry] = []
        for run in Self.runs(missing) {
            let folded = try self.fold(
                level, from: buckets[run.lowerBound].startMilliseconds, to: buckets[run.upperBound].endMilliseconds)
            let byStart = Dictionary(
                folded.map { ($0.startMilliseconds, $0.rollup) }, uniquingKeysWith: { first, _ in first })
            for index in run {
                // Corrections neither add nor remove readings. Fewer than the bucket once had means that raw is gone
                // (deleted, or damaged): then only what was received is known.
                guard let rollup = byStart[entries[index].startMilliseconds], rollup.n == entries[index].rollup.n
                else { continue }
                entries[index].rollup = rollup
                if !self.isUnmerged(buckets[index]) { toKeep.append(entries[index]) }
            }
        }
        self.kept?.keep(toKeep, series: self.base.series.number, level: level, stamp: stamp)
        return entries
    }

    /// Buckets of `[from, to)`, both bounds of buckets, anew.
    private func fold(_ level: Level, from: Int64, to: Int64) throws -> [RollupEntry] {
        guard level == .day else { return try self.foldReadings(level, from: from, to: to, limit: .max) }
        let hours = try self.corrected(
            try self.base.rollups(level: .hour, from: from, to: to, limit: .max), level: .hour, readingsMax: .max)
        var days: [RollupEntry] = []
        var bucket = Bucket(startMilliseconds: 0, endMilliseconds: 0)
        for hour in hours {
            if !bucket.contains(hour.startMilliseconds) {
                bucket = Level.day.bucket(containing: hour.startMilliseconds, zone: self.base.zone)
                days.append(RollupEntry(startMilliseconds: bucket.startMilliseconds, rollup: Rollup()))
            }
            days[days.count - 1].rollup.add(hour.rollup, method: self.method)
        }
        return days
    }

    private func foldReadings(_ level: Level, from: Int64, to: Int64, limit: Int) throws -> [RollupEntry] {
        var entries: [RollupEntry] = []
        var bucket = Bucket(startMilliseconds: 0, endMilliseconds: 0)
        var position: Int64? = from
        while let start = position, start < to {
            let page = try self.page(from: start, to: to, limit: StoreLimits.pageRowsMax)
            for index in 0..<page.columns.count {
                let time = page.columns.times[index]
                if !bucket.contains(time) {
                    if entries.count >= limit { return entries }
                    bucket = level.bucket(containing: time, zone: self.base.zone)
                    entries.append(RollupEntry(startMilliseconds: bucket.startMilliseconds, rollup: Rollup()))
                }
                entries[entries.count - 1].rollup.add(page.columns, index..<(index + 1), method: self.method)
            }
            position = page.next
        }
        return entries
    }

    /// Minutes are folded from readings in any case: nothing is gained by keeping them.
    private func minutes(from: Int64, to: Int64, limit: Int) throws -> [RollupEntry] {
        let from = max(from, 0)
        let to = min(to, TimeBounds.endMilliseconds)
        guard from < to else { return [] }
        // Matched on their start: the one `from` cuts in two is left out, the one `to` cuts is whole.
        let first = Level.minute.bucket(containing: from, zone: self.base.zone)
        let last = Level.minute.bucket(containing: to - 1, zone: self.base.zone)
        return try self.foldReadings(
            .minute, from: first.startMilliseconds < from ? first.endMilliseconds : from, to: last.endMilliseconds,
            limit: limit)
    }

    private func stamp() throws -> CorrectedRollups.Stamp {
        let statement = try self.base.database.cachedStatement(sql: "SELECT change FROM tail WHERE series = ?")
        let data = try Int64.fetchOne(statement, arguments: [self.base.series.number]) ?? 0
        return CorrectedRollups.Stamp(data: data, corrections: self.corrections.change)
    }

    private func isUnmerged(_ bucket: Bucket) -> Bool {
        let unmerged = self.base.unmerged
        var low = 0
        var high = unmerged.count
        while low < high {
            let middle = (low + high) / 2
            if unmerged[middle].timeMilliseconds < bucket.startMilliseconds { low = middle + 1 } else { high = middle }
        }
        return low < unmerged.count && unmerged[low].timeMilliseconds < bucket.endMilliseconds
    }

    /// Ascending positions as runs without a gap, each of a bounded length.
    private static func runs(_ positions: [Int]) -> [ClosedRange<Int>] {
        var runs: [ClosedRange<Int>] = []
        for position in positions {
            if let last = runs.last, last.upperBound + 1 == position, last.count < StoreLimits.correctedRunBuckets {
                runs[runs.count - 1] = last.lowerBound...position
            } else {
                runs.append(position...position)
            }
        }
        return runs
    }
}

extension SeriesCorrections {
    /// Lays every correction over the readings of its time, in order.
    func apply(to columns: inout RawColumns, method: Rollup.Method) {
        for correction in self.effective {
            let low = columns.firstIndex(atOrAfter: correction.fromMilliseconds)
            let high = columns.firstIndex(atOrAfter: correction.toMilliseconds)
            for index in low..<high {
                var status = Status(packed: columns.statuses[index])
                correction.apply(
                    to: &columns.values[index], &status, atMilliseconds: columns.times[index], method: method)
                columns.statuses[index] = status.packed
            }
        }
    }
}
