/// How long something is kept: one duration, and others for the kinds of site that differ.
///
/// Written as `1826d`, `forever`, or `1826d, mine=3652d, stack=forever`.
package struct KeepRule: Sendable, Hashable {
    package static let foreverMilliseconds = Int64.max
    package static let forever = KeepRule(milliseconds: foreverMilliseconds)

    package let usualMilliseconds: Int64
    package let byKind: [StationKind: Int64]

    package init(milliseconds: Int64, byKind: [StationKind: Int64] = [:]) {
        self.usualMilliseconds = milliseconds
        self.byKind = byKind
    }

    /// What a message tells a person who wrote something else.
    package static let expectation =
        "a duration of at least 1d such as 1826d, or forever; after a comma KIND=DURATION for kinds of site that "
        + "differ ("
        + StationKind.allCases.map(\.rawValue).joined(separator: ", ") + ")"

    /// Fails on any other text, on a kind named twice and on less than a day.
    package init?(_ text: String) {
        var usual: Int64?
        var byKind: [StationKind: Int64] = [:]
        for (index, part) in text.split(separator: ",", omittingEmptySubsequences: false).enumerated() {
            let words = part.split(separator: "=", omittingEmptySubsequences: false).map { Self.trimmed($0) }
            guard let last = words.last, let duration = Self.duration(last) else { return nil }
            if index == 0 {
                guard words.count == 1 else { return nil }
                usual = duration
            } else {
                guard words.count == 2, let kind = StationKind(rawValue: words[0]), byKind[kind] == nil else {
                    return nil
                }
                byKind[kind] = duration
            }
        }
        guard let usual else { return nil }
        self.init(milliseconds: usual, byKind: byKind)
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func duration(_ text: String) -> Int64? {
        if text == "forever" { return self.foreverMilliseconds }
        guard let duration = DurationText.milliseconds(text), duration >= Civil.millisecondsPerDay else { return nil }
        return duration
    }

    package func milliseconds(_ kind: StationKind) -> Int64 { self.byKind[kind] ?? self.usualMilliseconds }

    /// The start of the local day from which on all is kept; nil when nothing is old enough to go.
    package func boundary(_ kind: StationKind, zone: Zone, nowMilliseconds: Int64) -> Int64? {
        let kept = self.milliseconds(kind)
        guard kept < nowMilliseconds - 2 * TimeBounds.earliestMilliseconds else { return nil }
        return zone.dayBucket(containing: nowMilliseconds - kept).startMilliseconds
    }
}

/// What retention deletes, in the order of the report.
package enum RetentionLevel: String, Sendable, Hashable, CaseIterable {
    case raw
    case hours
    case days
}

/// How long everything is kept.
package struct RetentionPolicy: Sendable, Hashable {
    package var raw: KeepRule
    package var hours: KeepRule
    package var days: KeepRule
    package var eventsMilliseconds: Int64
    /// Incidents that are over, and messages that were delivered.
    package var incidentsMilliseconds: Int64
    /// Dead letters and quarantined values.
    package var setAsideMilliseconds: Int64

    package init(
        raw: KeepRule, hours: KeepRule, days: KeepRule, eventsMilliseconds: Int64, incidentsMilliseconds: Int64,
        setAsideMilliseconds: Int64
    ) {
        self.raw = raw
        self.hours = hours
        self.days = days
        self.eventsMilliseconds = eventsMilliseconds
        self.incidentsMilliseconds = incidentsMilliseconds
        self.setAsideMilliseconds = setAsideMilliseconds
    }

    package subscript(level: RetentionLevel) -> KeepRule {
        switch level {
        case .raw: self.raw
        case .hours: self.hours
        case .days: self.days
        }
    }

    /// A kind of site whose hours or days would go before its raw readings: what replaces raw must outlive it.
    package var shortLived: (level: RetentionLevel, kind: StationKind)? {
        for kind in StationKind.allCases {
            for level in [RetentionLevel.hours, .days]
            where self[level].milliseconds(kind) < self.raw.milliseconds(kind) { return (level, kind) }
        }
        return nil
    }
}
