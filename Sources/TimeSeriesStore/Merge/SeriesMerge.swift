import FoundationEssentials
import GRDB
import Monitoring

/// What merging one series did.
struct SeriesMergeResult {
    /// Of each arrival in order of time; readings only.
    var fates: [ColumnMerge.Fate] = []
    /// Local days whose rows changed, as instants inside them.
    var changedDays: [Bucket] = []
}

/// Merges arrivals of one series into its chunks and rollups, inside the transaction of a slice.
///
/// Raw columns first; then the hours whose readings changed, folded from raw in order of time; then the days of those
/// hours, folded from their hours (invariant I4).
struct SeriesMerge {
    let database: Database
    let rows: SeriesRows
    let series: Int32
    let method: Rollup.Method
    let zone: Zone
    let change: Int64

    /// Merges a series' arrivals, sorted by time.
    func merge(_ arrivals: [Reading], through sequence: Int64) throws -> SeriesMergeResult {
        var tail = try self.rows.tail(self.database, series: self.series)
        let newestBefore = tail.newestMilliseconds
        let (fates, changedTimes) = try self.mergeRaw(arrivals, into: &tail, rule: .newestServes)
        let appended = tail.raw
        tail.readings += Int64(fates.count { $0 == .stored })
        tail.newestMilliseconds = max(newestBefore, arrivals.last?.timeMilliseconds ?? -1)
        tail.mergedThrough = sequence
        var days: [Bucket] = []
        if let first = changedTimes.first {
            let hours =
                first > newestBefore
                ? self.hoursAppended(appended, after: newestBefore, tail: tail)
                : try self.hoursRecomputed(changedTimes, tail: tail.raw)
            try self.flushRaw(&tail)
            try self.mergeRollups(hours, level: .hour, into: &tail.hours)
            days = self.days(of: hours)
            let folded = try days.map { try self.fold(day: $0, tailHours: tail.hours) }
            try self.mergeRollups(folded, level: .day, into: &tail.days)
            try self.flush(
                &tail.hours, level: .hour, full: StoreLimits.hourChunkEntries, kept: StoreLimits.openHoursKept)
            try self.flush(&tail.days, level: .day, full: StoreLimits.dayChunkEntries, kept: StoreLimits.openDaysKept)
        }
        try self.rows.save(tail, series: self.series, change: self.change, self.database)
        return SeriesMergeResult(fates: fates, changedDays: days)
    }

    /// Merges a station's receipt times and returns the receipt that now holds at the time of each arrival, in seconds.
    func mergeReceipts(_ arrivals: [Reading], through sequence: Int64) throws -> [UInt32] {
        var tail = try self.rows.tail(self.database, series: self.series)
        _ = try self.mergeRaw(arrivals, into: &tail, rule: .firstStays)
        tail.newestMilliseconds = max(tail.newestMilliseconds, arrivals.last?.timeMilliseconds ?? -1)
        tail.mergedThrough = sequence
        let merged = tail.raw
        try self.flushRaw(&tail)
        try self.rows.save(tail, series: self.series, change: self.change, self.database)
        return try Receipts.served(
            at: arrivals.lazy.map(\.timeMilliseconds),
            RawScanner(self.database, rows: self.rows, series: self.series, tail: merged))
    }

    // MARK: Raw

    private func mergeRaw(
        _ arrivals: [Reading], into tail: inout Tail, rule: ColumnMerge.Rule
    ) throws -> (fates: [ColumnMerge.Fate], changedTimes: [Int64]) {
        var fates: [ColumnMerge.Fate] = []
        var changedTimes: [Int64] = []
        func take(_ slice: ArraySlice<Reading>, _ base: RawColumns) throws -> RawColumns {
            let result = try ColumnMerge.merge(slice, into: base, rule: rule) { time in
                try self.rows.superseded(self.database, series: self.series, time: time)
            }
            for version in result.superseded {
                try self.rows.insertSuperseded(self.database, series: self.series, version, change: self.change)
            }
            fates += result.fates
            changedTimes += result.changedTimes
            return result.columns
        }
        let tailStart = tail.raw.times.first ?? TimeBounds.endMilliseconds
        let old = try self.eachClosedRun(arrivals, level: .raw, tailStart: tailStart, time: \.timeMilliseconds) {
            key, data, slice in
            let merged = try take(slice, try self.rows.decodeRaw(data, series: self.series))
            try self.rows.deleteChunk(self.database, key: key)
            let size = merged.count > StoreLimits.chunkReadingsMax ? StoreLimits.chunkReadings : merged.count
            for start in stride(from: 0, to: merged.count, by: size) {
                try self.writeRaw(merged.slice(start..<min(start + size, merged.count)))
            }
        }
        tail.raw = try take(arrivals[old...], tail.raw)
        return (fates, changedTimes)
    }

