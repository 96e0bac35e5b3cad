import FoundationEssentials
import Monitoring
import TimeSeriesStore

extension Settings {
    /// How long everything is kept.
    var retentionPolicy: RetentionPolicy {
        // Every text was checked when it was read.
        func rule(_ text: String) -> KeepRule { KeepRule(text) ?? .forever }
        var raw = rule(self.retention.raw)
        // Who lets older readings in wants to keep them, unless they say for how long.
        let oldest = Int64(self.ingest.oldestDays) * Civil.millisecondsPerDay
        if raw == rule(Retention().raw), oldest > raw.usualMilliseconds {
            raw = KeepRule(milliseconds: oldest + Civil.millisecondsPerDay)
        }
        return RetentionPolicy(
            raw: raw, hours: rule(self.retention.hours), days: rule(self.retention.days),
            eventsMilliseconds: rule(self.retention.events).usualMilliseconds,
            incidentsMilliseconds: rule(self.retention.incidents).usualMilliseconds,
            setAsideMilliseconds: rule(self.retention.setAside).usualMilliseconds)
    }
}

/// Deletes what is older than the settings keep it, in many short pieces of work on the writer.
///
/// In order: plan → merge what arrived of it → seal, in a transaction of its own → delete. Whatever interrupts it, the
/// next run goes on: what is sealed and still there is deleted first of all.
struct RetentionRun {
    let settings: Settings
    let clock: @Sendable () -> Int64
    /// Asked between two pieces; what is left then waits for the next run.
    var isStopping: () -> Bool = { false }
    /// Called between two pieces.
    var pause: () -> Void = {}

    /// What would go now; changes nothing.
    func dryRun(_ reader: StoreReader, progress: (Int, Int) -> Void = { _, _ in }) throws -> RetentionReport {
        let now = self.clock()
        let policy = self.settings.retentionPolicy
        let plan = try self.plan(reader, now)
        var amounts: [RetentionWork.Key: RetentionAmount] = [:]
        for (index, station) in plan.stations.enumerated() {
            for level in RetentionLevel.allCases {
                let amount = try reader.retentionAmount(station, level)
                if amount.count > 0 { amounts[.init(station: station.number, level: level)] = amount }
            }
            progress(index + 1, plan.stations.count)
        }
        return RetentionReport(
            plan, amounts: amounts, held: [:], rows: try reader.expiredRows(policy, nowMilliseconds: now), problems: [],
            registry: reader.registry, isDryRun: true)
    }

    func perform(on store: some StoreAccess) throws -> RetentionReport {
        let now = self.clock()
        let policy = self.settings.retentionPolicy
        let plan = try self.plan(store.reader, now)
        while !self.isStopping(), try store.onWriter({ try $0.mergeSliceBefore(plan) }) { self.pause() }
        let held = try store.onWriter { try $0.seal(plan, nowMilliseconds: now) }
        var work = try store.onWriter { $0.retentionWork(plan, policy: policy, nowMilliseconds: now) }
        while !self.isStopping() {
            let before = work
            let (after, hasMore) = try store.onWriter { writer in
                var after = before
                let hasMore = try writer.retentionSlice(&after)
                return (after, hasMore)
            }
            work = after
            guard hasMore else { break }
            self.pause()
        }
        try self.giveBackSpace(on: store)
        return RetentionReport(
            plan, amounts: work.deleted, held: held, rows: work.deletedRows, problems: work.problems,
            registry: store.reader.registry, isDryRun: false)
    }

    /// Makes the file shorter when much of it is free.
    func giveBackSpace(on store: some StoreAccess) throws {
        var surplus = try store.reader.filePages().surplus
        while surplus > 0, !self.isStopping() {
            let wanted = surplus
            surplus = try store.onWriter { try $0.giveBackPages(wanted) }
            self.pause()
        }
    }

    private func plan(_ reader: StoreReader, _ now: Int64) throws -> RetentionPlan {
        try reader.retentionPlan(
            self.settings.retentionPolicy, hasLake: self.settings.lake.destination != nil, nowMilliseconds: now)
    }
}

/// What retention would delete, or has deleted.
struct RetentionReport: Encodable {
    /// One station and level.
    struct Entry: Encodable {
        let station: String
        let level: String
        /// Everything before this, on the site's clock.
        let before: String
        let days: Int64
        let readings: Int64
        let bytes: Int64
    }

    /// Readings old enough to go that stay.
    struct Hold: Encodable {
        let station: String
        /// What the settings would keep them until.
        let wanted: String
        let reason: String
    }

    let dryRun: Bool
    let deleted: [Entry]
    let heldBack: [Hold]
    /// Rows of events, incidents, messages, dead letters and quarantine.
    let rows: [String: Int]
    let problems: [String]

    init(
        _ plan: RetentionPlan, amounts: [RetentionWork.Key: RetentionAmount], held: [Int32: RetentionHold],
        rows: [ExpiringTable: Int], problems: [String], registry: Registry, isDryRun: Bool
    ) {
        var deleted: [Entry] = []
        var heldBack: [Hold] = []
        for item in plan.stations {
            guard let index = registry.stationIndex(number: item.number) else { continue }
            let station = registry.stations[index]
            let zone = registry.site(of: station).zone
            let time = TimeText(zone: zone)
            for level in RetentionLevel.allCases {
                guard let amount = amounts[.init(station: item.number, level: level)] else { continue }
                let before = item.before(level)
                deleted.append(
                    Entry(
                        station: station.id.text, level: level.rawValue, before: time.text(before),
                        days: amount.oldestMilliseconds.map { zone.localDay(at: before) - zone.localDay(at: $0) } ?? 0,
                        readings: amount.count, bytes: amount.bytes))
            }
            if let wanted = item.wantedMilliseconds, let hold = held[item.number] ?? item.hold {
                heldBack.append(Hold(station: station.id.text, wanted: time.text(wanted), reason: hold.text))
            }
        }
        self.dryRun = isDryRun
        self.deleted = deleted
        self.heldBack = heldBack
        self.rows = Dictionary(
            rows.filter { $0.value > 0 }.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { $1 })
        self.problems = problems
    }

    /// Raw readings.
    var rawReadings: Int64 {
        self.deleted.reduce(0) { $0 + ($1.level == RetentionLevel.raw.rawValue ? $1.readings : 0) }
    }

    /// For standard output, without the last line break.
    func output(json: Bool) throws -> String {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
        var text = ""
        if !self.deleted.isEmpty {
            text += Output.tableText(
                ["STATION", "LEVEL", "BEFORE", "DAYS", "READINGS", "BYTES"],
                self.deleted.map {
                    [$0.station, $0.level, $0.before, "\($0.days)", "\($0.readings)", ByteText.text($0.bytes)]
                })
        }
        for (table, count) in self.rows.sorted(by: { $0.key < $1.key }) { text += "\(table): \(count)\n" }
        for hold in self.heldBack { text += "\(hold.station) held back (until \(hold.wanted)): \(hold.reason)\n" }
        let total = self.deleted.reduce(into: Int64(0)) { $0 += $1.bytes }
        if self.deleted.isEmpty, self.rows.isEmpty {
            text += "nothing is old enough to go"
        } else {
            text += "\(ByteText.text(total)) \(self.dryRun ? "would be deleted" : "deleted")"
        }
        return text
    }
}
