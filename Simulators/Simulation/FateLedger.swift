package import Monitoring

/// What must become of a value that was sent (invariant I2).
package enum ExpectedFate: Sendable, Hashable {
    case stored
    case duplicate
    case revised
    case quarantined(QuarantineReason)
    case deadLetter(reason: String)

    /// The word in the truth file.
    package var word: String {
        switch self {
        case .stored: "stored"
        case .duplicate: "duplicate"
        case .revised: "revised"
        case .quarantined: "quarantined"
        case .deadLetter: "dead-letter"
        }
    }

    /// Why it was not stored; nil for values that were.
    package var reason: String? {
        switch self {
        case .stored, .duplicate, .revised: nil
        case .quarantined(let reason): reason.label
        case .deadLetter(let reason): reason
        }
    }
}

/// The oracle: decides from the surface alone, value by value in the order of sending, what a correct service does.
///
/// It remembers every version sent, so its memory grows with the run: about 60 bytes a value.
package struct FateLedger: Sendable {
    /// How far behind the clock a device time may lie.
    package let oldestMilliseconds: Int64
    /// How far ahead of the clock a device time may lie.
    package let newestMilliseconds: Int64
    private var first: [Place: Version] = [:]
    private var later: [Place: [Version]] = [:]

    private struct Place: Hashable {
        let station: Int32
        let parameter: Int32
        let timeMilliseconds: Int64
    }

    private struct Version: Hashable {
        let bits: UInt64
        let status: String
    }

    package init(oldestMilliseconds: Int64, newestMilliseconds: Int64) {
        self.oldestMilliseconds = oldestMilliseconds
        self.newestMilliseconds = newestMilliseconds
    }

    /// The fate of one value of a readable message, sent now.
    package mutating func fate(
        station: Int, _ value: SampleValue, timeMilliseconds: Int64, clockMilliseconds: Int64
    ) -> ExpectedFate {
        if value.parameterIndex < 0 { return .quarantined(.unknownParameter) }
        guard let number = value.quantity.number else {
            guard case .literal(let text) = value.quantity else { return .quarantined(.notANumber) }
            return .quarantined(text == "null" ? .null : text.hasPrefix("\"") ? .notANumber : .notFinite)
        }
        if !value.status.isLegal { return .quarantined(.badStatus) }
        if timeMilliseconds < clockMilliseconds - self.oldestMilliseconds { return .quarantined(.tooOld) }
        if timeMilliseconds > clockMilliseconds + self.newestMilliseconds { return .quarantined(.tooNew) }
        let place = Place(
            station: Int32(station), parameter: Int32(value.parameterIndex), timeMilliseconds: timeMilliseconds)
        let version = Version(bits: number.bitPattern, status: value.status.text)
        guard let known = self.first[place] else {
            self.first[place] = version
            return .stored
        }
        if known == version || self.later[place]?.contains(version) == true { return .duplicate }
        self.later[place, default: []].append(version)
        return .revised
    }
}