    /// Writes full chunks out of the open end; at least one reading stays, so that an empty end means an empty series.
    private func flushRaw(_ tail: inout Tail) throws {
        var start = 0
        while tail.raw.count - start > StoreLimits.chunkReadings {
            try self.writeRaw(tail.raw.slice(start..<(start + StoreLimits.chunkReadings)))
            start += StoreLimits.chunkReadings
        }
        if start > 0 { tail.raw = tail.raw.slice(start..<tail.raw.count) }
    }

    private func writeRaw(_ columns: RawColumns) throws {
        try self.rows.insertChunk(
            self.database,
            key: ChunkKey.key(series: self.series, level: .raw, startMilliseconds: columns.times[0]),
            count: columns.count, bytes: self.rows.codec.encode(columns), change: self.change)
    }

    // MARK: Rollups

    /// The hours of readings that are all newer than everything before: the last hour goes on where it stopped.
    private func hoursAppended(_ raw: RawColumns, after newestBefore: Int64, tail: Tail) -> [RollupEntry] {
        var hours: [RollupEntry] = []
        var bucket = Bucket(startMilliseconds: 0, endMilliseconds: 0)
        for index in raw.firstIndex(atOrAfter: newestBefore + 1)..<raw.count {
            let time = raw.times[index]
            if !bucket.contains(time) {
                bucket = Level.hour.bucket(containing: time, zone: self.zone)
                let open = tail.hours.last.flatMap { $0.startMilliseconds == bucket.startMilliseconds ? $0 : nil }
                hours.append(open ?? RollupEntry(startMilliseconds: bucket.startMilliseconds, rollup: Rollup()))
            }
            hours[hours.count - 1].rollup.add(
                raw.values[index], status: Status(packed: raw.statuses[index]), atMilliseconds: time,
                method: self.method)
        }
        return hours
    }

    /// The hours that hold any of these times, folded anew.
    private func hoursRecomputed(_ times: [Int64], tail: RawColumns) throws -> [RollupEntry] {
        let scanner = RawScanner(self.database, rows: self.rows, series: self.series, tail: tail)
        return try distinctBuckets(times, level: .hour, zone: self.zone).map { bucket in
            RollupEntry(
                startMilliseconds: bucket.startMilliseconds,
                rollup: try scanner.fold(bucket, method: self.method))
        }
    }

    private func days(of hours: [RollupEntry]) -> [Bucket] {
        distinctBuckets(hours.map(\.startMilliseconds), level: .day, zone: self.zone)
    }

    private func fold(day: Bucket, tailHours: [RollupEntry]) throws -> RollupEntry {
        var entry = RollupEntry(startMilliseconds: day.startMilliseconds, rollup: Rollup())
        try self.rows.scanRollups(
            self.database, series: self.series, level: .hour, tail: tailHours, from: day.startMilliseconds,
            to: day.endMilliseconds
        ) {
            entry.rollup.add($0.rollup, method: self.method)
            return true
        }
        return entry
    }

    /// Replaces or inserts rollups, ascending in time.
    private func mergeRollups(
        _ entries: [RollupEntry], level: ChunkLevel, into tail: inout [RollupEntry]
    ) throws {
        let tailStart = tail.first?.startMilliseconds ?? TimeBounds.endMilliseconds
        let old = try self.eachClosedRun(entries, level: level, tailStart: tailStart, time: \.startMilliseconds) {
            key, data, slice in
            let merged = replacing(try self.rows.decodeRollups(data, series: self.series), with: slice)
            try self.rows.deleteChunk(self.database, key: key)
            let full = level == .hour ? StoreLimits.hourChunkEntries : StoreLimits.dayChunkEntries
            let size = merged.count > 2 * full ? full : merged.count
            for start in stride(from: 0, to: merged.count, by: size) {
                try self.writeRollups(Array(merged[start..<min(start + size, merged.count)]), level: level)
            }
        }
        tail = replacing(tail, with: entries[old...])
    }

