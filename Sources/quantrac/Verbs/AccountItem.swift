import Monitoring
import TimeSeriesStore

/// A station's account in JSON; every key is always there.
///
/// Times are milliseconds since 1970, and where people read them RFC 3339 on the site's clock beside them.
struct AccountItem: Encodable {
    let account: StationAccount

    init(_ account: StationAccount) { self.account = account }

    func encode(to encoder: any Encoder) throws {
        let account = self.account
        let time = TimeText(zone: account.site.zone)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(account.station.id.text, forKey: "station")
        try container.encode(account.site.id, forKey: "site")
        try container.encode(Civil.formatDate(days: account.day), forKey: "day")
        try container.encode(account.site.zone.name, forKey: "timeZone")
        try container.encode(account.bucket.startMilliseconds, forKey: "from")
        try container.encode(account.bucket.endMilliseconds, forKey: "to")
        try container.encode(account.isOpen, forKey: "open")
        try container.encode(account.firstMilliseconds, forKey: "firstReading")
        try container.encode(account.imbalance == nil, forKey: "balanced")
        try container.encode(account.imbalance, forKey: "imbalance")
        try container.encode(Messages(account.counts), forKey: "messages")
        try container.encode(account.numbered.map(Numbered.init), forKey: "numbered")
        try container.encode(Readings(account.counts), forKey: "readings")
        try container.encode(
            Refused(messages: account.refused.messages, values: account.refused.values), forKey: "refused")
        try container.encode(account.parameters.map(Completeness.init), forKey: "completeness")
        try container.encode(account.gaps.map { GapItem($0, account, time) }, forKey: "gaps")
        try container.encode(account.gapsOmitted, forKey: "gapsOmitted")
        try container.encode(account.outages.map { OutageItem($0, time) }, forKey: "outages")
    }

    private struct Key: CodingKey, ExpressibleByStringLiteral {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringLiteral value: String) { self.stringValue = value }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private struct Messages: Encodable {
        let received: Int
        let decoded: Int
        let deadLettered: Int
        let repeated: Int
        /// Of the received ones, those sent with QoS 0.
        let notGuaranteed: Int

        init(_ counts: LedgerCounts) {
            self.received = counts.received
            self.decoded = counts.decoded
            self.deadLettered = counts.deadLettered
            self.repeated = counts.repeated
            self.notGuaranteed = counts.qos0
        }
    }

    private struct Numbered: Encodable {
        let boot: String
        let from: Int64
        let through: Int64
        let expected: Int64
        let distinct: Int64
        let missing: Int64
        /// Of the missing ones, those whose place is no longer remembered.
        let lost: Int64
        let repeated: Int64

        init(_ account: SequenceAccount) {
            self.boot = String(decoding: account.boot, as: UTF8.self)
            self.from = account.first
            self.through = account.through
            self.expected = account.expectedCount
            self.distinct = account.distinctCount
            self.missing = account.missingCount
            self.lost = account.lostCount
            self.repeated = account.repeatedCount
        }
    }

    private struct Readings: Encodable {
        let decoded: Int
        let stored: Int
        let duplicate: Int
        let revised: Int
        let quarantined: Int
        let undecided: Int

        init(_ counts: LedgerCounts) {
            self.decoded = counts.readings + counts.quarantined
            self.stored = counts.stored
            self.duplicate = counts.duplicate
            self.revised = counts.revised
            self.quarantined = counts.quarantined
            self.undecided = counts.undecided
        }
    }

    private struct Refused: Encodable {
        let messages: [String: Int]
        let values: [String: Int]
    }

    private struct Completeness: Encodable {
        let parameter: StationAccount.Parameter

        init(_ parameter: StationAccount.Parameter) { self.parameter = parameter }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(self.parameter.id.text, forKey: "parameter")
            try container.encode(self.parameter.due, forKey: "due")
            try container.encode(self.parameter.dueSoFar, forKey: "dueSoFar")
            try container.encode(self.parameter.present, forKey: "present")
            try container.encode(self.parameter.valid, forKey: "valid")
            try container.encode(self.parameter.calibrating, forKey: "calibrating")
            try container.encode(self.parameter.fault, forKey: "fault")
            try container.encode(self.parameter.missing, forKey: "missing")
        }
    }

    private struct GapItem: Encodable {
        let gap: StationAccount.Gap
        let isWhole: Bool
        let time: TimeText

        init(_ gap: StationAccount.Gap, _ account: StationAccount, _ time: TimeText) {
            self.gap = gap
            self.isWhole = account.isWhole(gap)
            self.time = time
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(self.gap.parameters.map(\.text), forKey: "parameters")
            try container.encode(self.isWhole, forKey: "wholeStation")
            try container.encode(self.gap.range.lowerBound, forKey: "from")
            try container.encode(self.gap.range.upperBound, forKey: "to")
            try container.encode(self.time.text(self.gap.range.lowerBound), forKey: "fromLocal")
            try container.encode(self.time.text(self.gap.range.upperBound), forKey: "toLocal")
            try container.encode(self.gap.count, forKey: "readings")
            try container.encode(self.gap.cause.rawValue, forKey: "cause")
            try container.encode(self.gap.outage.map { OutageItem($0, self.time) }, forKey: "outage")
            try container.encode(self.gap.refused, forKey: "refused")
            try container.encode(self.gap.holes.map(Hole.init), forKey: "holes")
        }
    }

    private struct Hole: Encodable {
        let boot: String
        let from: Int64
        let to: Int64

        init(_ hole: SequenceHole) {
            self.boot = String(decoding: hole.boot, as: UTF8.self)
            self.from = hole.numbers.lowerBound
            self.to = hole.numbers.upperBound
        }
    }
}

/// An outage of ours in JSON.
struct OutageItem: Encodable {
    let cause: String
    let detail: String
    let from: Int64
    let to: Int64?
    let fromLocal: String
    let toLocal: String?
    let sessionLost: Bool
    let versionBefore: String?
    let versionAfter: String?

    init(_ row: OutageRow, _ time: TimeText) {
        self.cause = row.cause.rawValue
        self.detail = row.detail
        self.from = row.beganMilliseconds
        self.to = row.endedMilliseconds
        self.fromLocal = time.text(row.beganMilliseconds)
        self.toLocal = time.text(row.endedMilliseconds)
        self.sessionLost = row.sessionWasLost
        self.versionBefore = row.versionBefore
        self.versionAfter = row.versionAfter
    }

    /// Null where there is nothing, and always there.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.cause, forKey: .cause)
        try container.encode(self.detail, forKey: .detail)
        try container.encode(self.from, forKey: .from)
        try container.encode(self.to, forKey: .to)
        try container.encode(self.fromLocal, forKey: .fromLocal)
        try container.encode(self.toLocal, forKey: .toLocal)
        try container.encode(self.sessionLost, forKey: .sessionLost)
        try container.encode(self.versionBefore, forKey: .versionBefore)
        try container.encode(self.versionAfter, forKey: .versionAfter)
    }

    private enum CodingKeys: CodingKey {
        case cause
        case detail
        case from
        case to
        case fromLocal
        case toLocal
        case sessionLost
        case versionBefore
        case versionAfter
    }
}
