import Foundation
import GRDB
import Monitoring

/// What a slice of merging did.
package struct MergedSlice: Sendable, Hashable {
    package var stations = 0
    package var stored = 0
    package var duplicate = 0
    package var revised = 0
    /// Of `stored`, those that were counted when they were committed.
    package var fresh = 0

    package init() {}
}

/// Why a station is merged now.
package struct MergePolicy: Sendable {
    /// A station whose oldest unmerged reading is older than this is merged.
    package var ageMillisecondsMax: Int64
    package var headBytesMax: Int
    /// A slice ends with the station that goes beyond this; 0 merges one station a slice.
    package var sliceMillisecondsMax = StoreLimits.sliceMillisecondsMax

    package init(ageMillisecondsMax: Int64, headBytesMax: Int) {
        self.ageMillisecondsMax = ageMillisecondsMax
        self.headBytesMax = headBytesMax
    }

    /// Merges everything there is.
    package static let everything = MergePolicy(ageMillisecondsMax: 0, headBytesMax: 0)
}

extension StoreWriter {
    /// Whether merging has fallen behind, so that what is not urgent waits for it.
    package func mustMergeBeforeBacklog(_ policy: MergePolicy) -> Bool {
        self.head.size.bytes > policy.headBytesMax || self.journalBytes > StoreLimits.journalBytesMax
    }

    /// Whether merging has fallen so far behind that reading from the socket must wait.
    package func mustMergeBeforeReading(_ policy: MergePolicy) -> Bool {
        self.head.size.bytes > policy.headBytesMax + policy.headBytesMax / 4
            || self.journalBytes > 2 * StoreLimits.journalBytesMax
    }

    /// Merges stations that are due, in one transaction of about `policy.sliceMillisecondsMax`; nil when none is due.
    package func mergeSlice(_ policy: MergePolicy, nowMilliseconds: Int64) throws -> MergedSlice? {
        try self.mergeSlice(
            of: self.stationsDue(policy, nowMilliseconds: nowMilliseconds),
            sliceMillisecondsMax: policy.sliceMillisecondsMax)
    }

    /// Merges the first of these stations, and as many more as fit; nil when there are none.
    func mergeSlice(of due: [Int32], sliceMillisecondsMax: Int) throws -> MergedSlice? {
        guard !due.isEmpty else { return nil }
        let started = ContinuousClock.now
        let through = self.sequence
        var slice = MergedSlice()
        var merged: [Int32] = []
        var current = due[0]
        do {
            try self.transaction(.ordered) { database in
                let change = try self.drawChange(database)
                for station in due {
                    current = station
                    try self.merge(station: station, database, change: change, through: through, into: &slice)
                    merged.append(station)
                    if started.duration(to: .now) > .milliseconds(sliceMillisecondsMax) { break }
                }
            }
        } catch let error as StoreError where error.code == .damaged {
            // Its readings stay in the journal; everybody else goes on.
            self.unmergeable[current] = error.detail
            return MergedSlice()
        }
        self.change += 1
        slice.stations = merged.count
        let stations = merged
        slice.fresh = self.head.withState { state in
            var fresh = 0
            for station in stations {
                fresh += state.stations[Int(station)].freshReadings
                state.didMerge(station: station, through: through)
            }
            return fresh
        }
        return slice
    }

    /// Merges all there is, slice after slice.
    @discardableResult
    package func mergeEverything(nowMilliseconds: Int64) throws -> MergedSlice {
        var total = MergedSlice()
        while let slice = try self.mergeSlice(.everything, nowMilliseconds: nowMilliseconds) {
            total.stations += slice.stations
            total.stored += slice.stored
            total.duplicate += slice.duplicate
            total.revised += slice.revised
            total.fresh += slice.fresh
        }
        return total
    }

    /// Stations in the order of their numbers, so that neighbouring rows share pages; when the head or the journal is
    /// full, the fullest or the oldest first.
    private func stationsDue(_ policy: MergePolicy, nowMilliseconds: Int64) -> [Int32] {
        let journalIsFull = self.journalBytes > StoreLimits.journalBytesMax
        let unmergeable = self.unmergeable
        return self.head.withState { state in
            let unmerged = state.stations.indices.filter {
                state.stations[$0].oldestSequence != nil && unmergeable[Int32($0)] == nil
            }
            guard !unmerged.isEmpty else { return [] }
            if policy.headBytesMax == 0 { return unmerged.map { Int32($0) } }
            if state.bytes > policy.headBytesMax {
                return unmerged.sorted { state.stations[$0].log.readingCount > state.stations[$1].log.readingCount }
                    .map { Int32($0) }
            }
            if journalIsFull {
                return unmerged.sorted {
                    (state.stations[$0].oldestSequence ?? 0) < (state.stations[$1].oldestSequence ?? 0)
                }.map { Int32($0) }
            }
            return unmerged.filter {
                let part = state.stations[$0]
                return part.fullestSeries >= StoreLimits.unmergedReadingsMax
                    || nowMilliseconds - part.oldestReceivedMilliseconds >= policy.ageMillisecondsMax
            }.map { Int32($0) }
        }
    }

