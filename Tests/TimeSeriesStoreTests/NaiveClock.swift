import Foundation

/// Local buckets by asking Foundation again and again: slow, and written without a look at `Zone`.
final class NaiveClock {
    private let zone: TimeZone
    private let calendar: Calendar
    private var dayStarts: [Int64: Int64] = [:]

    init(_ name: String) {
        guard let zone = TimeZone(identifier: name) else { preconditionFailure("no zone \(name)") }
        self.zone = zone
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        self.calendar = calendar
    }

    func offset(_ milliseconds: Int64) -> Int64 {
        let seconds = floorDivided(milliseconds, 1_000)
        return Int64(self.zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))) * 1_000
    }

    /// Days since 1970 of the local date.
    func localDay(_ milliseconds: Int64) -> Int64 {
        floorDivided(milliseconds + self.offset(milliseconds), 86_400_000)
    }

    func dayStart(_ day: Int64) -> Int64 {
        if let start = self.dayStarts[day] { return start }
        // Noon of that local date, as good as it can be guessed, then Foundation's first instant of its day.
        let noon = day * 86_400_000 + 43_200_000
        let date = Date(timeIntervalSince1970: Double(noon - self.offset(noon)) / 1_000)
        let start = Int64((self.calendar.startOfDay(for: date).timeIntervalSince1970 * 1_000).rounded())
        self.dayStarts[day] = start
        return start
    }

    func day(_ milliseconds: Int64) -> Range<Int64> {
        let day = self.localDay(milliseconds)
        return self.dayStart(day)..<self.dayStart(day + 1)
    }

    /// The bucket of a width that divides the hour, cut where the offset changes.
    func bucket(_ milliseconds: Int64, width: Int64) -> Range<Int64> {
        let offset = self.offset(milliseconds)
        let local = milliseconds + offset
        var start = milliseconds - (local - floorDivided(local, width) * width)
        var end = start + width
        if self.offset(start) != offset {
            start = self.firstInstant(after: start, through: milliseconds) { self.offset($0) == offset }
        }
        if self.offset(end - 1) != offset {
            end = self.firstInstant(after: milliseconds, through: end - 1) { self.offset($0) != offset }
        }
        return start..<end
    }

    /// Bisection: `condition` is false at `low` and true at `high`.
    private func firstInstant(after low: Int64, through high: Int64, _ condition: (Int64) -> Bool) -> Int64 {
        var low = low
        var high = high
        while high - low > 1 {
            let middle = (low + high) / 2
            if condition(middle) { high = middle } else { low = middle }
        }
        return high
    }
}

func floorDivided(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return quotient * divisor > dividend ? quotient - 1 : quotient
}
