/// What a station's stored times say at a moment: of its link, of what it sends, of each parameter.
///
/// Three separate things: a device may be online and silent, and it may send while one of its instruments is dead.
/// Nothing is counted and no timer runs: every answer follows from times that are stored.
package struct StationLife: Sendable, Hashable {
    /// How often the station reports; nil when it has no fixed interval, and then nothing of it is due.
    package var intervalMilliseconds: Int64?
    /// What it said last of its link, and when that changed; nil when it never said anything.
    package var online: Bool?
    package var onlineChangedMilliseconds: Int64
    /// When its last message was received; 0 when none is known.
    package var heardMilliseconds: Int64
    /// The newest device time of each parameter; -1 when it has no reading.
    ///
    /// What is back-filled or late is old by its device time, so it makes nothing fresh.
    package var newestMilliseconds: [Int64]

    package init(
        intervalMilliseconds: Int64?, online: Bool?, onlineChangedMilliseconds: Int64, heardMilliseconds: Int64,
        newestMilliseconds: [Int64]
    ) {
        self.intervalMilliseconds = intervalMilliseconds
        self.online = online
        self.onlineChangedMilliseconds = onlineChangedMilliseconds
        self.heardMilliseconds = heardMilliseconds
        self.newestMilliseconds = newestMilliseconds
    }

    /// Three intervals, at least ten minutes; nil when nothing is due.
    package static func silentAfter(intervalMilliseconds: Int64?) -> Int64? {
        guard let intervalMilliseconds, intervalMilliseconds > 0 else { return nil }
        let (intervals, overflow) = intervalMilliseconds.multipliedReportingOverflow(by: 3)
        return overflow ? .max : max(intervals, 10 * 60_000)
    }

    /// How long a link may be down: two intervals, at least five minutes.
    package static func offlineAfter(intervalMilliseconds: Int64?) -> Int64 {
        let (intervals, overflow) = max(0, intervalMilliseconds ?? 0).multipliedReportingOverflow(by: 2)
        return overflow ? .max : max(intervals, 5 * 60_000)
    }

    private var silentAfter: Int64? { Self.silentAfter(intervalMilliseconds: self.intervalMilliseconds) }

    /// Its link is down, as far as it said, and nothing came since.
    package var isOffline: Bool { self.online == false && self.heardMilliseconds <= self.onlineChangedMilliseconds }

    /// Nothing came of it for too long; `since` is when we came back, for what we could not have heard before.
    package func isSilent(nowMilliseconds now: Int64, since: Int64 = .min) -> Bool {
        guard let limit = self.silentAfter else { return false }
        return now - max(self.heardMilliseconds, since) > limit
    }

    /// Parameters without a fresh reading, by position.
    package func stale(nowMilliseconds now: Int64, since: Int64 = .min) -> [Int] {
        guard let limit = self.silentAfter else { return [] }
        return self.newestMilliseconds.indices.filter { now - max(self.newestMilliseconds[$0], since) > limit }
    }

    /// Whether a parameter has a fresh reading; nil when none is due.
    package func isFresh(_ position: Int, nowMilliseconds now: Int64) -> Bool? {
        let newest = self.newestMilliseconds[position]
        return self.silentAfter.map { newest >= 0 && now - newest <= $0 }
    }
}

/// What is wrong with a station's life, each an incident of its own.
package enum LifeTrouble: String, Sendable, CaseIterable {
    case offline
    case silent
    case stale
}

/// Which troubles of a station are open: raised after a grace from when we came back, cleared only by life.
///
/// A restart neither raises nor clears: what is open is handed in, and the time before we were back excuses silence.
package struct StationWatch: Sendable, Hashable {
    package enum Change: Sendable, Hashable {
        case raised(LifeTrouble, sinceMilliseconds: Int64, parameters: [Int])
        case cleared(LifeTrouble)
    }

    package private(set) var open: Set<LifeTrouble>

    package init(open: Set<LifeTrouble> = []) { self.open = open }

    /// Looks at a station.
    ///
    /// - Parameter backMilliseconds: Since when we have been caught up with the broker; nil while we are not: then
    ///   nothing is raised.
    package mutating func look(
        _ life: StationLife, nowMilliseconds now: Int64, backMilliseconds: Int64?
    ) -> [Change] {
        var changes: [Change] = []
        if self.open.contains(.offline), !life.isOffline { self.clear(.offline, &changes) }
        if self.open.contains(.silent), !life.isSilent(nowMilliseconds: now) { self.clear(.silent, &changes) }
        // While nothing comes at all, a dead instrument is neither better nor worse.
        if self.open.contains(.stale), !life.isSilent(nowMilliseconds: now), life.stale(nowMilliseconds: now).isEmpty {
            self.clear(.stale, &changes)
        }
        guard let back = backMilliseconds else { return changes }
        let down = max(life.onlineChangedMilliseconds, back)
        if life.isOffline, now - down > StationLife.offlineAfter(intervalMilliseconds: life.intervalMilliseconds) {
            self.raise(.offline, life.onlineChangedMilliseconds, [], &changes)
        }
        if life.isSilent(nowMilliseconds: now, since: back) {
            self.raise(.silent, life.heardMilliseconds > 0 ? life.heardMilliseconds : back, [], &changes)
        }
        guard !life.isSilent(nowMilliseconds: now), !life.isOffline else { return changes }
        let stale = life.stale(nowMilliseconds: now, since: back)
        if !stale.isEmpty {
            let since = stale.map { life.newestMilliseconds[$0] }.filter { $0 >= 0 }.min() ?? back
            self.raise(.stale, since, stale, &changes)
        }
        return changes
    }

    private mutating func raise(
        _ trouble: LifeTrouble, _ since: Int64, _ parameters: [Int], _ changes: inout [Change]
    ) {
        guard self.open.insert(trouble).inserted else { return }
        changes.append(.raised(trouble, sinceMilliseconds: since, parameters: parameters))
    }

    private mutating func clear(_ trouble: LifeTrouble, _ changes: inout [Change]) {
        self.open.remove(trouble)
        changes.append(.cleared(trouble))
    }
}