    private func merge(
        station number: Int32, _ database: Database, change: Int64, through: Int64, into slice: inout MergedSlice
    ) throws {
        guard let index = self.registry.stationIndex(number: number),
            let receiptSeries = self.loaded.receiptSeries[number]
        else { return }
        let station = self.registry.stations[index]
        let zone = self.registry.site(of: station).zone
        let (touched, receiptArrivals) = self.head.withState { $0.stations[Int(number)].log }.bySeries()
        // Its hours could not be folded again: raw that they stand for is deleted.
        let rawStart = station.rawBeforeMilliseconds
        if rawStart > 0, touched.contains(where: { $0.readings.contains { $0.timeMilliseconds < rawStart } }) {
            throw StoreError(
                .damaged,
                "station \(station.id): a reading from before its seal, "
                    + Civil.formatRFC3339(milliseconds: rawStart))
        }
        func merger(_ series: Int32, _ method: Rollup.Method) -> SeriesMerge {
            SeriesMerge(
                database: database, rows: self.rows, series: series, method: method, zone: zone, change: change)
        }
        let receipts = firstOfEachTime(sortedByTime(receiptArrivals))
        let served = try merger(receiptSeries, .plain).mergeReceipts(receipts, through: through)
        var days: Set<Int64> = []
        var ledger = ReceiptDays(zone: zone)
        for (series, readings) in touched {
            guard let seriesIndex = self.registry.seriesIndex(number: series) else { continue }
            let arrivals = sortedByTime(readings)
            let result = try merger(series, self.registry.series[seriesIndex].method)
                .merge(withoutStationReceipts(arrivals, times: receipts, receipts: served), through: through)
            for (arrival, fate) in zip(arrivals, result.fates) { ledger.add(fate, arrival.receivedSeconds) }
            for day in result.changedDays { days.insert(zone.localDay(at: day.startMilliseconds)) }
        }
        for (day, counts) in ledger.finish() {
            try LedgerRows.add(database, LedgerKey(station: number, day: day), counts)
            self.ledgerChecks.touch(number, day: day)
            slice.stored += counts.stored
            slice.duplicate += counts.duplicate
            slice.revised += counts.revised
        }
        for day in days {
            try database.cachedStatement(
                sql: "INSERT INTO day_change VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET change = excluded.change"
            ).execute(arguments: [day, change])
        }
    }
}

/// Fates by local day of receipt.
///
/// Arrivals of a merge are nearly all of one day: the day is looked up only when it is another one.
private struct ReceiptDays {
    private let zone: Zone
    private var day = Bucket(startMilliseconds: 0, endMilliseconds: 0)
    private var counts = LedgerCounts()
    private var days: [Int64: LedgerCounts] = [:]

    init(zone: Zone) { self.zone = zone }

    mutating func add(_ fate: ColumnMerge.Fate, _ receivedSeconds: UInt32) {
        let received = Int64(receivedSeconds) * 1_000
        if !self.day.contains(received) {
            self.settle()
            self.day = self.zone.dayBucket(containing: received)
        }
        switch fate {
        case .stored: self.counts.stored += 1
        case .duplicate: self.counts.duplicate += 1
        case .revised: self.counts.revised += 1
        }
    }

    private mutating func settle() {
        guard self.counts != LedgerCounts() else { return }
        self.days[self.zone.localDay(at: self.day.startMilliseconds), default: .init()] += self.counts
        self.counts = LedgerCounts()
    }

    /// Counts by day, as days since 1970-01-01.
    mutating func finish() -> [Int64: LedgerCounts] {
        self.settle()
        return self.days
    }
}

/// One receipt per device time: the first that arrived.
private func firstOfEachTime(_ receipts: [Reading]) -> [Reading] {
    var distinct: [Reading] = []
    distinct.reserveCapacity(receipts.count)
    for receipt in receipts where receipt.timeMilliseconds != distinct.last?.timeMilliseconds {
        distinct.append(receipt)
    }
    return distinct
}

/// The arrivals with their receipt second set to 0 where it is the station's at that time.
private func withoutStationReceipts(_ arrivals: [Reading], times: [Reading], receipts: [UInt32]) -> [Reading] {
    var arrivals = arrivals
    var position = 0
    for index in arrivals.indices {
        while position < times.count, times[position].timeMilliseconds < arrivals[index].timeMilliseconds {
            position += 1
        }
        if position < times.count, times[position].timeMilliseconds == arrivals[index].timeMilliseconds,
            receipts[position] == arrivals[index].receivedSeconds
        {
            arrivals[index].receivedSeconds = 0
        }
    }
    return arrivals
}
