/// What may go wrong in the field, and how often.
package enum Fault: String, Sendable, Hashable, CaseIterable {
    /// Samples, or one instrument's values, are missing for a while.
    case dropOut = "drop-out"
    /// An instrument repeats its last value.
    case stuck
    /// One wild value.
    case spike
    /// An instrument walks away slowly.
    case drift
    /// The instrument is fed with test gas: status 01.
    case calibration
    /// The device's clock is wrong for a while: minutes, hours, or the year 2000.
    case clockSkew = "clock-skew"
    /// The date is one day behind for some time after midnight. The rate is per station and midnight.
    case midnightJump = "midnight-jump"
    /// A message is sent twice.
    case duplicate
    /// A message is overtaken by later ones.
    case reorder
    /// A sample is sent again with a corrected value.
    case revision
    /// The link is down for a while; the backlog follows on `…/history`.
    case offlineBurst = "offline-burst"
    /// A message that the link lost although the device believes that it was sent.
    case hole
    /// A damaged message, or a damaged value in a good one.
    case poison
}

/// The probability of each fault per sample (or message), as asked for on the command line.
package struct FaultRates: Sendable, Hashable {
    private var rates: [Fault: Double] = [:]

    package init() {}

    package static let none = FaultRates()

    package subscript(_ fault: Fault) -> Double {
        get { self.rates[fault] ?? 0 }
        set { self.rates[fault] = newValue }
    }

    package var isEmpty: Bool { self.rates.values.allSatisfy { $0 == 0 } }

    /// What a fault is set to when only its name is given.
    private static let usual: [Fault: Double] = [
        .dropOut: 0.002, .stuck: 0.001, .spike: 0.001, .drift: 0.000_2, .calibration: 0.001, .clockSkew: 0.000_5,
        .midnightJump: 0.1, .duplicate: 0.01, .reorder: 0.01, .revision: 0.002, .offlineBurst: 0.000_5, .hole: 0.002,
        .poison: 0.002,
    ]

    /// Why a list of faults could not be read.
    package struct ParseError: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Reads `duplicate:0.01,reorder`, or `all` for every fault at its usual rate, `all:2` for twice that.
    package static func parse(_ text: String) throws(ParseError) -> FaultRates {
        var rates = FaultRates()
        for item in text.split(separator: ",") {
            let parts = item.split(separator: ":", maxSplits: 1).map(String.init)
            var amount: Double?
            if parts.count == 2 {
                guard let number = Double(parts[1]), number.isFinite, number >= 0 else {
                    throw ParseError(
                        description: "'\(parts[1])' is no rate: a number from 0 to 1 is wanted, as in duplicate:0.01")
                }
                amount = number
            }
            if parts[0] == "all" {
                for (fault, rate) in self.usual { rates[fault] = min(rate * (amount ?? 1), 1) }
                continue
            }
            guard let fault = Fault(rawValue: parts[0]) else {
                let known = Fault.allCases.map(\.rawValue).joined(separator: ", ")
                throw ParseError(description: "there is no fault '\(parts[0])'; known are all, \(known)")
            }
            if let amount, amount > 1 {
                throw ParseError(description: "the rate of \(parts[0]) is \(parts[1]); at most 1 is possible")
            }
            rates[fault] = amount ?? self.usual[fault] ?? 0
        }
        return rates
    }
}
