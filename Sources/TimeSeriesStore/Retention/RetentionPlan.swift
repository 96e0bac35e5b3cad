package import Monitoring

/// What keeps readings that are old enough to go.
package enum RetentionHold: Sendable, Hashable {
    /// A lake is configured, and this local day is not in it as it is now.
    case unpublished(day: Int64)
    /// Something of the station on disk is damaged: it cannot be merged, or not be read.
    case damaged
    /// A correction is laid over raw readings from this instant on: without them it could not be applied.
    case corrected(fromMilliseconds: Int64)
    /// A file of history is being imported.
    case importing(file: String)

    package var text: String {
        switch self {
        case .unpublished(let day): "\(Civil.formatDate(days: day)) is not in the lake as it is now"
        case .damaged: "something of it on disk is damaged; see `quantrac verify`"
        case .corrected(let from):
            "a correction lies over readings from \(Civil.formatRFC3339(milliseconds: from)) on"
        case .importing(let file): "\(file) is being imported"
        }
    }
}

/// Per station, how far its raw readings, hours and days go.
package struct RetentionPlan: Sendable {
    package struct StationPlan: Sendable, Hashable {
        package let number: Int32
        /// Where the rule alone would put the boundary; nil when nothing is that old.
        package let wantedMilliseconds: Int64?
        /// Raw readings before this go; what it was before when nothing more goes.
        package var rawBeforeMilliseconds: Int64
        /// Nothing before this is taken any more.
        package var sealedBeforeMilliseconds: Int64
        package var hoursBeforeMilliseconds: Int64
        package var daysBeforeMilliseconds: Int64
        package var hold: RetentionHold?

        package func before(_ level: RetentionLevel) -> Int64 {
            switch level {
            case .raw: self.rawBeforeMilliseconds
            case .hours: self.hoursBeforeMilliseconds
            case .days: self.daysBeforeMilliseconds
            }
        }
    }

    /// What the plan depends on besides settings, registry and time.
    struct Facts {
        /// Oldest device time of raw readings that are there, by station number.
        var oldestRaw: [Int32: Int64] = [:]
        /// Stations of which something on disk is damaged: what there is of them is not known.
        var damaged: Set<Int32> = []
        /// Where the first correction in force begins, by station number.
        var correctedFrom: [Int32: Int64] = [:]
        /// Days that are not in the lake as they are now, ascending; nil without a lake.
        var unpublishedDays: [Int64]?
        /// The file of an import that is under way.
        var importing: String?
    }

    package var stations: [StationPlan]
    /// With a lake a day is sealed for all stations at once: its part cannot be stated again.
    package let hasLake: Bool

    static func make(
        _ registry: Registry, policy: RetentionPolicy, facts: Facts, nowMilliseconds: Int64
    ) -> RetentionPlan {
        var plans: [StationPlan] = []
        /// The last local day that raw goes of, for everybody with a lake.
        var sealedDay = Int64.min
        for station in registry.stations {
            let plan = self.plan(station, registry, policy: policy, facts: facts, nowMilliseconds: nowMilliseconds)
            if plan.rawBeforeMilliseconds > station.rawBeforeMilliseconds {
                let zone = registry.site(of: station).zone
                sealedDay = max(sealedDay, zone.localDay(at: plan.rawBeforeMilliseconds))
            }
            plans.append(plan)
        }
        if facts.unpublishedDays != nil, sealedDay > .min {
            for (index, station) in registry.stations.enumerated() {
                plans[index].sealedBeforeMilliseconds = max(
                    plans[index].sealedBeforeMilliseconds,
                    registry.site(of: station).zone.start(ofLocalDay: sealedDay))
            }
        }
        return RetentionPlan(stations: plans, hasLake: facts.unpublishedDays != nil)
    }

    private static func plan(
        _ station: Station, _ registry: Registry, policy: RetentionPolicy, facts: Facts, nowMilliseconds: Int64
    ) -> StationPlan {
        let site = registry.site(of: station)
        func boundary(_ level: RetentionLevel) -> Int64? {
            policy[level].boundary(site.kind, zone: site.zone, nowMilliseconds: nowMilliseconds)
        }
        let isDamaged = facts.damaged.contains(station.number)
        let oldest = isDamaged ? .min : facts.oldestRaw[station.number] ?? .max
        let wanted = boundary(.raw).flatMap { $0 > oldest ? $0 : nil }
        var plan = StationPlan(
            number: station.number, wantedMilliseconds: wanted, rawBeforeMilliseconds: station.rawBeforeMilliseconds,
            sealedBeforeMilliseconds: station.sealedBeforeMilliseconds, hoursBeforeMilliseconds: 0,
            daysBeforeMilliseconds: 0)
        if let wanted {
            var allowed = wanted
            if isDamaged {
                plan.hold = .damaged
                allowed = .min
            } else if let file = facts.importing {
                plan.hold = .importing(file: file)
                allowed = .min
            } else if let day = facts.unpublishedDays?.first, day < site.zone.localDay(at: wanted) {
                plan.hold = .unpublished(day: day)
                allowed = site.zone.start(ofLocalDay: day)
            }
            if let from = facts.correctedFrom[station.number], from < allowed {
                plan.hold = .corrected(fromMilliseconds: from)
                allowed = site.zone.dayBucket(containing: from).startMilliseconds
            }
            if allowed > oldest {
                plan.rawBeforeMilliseconds = max(plan.rawBeforeMilliseconds, allowed)
                plan.sealedBeforeMilliseconds = max(plan.sealedBeforeMilliseconds, plan.rawBeforeMilliseconds)
            }
        }
        // What stands for raw never goes before it.
        plan.hoursBeforeMilliseconds = min(boundary(.hours) ?? 0, plan.rawBeforeMilliseconds)
        plan.daysBeforeMilliseconds = min(boundary(.days) ?? 0, plan.rawBeforeMilliseconds)
        return plan
    }
}

/// How much of something there is, or was.
package struct RetentionAmount: Sendable, Hashable {
    /// Readings, or rollups.
    package var count: Int64 = 0
    /// Compressed, in full chunks.
    package var bytes: Int64 = 0
    /// The first device time of it; nil when there is none.
    package var oldestMilliseconds: Int64?

    package init() {}

    static func += (sum: inout Self, more: Self) {
        sum.oldestMilliseconds = [sum.oldestMilliseconds, more.oldestMilliseconds].compactMap { $0 }.min()
        sum.count += more.count
        sum.bytes += more.bytes
    }
}
