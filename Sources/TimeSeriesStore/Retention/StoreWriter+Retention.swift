import GRDB
package import Monitoring

extension StoreWriter {
    /// Seals what a plan says, so that it may be deleted (invariant I8).
    ///
    /// What arrived of it is merged first; with a lake that may change a day, and then nothing is sealed: publish, and
    /// plan again. Nothing arrives in between, because the caller's thread is the one that commits.
    ///
    /// - Returns: stations left out, with why.
    package func seal(_ plan: RetentionPlan, nowMilliseconds: Int64) throws -> [Int32: RetentionHold] {
        let moving = plan.stations.filter { plan in
            guard let index = self.registry.stationIndex(number: plan.number) else { return false }
            let station = self.registry.stations[index]
            return plan.rawBeforeMilliseconds > station.rawBeforeMilliseconds
                || plan.sealedBeforeMilliseconds > station.sealedBeforeMilliseconds
        }
        guard !moving.isEmpty else { return [:] }
        try self.mergeBefore(moving)
        var held: [Int32: RetentionHold] = [:]
        let stuck = self.unmerged(before: moving)
        // With a lake a day is sealed for everybody, or not at all.
        for station in plan.hasLake && !stuck.isEmpty ? moving.map(\.number) : stuck { held[station] = .damaged }
        let corrected = self.loaded.correctedFrom
        let loaded = self.registry
        let found: (unpublished: Int64?, importing: String?) = try self.pool.read { database in
            (
                plan.hasLake ? try LakeCover.unpublishedDays(database, loaded).first : nil,
                try ImportRuns.underWay(database, nowMilliseconds: nowMilliseconds)
            )
        }
        for item in moving {
            guard let index = self.registry.stationIndex(number: item.number) else { continue }
            let zone = self.registry.site(of: self.registry.stations[index]).zone
            if let from = corrected[item.number], from < item.rawBeforeMilliseconds {
                held[item.number] = .corrected(fromMilliseconds: from)
            }
            if let file = found.importing { held[item.number] = .importing(file: file) }
            if let day = found.unpublished, zone.localDay(at: item.sealedBeforeMilliseconds) > day {
                for other in moving { held[other.number] = .unpublished(day: day) }
            }
        }
        let sealed = moving.filter { held[$0.number] == nil }
        guard !sealed.isEmpty else { return held }
        try self.transaction(.full) { database in
            let change = try self.drawChange(database)
            for item in sealed {
                let seal = Seal(
                    beforeMilliseconds: item.sealedBeforeMilliseconds,
                    rawBeforeMilliseconds: item.rawBeforeMilliseconds)
                try SealRows.move(database, station: item.number, to: seal, change: change)
            }
        }
        self.change += 1
        try self.reloadRegistry()
        return held
    }

    /// Merges one slice of the stations that hold something unmerged of what is to be sealed; false when none does.
    package func mergeSliceBefore(_ plan: RetentionPlan) throws -> Bool {
        let due = self.unmerged(before: plan.stations).filter { self.unmergeable[$0] == nil }
        return try self.mergeSlice(of: due, sliceMillisecondsMax: StoreLimits.sliceMillisecondsMax) != nil
    }

    private func mergeBefore(_ plans: [RetentionPlan.StationPlan]) throws {
        while case let due = self.unmerged(before: plans).filter({ self.unmergeable[$0] == nil }), !due.isEmpty {
            _ = try self.mergeSlice(of: due, sliceMillisecondsMax: StoreLimits.sliceMillisecondsMax)
        }
    }

    /// Stations with unmerged readings before their boundary.
    private func unmerged(before plans: [RetentionPlan.StationPlan]) -> [Int32] {
        plans.filter { plan in
            guard plan.sealedBeforeMilliseconds > 0,
                let oldest = self.head.oldestUnmergedMilliseconds(station: plan.number)
            else { return false }
            return oldest < plan.sealedBeforeMilliseconds
        }.map(\.number)
    }

    /// Deletes a bounded piece of what is sealed and old enough; what a crash interrupts goes on from the start.
    ///
    /// - Returns: whether there is more.
    package func retentionSlice(_ work: inout RetentionWork) throws -> Bool {
        guard !work.isDone else { return false }
        let started = ContinuousClock.now
        var next = work
        do {
            try self.transaction(.ordered) { database in
                let change = try self.drawChange(database)
                repeat {
                    try next.step(database, self.rows, change: change)
                } while !next.isDone && started.duration(to: .now) < .milliseconds(work.sliceMillisecondsMax)
            }
        } catch let error as StoreError where error.code == .damaged {
            // Its readings stay; everybody else goes on.
            work.leaveOut(next, error.detail)
            return !work.isDone
        }
        self.change += 1
        work = next
        return !work.isDone
    }

