import Foundation
import GRDB
package import Monitoring

extension StoreReader {
    /// What retention would do now; a read transaction per station.
    package func retentionPlan(
        _ policy: RetentionPolicy, hasLake: Bool, nowMilliseconds: Int64
    ) throws -> RetentionPlan {
        let loaded = try self.loadedNow()
        let registry = loaded.registry
        var facts = RetentionPlan.Facts()
        facts.correctedFrom = loaded.correctedFrom
        for station in registry.stations {
            do { facts.oldestRaw[station.number] = try self.oldestRaw(station, registry) } catch let error as StoreError
                where error.code == .damaged
            { facts.damaged.insert(station.number) }
        }
        let (unpublished, importing) = try self.pool.read { database in
            (
                hasLake ? try LakeCover.unpublishedDays(database, registry) : nil,
                try ImportRuns.underWay(database, nowMilliseconds: nowMilliseconds)
            )
        }
        facts.unpublishedDays = unpublished
        facts.importing = importing
        return RetentionPlan.make(registry, policy: policy, facts: facts, nowMilliseconds: nowMilliseconds)
    }

    /// The registry as it is on the disk: beside the service ours may be old.
    private func loadedNow() throws -> LoadedRegistry {
        let zone = self.defaultZone
        return try self.pool.read { try RegistryRows.load($0, defaultZone: zone) }
    }

    /// The oldest raw reading of a station, merged or not; nil when it has none.
    private func oldestRaw(_ station: Station, _ registry: Registry) throws -> Int64? {
        let series = station.seriesIndices.map { registry.series[$0] }
        let unmerged = self.oldestUnmerged(station)
        let merged = try self.pool.read { database in
            let rows = SeriesRows()
            return try series.compactMap {
                try rows.chunkStart(database, series: $0.number, level: .raw, after: -1)
                    ?? rows.tail(database, series: $0.number).raw.times.first
            }.min()
        }
        return [unmerged, merged].compactMap { $0 }.min()
    }

    /// How much of a station's level a plan deletes.
    package func retentionAmount(
        _ plan: RetentionPlan.StationPlan, _ level: RetentionLevel
    ) throws -> RetentionAmount {
        let loaded = try self.loadedNow()
        let registry = loaded.registry
        guard let index = registry.stationIndex(number: plan.number) else { return RetentionAmount() }
        let station = registry.stations[index]
        let before = plan.before(level)
        guard before > 0, plan.hold != .damaged else { return RetentionAmount() }
        let series = station.seriesIndices.map { registry.series[$0] }
        let unmerged =
            level == .raw
            ? series.flatMap { self.unmergedTimes($0, of: station) }.filter { $0 < before } : []
        let receipts = level == .raw ? loaded.receiptSeries[station.number] : nil
        return try self.pool.read { database in
            var amount = RetentionAmount()
            amount.count = Int64(unmerged.count)
            amount.oldestMilliseconds = unmerged.min()
            for item in series {
                amount += try SeriesTrim(
                    database: database, rows: SeriesRows(), series: item.number, level: level.chunkLevel,
                    beforeMilliseconds: before, change: 0
                ).measure()
            }
            // Receipt times go with the readings they belong to.
            if let receipts {
                amount.bytes +=
                    try SeriesTrim(
                        database: database, rows: SeriesRows(), series: receipts, level: .raw,
                        beforeMilliseconds: before, change: 0
                    ).measure().bytes
            }
            return amount
        }
    }

    /// Rows that are older than the policy keeps them, by table.
    package func expiredRows(_ policy: RetentionPolicy, nowMilliseconds: Int64) throws -> [ExpiringTable: Int] {
        try self.pool.read { database in
            var counts: [ExpiringTable: Int] = [:]
            for table in ExpiringTable.allCases {
                counts[table] = try table.count(database, before: nowMilliseconds - table.kept(policy))
            }
            return counts
        }
    }
}

extension RetentionLevel {
    var chunkLevel: ChunkLevel {
        switch self {
        case .raw: .raw
        case .hours: .hour
        case .days: .day
        }
    }
}

extension LoadedRegistry {
    /// Where the first correction in force that changes readings begins, by station number.
    var correctedFrom: [Int32: Int64] {
        var first: [Int32: Int64] = [:]
        for (series, corrections) in self.corrections {
            guard let index = self.registry.seriesIndex(number: series),
                let from = corrections.effective.map(\.fromMilliseconds).min()
            else { continue }
            let station = self.registry.station(of: self.registry.series[index]).number
            first[station] = min(first[station] ?? from, from)
        }
        return first
    }
}

/// What of the local days is in the lake as it is now.
enum LakeCover {
    /// Days with merged readings that are not, ascending; of days that lost raw readings nothing more is stated.
    static func unpublishedDays(_ database: Database, _ registry: Registry) throws -> [Int64] {
        try Int64.fetchAll(
            database,
            sql: """
                SELECT day FROM day_change WHERE day >= ?
                AND change > coalesce((SELECT max(change_to) FROM lake_part WHERE lake_part.day = day_change.day), -1)
                AND change > coalesce((SELECT change FROM lake_examined WHERE lake_examined.day = day_change.day), -1)
                ORDER BY day
                """,
            arguments: [registry.firstWholeDay])
    }
}

extension Registry {
    /// The first local day of which no station's raw readings were deleted.
    package var firstWholeDay: Int64 {
        self.stations.filter { $0.rawBeforeMilliseconds > 0 }
            .map { self.site(of: $0).zone.localDay(at: $0.rawBeforeMilliseconds) }.max() ?? 0
    }
}

/// Imports of history that were begun.
enum ImportRuns {
    /// The file of one that is not finished and was at work within the last day.
    static func underWay(_ database: Database, nowMilliseconds: Int64) throws -> String? {
        try String.fetchOne(
            database, sql: "SELECT file FROM import_run WHERE finished IS NULL AND updated > ? LIMIT 1",
            arguments: [nowMilliseconds - Civil.millisecondsPerDay])
    }
}
