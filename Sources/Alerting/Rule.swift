package import Monitoring

/// How bad it is; the order is that of the cases.
package enum Severity: String, Sendable, Hashable, CaseIterable, Comparable {
    case warning
    case alarm
    case emergency

    /// 0 for the mildest; what a table stores.
    package var rank: Int {
        switch self {
        case .warning: 0
        case .alarm: 1
        case .emergency: 2
        }
    }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rank < rhs.rank }
}

/// Where notices go.
package struct Channel: Sendable, Hashable {
    /// One header of the request, name and value as written.
    package struct Header: Sendable, Hashable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package let id: String
    /// The address a notice is posted to, `http://…` or `https://…`.
    package let webhook: String
    /// In the order written.
    package let headers: [Header]

    package init(id: String, webhook: String, headers: [Header] = []) {
        self.id = id
        self.webhook = webhook
        self.headers = headers
    }
}

/// Which side of the limit is bad.
package enum Condition: Sendable, Hashable {
    /// Breached by a value greater than the limit; the limit itself is still allowed.
    case above(Double)
    /// Breached by a value less than the limit; the limit itself is still allowed.
    case below(Double)

    package var limit: Double {
        switch self {
        case .above(let limit), .below(let limit): limit
        }
    }

    /// The key of the rules file.
    package var key: String {
        switch self {
        case .above: "above"
        case .below: "below"
        }
    }
}

/// The stations a rule watches, before its kinds narrow them.
package enum StationSelection: Sendable, Hashable {
    case all
    case only([StationID])
}

/// A rule as people write it: which series, which limit, for how long, and who is told.
package struct Rule: Sendable, Hashable {
    package let id: String
    package let parameter: ParameterID
    package let stations: StationSelection
    /// Kinds of station it holds for; nil for every kind.
    package let kinds: [StationKind]?
    package let condition: Condition
    /// The value at which, or beyond which, a firing rule counts as recovered: on the safe side of the limit, or the
    /// limit.
    package let clear: Double
    /// How long the breach must last, in event time, before the rule fires.
    package let forMilliseconds: Int64
    /// How long the recovery must last, in event time, before the rule clears.
    package let clearForMilliseconds: Int64
    package let severity: Severity
    /// Ids of channels; none is allowed: then incidents are recorded and nobody is told.
    package let notify: [String]
    /// From which lateness on a reading does not page; nil for the default of invariant I10.
    package let lateAfterMilliseconds: Int64?

    package init(
        id: String, parameter: ParameterID, stations: StationSelection = .all, kinds: [StationKind]? = nil,
        condition: Condition, clear: Double? = nil, forMilliseconds: Int64 = 0, clearForMilliseconds: Int64 = 0,
        severity: Severity, notify: [String] = [], lateAfterMilliseconds: Int64? = nil
    ) {
        self.id = id
        self.parameter = parameter
        self.stations = stations
        self.kinds = kinds
        self.condition = condition
        self.clear = clear ?? condition.limit
        self.forMilliseconds = forMilliseconds
        self.clearForMilliseconds = clearForMilliseconds
        self.severity = severity
        self.notify = notify
        self.lateAfterMilliseconds = lateAfterMilliseconds
    }

    package var limit: Double { self.condition.limit }

    /// Whether a series of this parameter at this station is watched.
    package func watches(_ parameter: ParameterID, at station: Station) -> Bool {
        guard parameter == self.parameter, self.kinds?.contains(station.kind) ?? true else { return false }
        switch self.stations {
        case .all: return true
        case .only(let ids): return ids.contains(station.id)
        }
    }

    /// The lateness from which on a reading of a series with this interval does not page.
    package func lateAfter(intervalMilliseconds: Int64?) -> Int64 {
        self.lateAfterMilliseconds ?? defaultLateAfter(intervalMilliseconds: intervalMilliseconds)
    }
}

/// What `step` needs of a rule: plain numbers, no reference, nothing to retain per reading.
package struct CompiledRule: Sendable, Hashable, BitwiseCopyable {
    let limit: Double
    let clear: Double
    let isAbove: Bool
    let forMilliseconds: Int64
    let clearForMilliseconds: Int64

    package init(_ rule: Rule) {
        self.limit = rule.limit
        self.clear = rule.clear
        self.forMilliseconds = rule.forMilliseconds
        self.clearForMilliseconds = rule.clearForMilliseconds
        if case .above = rule.condition { self.isAbove = true } else { self.isAbove = false }
    }

    /// Beyond the limit.
    package func isBreached(by value: Double) -> Bool { self.isAbove ? value > self.limit : value < self.limit }

    /// At the clear limit or on its safe side.
    ///
    /// A value that neither breaches nor recovers lies in the band between the two limits.
    package func isRecovered(by value: Double) -> Bool { self.isAbove ? value <= self.clear : value >= self.clear }
}