    /// The deletions that follow from a plan and the seals there are.
    package func retentionWork(
        _ plan: RetentionPlan, policy: RetentionPolicy, nowMilliseconds: Int64
    ) -> RetentionWork {
        RetentionWork(
            plan, registry: self.registry, receiptSeries: self.loaded.receiptSeries, policy: policy,
            nowMilliseconds: nowMilliseconds)
    }
}

/// What retention has still to delete, and what it has deleted.
package struct RetentionWork: Sendable {
    /// Of one station and level.
    package struct Key: Sendable, Hashable {
        package let station: Int32
        package let level: RetentionLevel

        package init(station: Int32, level: RetentionLevel) {
            self.station = station
            self.level = level
        }
    }

    private struct Item {
        let series: Int32
        let key: Key
        let beforeMilliseconds: Int64
        /// Receipt times are counted with the readings they belong to.
        let isHidden: Bool
    }

    private let items: [Item]
    private var position = 0
    /// Items whose series are damaged.
    private var leftOut: Set<Int> = []
    private let tables: [(table: ExpiringTable, beforeMilliseconds: Int64)]
    private var table = 0
    private var cursor: Int64 = 0
    package private(set) var deleted: [Key: RetentionAmount] = [:]
    package private(set) var deletedRows: [ExpiringTable: Int] = [:]
    /// Series that are damaged and were left as they are.
    package private(set) var problems: [String] = []
    /// How long a transaction may hold the writer; 0 does one step each.
    package var sliceMillisecondsMax = StoreLimits.sliceMillisecondsMax

    var isDone: Bool { self.position == self.items.count && self.table == self.tables.count }

    fileprivate init(
        _ plan: RetentionPlan, registry: Registry, receiptSeries: [Int32: Int32], policy: RetentionPolicy,
        nowMilliseconds: Int64
    ) {
        let plans = Dictionary(plan.stations.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
        var items: [Item] = []
        for station in registry.stations {
            for level in RetentionLevel.allCases {
                // What is sealed goes, whoever sealed it; rollups go as far as raw has gone.
                let before =
                    level == .raw
                    ? station.rawBeforeMilliseconds
                    : min(plans[station.number]?.before(level) ?? 0, station.rawBeforeMilliseconds)
                guard before > 0 else { continue }
                let key = Key(station: station.number, level: level)
                for index in station.seriesIndices {
                    items.append(
                        Item(
                            series: registry.series[index].number, key: key, beforeMilliseconds: before,
                            isHidden: false))
                }
                // Last of the raw levels: a reading's receipt is there as long as the reading.
                if level == .raw, let receipts = receiptSeries[station.number] {
                    items.append(Item(series: receipts, key: key, beforeMilliseconds: before, isHidden: true))
                }
            }
        }
        self.items = items
        self.tables = ExpiringTable.allCases.map { ($0, nowMilliseconds - $0.kept(policy)) }
    }

    fileprivate mutating func step(_ database: Database, _ rows: SeriesRows, change: Int64) throws {
        guard self.position == self.items.count else {
            let item = self.items[self.position]
            guard !self.leftOut.contains(self.position) else {
                self.position += 1
                return
            }
            let piece = try SeriesTrim(
                database: database, rows: rows, series: item.series, level: item.key.level.chunkLevel,
                beforeMilliseconds: item.beforeMilliseconds, change: change
            ).run()
            var amount = piece.amount
            if item.isHidden { amount.count = 0 }
            if amount.count > 0 || amount.bytes > 0 { self.deleted[item.key, default: .init()] += amount }
            if !piece.hasMore { self.position += 1 }
            return
        }
        let (table, before) = self.tables[self.table]
        if let count = try table.deletePage(database, before: before, cursor: &self.cursor) {
            if count > 0 { self.deletedRows[table, default: 0] += count }
        } else {
            self.table += 1
            self.cursor = 0
        }
    }

    /// Leaves out the series that another try stopped at; what that one had done before is rolled back.
    fileprivate mutating func leaveOut(_ stopped: RetentionWork, _ problem: String) {
        self.problems.append(problem)
        self.leftOut.insert(stopped.position)
    }
}
