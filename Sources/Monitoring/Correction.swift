/// A layer over the raw readings of one series and a time range: who made it, when and why (invariant I7).
///
/// It is applied when readings are read, never written into them; it can be revoked, and neither it nor its revocation
/// is ever edited or deleted.
package struct Correction: Sendable, Hashable {
    /// Ascending in the order in which corrections were made, which is the order in which they are applied.
    package let id: Int64
    /// The series' number in the store.
    package let series: Int32
    /// Device time, half-open `[from, to)`.
    package let fromMilliseconds: Int64
    package let toMilliseconds: Int64
    package let kind: Kind
    package let who: String
    package let why: String
    package let madeMilliseconds: Int64
    /// The store's `change` of its making.
    package let change: Int64
    package let revocation: Revocation?

    package init(
        id: Int64, series: Int32, fromMilliseconds: Int64, toMilliseconds: Int64, kind: Kind, who: String, why: String,
        madeMilliseconds: Int64, change: Int64, revocation: Revocation? = nil
    ) {
        self.id = id
        self.series = series
        self.fromMilliseconds = fromMilliseconds
        self.toMilliseconds = toMilliseconds
        self.kind = kind
        self.who = who
        self.why = why
        self.madeMilliseconds = madeMilliseconds
        self.change = change
        self.revocation = revocation
    }

    /// What took a correction out of force.
    package struct Revocation: Sendable, Hashable {
        package let who: String
        package let why: String
        package let atMilliseconds: Int64
        package let change: Int64

        package init(who: String, why: String, atMilliseconds: Int64, change: Int64) {
            self.who = who
            self.why = why
            self.atMilliseconds = atMilliseconds
            self.change = change
        }
    }

    /// What a correction does to a reading.
    package enum Kind: Sendable, Hashable {
        /// The value stays, the status becomes one that enters no mean.
        case invalidate(Status)
        case replace(Double, Status)
        /// Another zero and another slope: the value changes, the status stays.
        case scale(Scale)
        /// A remark; changes no reading.
        case annotate(String)
    }

    /// `value × factor + offset`, where both may drift.
    ///
    /// From the first pair at the start of the range in a straight line to the second at its end.
    package struct Scale: Sendable, Hashable {
        package let factor: Double
        package let offset: Double
        package let endFactor: Double
        package let endOffset: Double

        package init(factor: Double, offset: Double, endFactor: Double, endOffset: Double) {
            self.factor = factor
            self.offset = offset
            self.endFactor = endFactor
            self.endOffset = endOffset
        }
    }

    /// Whether it was in force at an instant.
    package func isInForce(atMilliseconds instant: Int64) -> Bool {
        self.madeMilliseconds <= instant && (self.revocation.map { $0.atMilliseconds > instant } ?? true)
    }

    package func overlaps(from: Int64, to: Int64) -> Bool { self.fromMilliseconds < to && from < self.toMilliseconds }

    /// Whether it can change what a reading says.
    package var changesReadings: Bool {
        if case .annotate = self.kind { false } else { true }
    }

    /// Changes one reading whose time lies in the range.
    ///
    /// In doubles, two roundings: a product and a sum, never fused, so that every machine gives the same bits. A result
    /// that is no finite number leaves the value as it was and takes the status of an invalidation.
    package func apply(
        to value: inout Double, _ status: inout Status, atMilliseconds time: Int64, method: Rollup.Method
    ) {
        switch self.kind {
        case .invalidate(let code): status = code
        case .replace(let other, let code):
            value = other
            status = code
        case .scale(let scale):
            // 0 at the start of the range; what lies at its end is no longer in it.
            let share =
                Double(time - self.fromMilliseconds) / Double(self.toMilliseconds - self.fromMilliseconds)
            let factor = scale.factor + (scale.endFactor - scale.factor) * share
            let offset = scale.offset + (scale.endOffset - scale.offset) * share
            let product = value * factor
            let scaled = product + offset
            guard scaled.isFinite else {
                status = .invalidated
                return
            }
            value = method == .direction ? Self.wholeTurn(scaled) : scaled
        case .annotate: break
        }
    }

    /// The same direction in `[0, 360)`.
    private static func wholeTurn(_ degrees: Double) -> Double {
        let rest = degrees.truncatingRemainder(dividingBy: 360)
        let positive = rest < 0 ? rest + 360 : rest
        // A hair below 0 becomes 360 by rounding: that is north again.
        return positive >= 360 ? 0 : positive
    }
}

extension Status {
    /// What an invalidation makes of a status unless it says otherwise.
    ///
    /// A code of Quantrac's own, in letters, so that it cannot be taken for one of a device or of the regulation.
    package static let invalidated = Status(packed: 0x56_4E49)
}

/// The corrections of one series that are in force, in the order in which they were made.
package struct SeriesCorrections: Sendable, Hashable {
    /// Annotations included.
    package let all: [Correction]
    /// The store's `change` at which this list became what it is.
    package let change: Int64
    package let effective: [Correction]
    /// What any of them can change: ascending, apart from each other.
    private let touched: [Range<Int64>]

    package static let empty = SeriesCorrections([], change: 0)

    package init(_ corrections: [Correction], change: Int64) {
        self.all = corrections.sorted { $0.id < $1.id }
        self.change = change
        self.effective = self.all.filter { $0.changesReadings && $0.fromMilliseconds < $0.toMilliseconds }
        var touched: [Range<Int64>] = []
        for correction in self.effective.sorted(by: { $0.fromMilliseconds < $1.fromMilliseconds }) {
            let range = correction.fromMilliseconds..<correction.toMilliseconds
            if let last = touched.last, last.upperBound >= range.lowerBound {
                touched[touched.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                touched.append(range)
            }
        }
        self.touched = touched
    }

    /// Whether none of them can change a reading.
    package var isEmpty: Bool { self.effective.isEmpty }

    /// Whether a reading of `[from, to)` may be changed.
    package func touch(from: Int64, to: Int64) -> Bool {
        var low = 0
        var high = self.touched.count
        while low < high {
            let middle = (low + high) / 2
            if self.touched[middle].upperBound <= from { low = middle + 1 } else { high = middle }
        }
        return low < self.touched.count && self.touched[low].lowerBound < to
    }

    /// One reading with every correction of its time laid over it, in order.
    package func corrected(_ reading: Reading, method: Rollup.Method) -> Reading {
        var reading = reading
        for correction in self.effective
        where correction.fromMilliseconds <= reading.timeMilliseconds
            && reading.timeMilliseconds < correction.toMilliseconds
        {
            correction.apply(
                to: &reading.value, &reading.status, atMilliseconds: reading.timeMilliseconds, method: method)
        }
        return reading
    }
}