    private func flush(_ tail: inout [RollupEntry], level: ChunkLevel, full: Int, kept: Int) throws {
        var start = 0
        while tail.count - start >= full + kept {
            try self.writeRollups(Array(tail[start..<(start + full)]), level: level)
            start += full
        }
        if start > 0 { tail.removeFirst(start) }
    }

    private func writeRollups(_ entries: [RollupEntry], level: ChunkLevel) throws {
        try self.rows.insertChunk(
            self.database,
            key: ChunkKey.key(series: self.series, level: level, startMilliseconds: entries[0].startMilliseconds),
            count: entries.count, bytes: self.rows.codec.encode(entries), change: self.change)
    }

    /// Groups what is older than the open end by the closed chunk it belongs to; returns where the rest begins.
    private func eachClosedRun<Element>(
        _ elements: [Element], level: ChunkLevel, tailStart: Int64, time: KeyPath<Element, Int64>,
        _ body: (Int64, Data, ArraySlice<Element>) throws -> Void
    ) throws -> Int {
        var index = 0
        while index < elements.count, elements[index][keyPath: time] < tailStart {
            let start = elements[index][keyPath: time]
            guard
                let (key, data) = try self.rows.chunk(
                    self.database, series: self.series, level: level, containing: start)
            else { return index }
            let next =
                try self.rows.chunkStart(
                    self.database, series: self.series, level: level, after: ChunkKey.startMilliseconds(key))
                ?? tailStart
            let end = elements[index...].firstIndex { $0[keyPath: time] >= next } ?? elements.count
            try body(key, data, elements[index..<end])
            index = end
        }
        return index
    }
}

/// The buckets that hold any of the times, which ascend.
func distinctBuckets(_ times: [Int64], level: Level, zone: Zone) -> [Bucket] {
    var buckets: [Bucket] = []
    for time in times where !(buckets.last?.contains(time) ?? false) {
        buckets.append(level.bucket(containing: time, zone: zone))
    }
    return buckets
}

/// `entries` with those of the same start replaced and the others inserted; both ascend.
func replacing(_ entries: [RollupEntry], with changes: some Collection<RollupEntry>) -> [RollupEntry] {
    guard let first = changes.first else { return entries }
    var index = entries.count
    while index > 0, entries[index - 1].startMilliseconds >= first.startMilliseconds { index -= 1 }
    var merged = Array(entries[..<index])
    merged.reserveCapacity(entries.count + changes.count)
    for change in changes {
        while index < entries.count, entries[index].startMilliseconds < change.startMilliseconds {
            merged.append(entries[index])
            index += 1
        }
        if index < entries.count, entries[index].startMilliseconds == change.startMilliseconds { index += 1 }
        merged.append(change)
    }
    merged += entries[index...]
    return merged
}

extension RawScanner {
    /// The rollup of a bucket, from its readings in order of time.
    func fold(_ bucket: Bucket, method: Rollup.Method) throws -> Rollup {
        var rollup = Rollup()
        try self.scan(from: bucket.startMilliseconds, to: bucket.endMilliseconds) { columns, range in
            rollup.add(columns, range, method: method)
            return true
        }
        return rollup
    }
}

extension Rollup {
    mutating func add(_ columns: RawColumns, _ range: Range<Int>, method: Method) {
        for index in range {
            self.add(
                columns.values[index], status: Status(packed: columns.statuses[index]),
                atMilliseconds: columns.times[index], method: method)
        }
    }
}

/// Receipt times of a station: a pseudo-series whose value is the receipt second less the second of the device time, so
/// that twelve parameters of a message share one small number.
enum Receipts {
    static func value(receivedSeconds: UInt32, timeMilliseconds: Int64) -> Double {
        Double(Int64(receivedSeconds) - Civil.floorDivide(timeMilliseconds, 1_000))
    }

    static func receivedSeconds(value: Double, timeMilliseconds: Int64) -> UInt32 {
        UInt32(clamping: Civil.floorDivide(timeMilliseconds, 1_000) + Int64(value))
    }

    /// The receipts the column holds at ascending times; 0 where it holds none.
    static func served(at times: some Sequence<Int64>, _ scanner: RawScanner) throws -> [UInt32] {
        var receipts: [UInt32] = []
        for time in times {
            var receipt: UInt32 = 0
            try scanner.scan(from: time, to: time + 1) { columns, range in
                receipt = self.receivedSeconds(value: columns.values[range.lowerBound], timeMilliseconds: time)
                return false
            }
            receipts.append(receipt)
        }
        return receipts
    }
}
