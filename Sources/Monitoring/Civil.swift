/// Calendar arithmetic of the proleptic Gregorian calendar, and RFC 3339 texts, without Foundation.
package enum Civil {
    package static let millisecondsPerSecond: Int64 = 1_000
    package static let millisecondsPerMinute: Int64 = 60_000
    package static let millisecondsPerHour: Int64 = 3_600_000
    package static let millisecondsPerDay: Int64 = 86_400_000

    /// Days since 1970-01-01 of a date.
    package static func days(year: Int, month: Int, day: Int) -> Int64 {
        // Years begin in March, so that the leap day is a year's last (the usual era arithmetic of 400 years).
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(Int64(shifted), 400)
        let yearOfEra = Int64(shifted) - era * 400
        let dayOfYear = Int64((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The date of a number of days since 1970-01-01.
    package static func date(days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = Int(dayOfYear - (153 * monthIndex + 2) / 5 + 1)
        let month = Int(monthIndex < 10 ? monthIndex + 3 : monthIndex - 9)
        return (Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month, day)
    }

    /// Rounds towards negative infinity.
    package static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let quotient = dividend / divisor
        return dividend % divisor < 0 ? quotient - 1 : quotient
    }

    /// Milliseconds since 1970 of `2026-11-23T09:00:00[.fff…]+07:00` (or `Z`); nil without an offset or on any other
    /// text.
    ///
    /// Digits beyond the millisecond are cut off. A leap second (`:60`) is not accepted.
    package static func parseRFC3339(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var cursor = DigitCursor(bytes: bytes)
        guard let date = cursor.date(), cursor.accept("T") || cursor.accept("t") || cursor.accept(" "),
            let hour = cursor.number(digits: 2), hour < 24, cursor.accept(":"),
            let minute = cursor.number(digits: 2), minute < 60, cursor.accept(":"),
            let second = cursor.number(digits: 2), second < 60
        else { return nil }
        var milliseconds: Int64 = 0
        if cursor.accept(".") {
            guard let fraction = cursor.fractionMilliseconds() else { return nil }
            milliseconds = fraction
        }
        var offsetMinutes: Int64 = 0
        if !(cursor.accept("Z") || cursor.accept("z")) {
            let sign: Int64
            if cursor.accept("+") { sign = 1 } else if cursor.accept("-") { sign = -1 } else { return nil }
            guard let hours = cursor.number(digits: 2), hours < 24, cursor.accept(":"),
                let minutes = cursor.number(digits: 2), minutes < 60
            else { return nil }
            offsetMinutes = sign * Int64(hours * 60 + minutes)
        }
        guard cursor.isAtEnd else { return nil }
        let seconds = date * 86_400 + Int64(hour * 3_600 + minute * 60 + second) - offsetMinutes * 60
        return seconds * 1_000 + milliseconds
    }

    package static func parseRFC3339(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { self.parseRFC3339($0) }
    }

    /// Days since 1970-01-01 of `2026-11-23`; nil on any other text.
    package static func parseDate(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { bytes in
            var cursor = DigitCursor(bytes: bytes)
            guard let days = cursor.date(), cursor.isAtEnd else { return nil }
            return days
        }
    }

    /// `2026-11-23` of a number of days since 1970-01-01.
    package static func formatDate(days: Int64) -> String {
        let (year, month, day) = self.date(days: days)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// Appends `2026-11-23T09:00:00.000+07:00`, with or without the decimals.
    package static func appendRFC3339(
        milliseconds: Int64, offsetSeconds: Int, decimals: Bool, to bytes: inout [UInt8]
    ) {
        let local = milliseconds + Int64(offsetSeconds) * 1_000
        let days = self.floorDivide(local, self.millisecondsPerDay)
        let ofDay = Int(local - days * self.millisecondsPerDay)
        let (year, month, day) = self.date(days: days)
        appendPadded(year, 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendPadded(month, 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        appendPadded(day, 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        appendPadded(ofDay / 3_600_000, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendPadded(ofDay / 60_000 % 60, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendPadded(ofDay / 1_000 % 60, 2, to: &bytes)
        if decimals {
            bytes.append(UInt8(ascii: "."))
            appendPadded(ofDay % 1_000, 3, to: &bytes)
        }
        let minutes = abs(offsetSeconds) / 60
        bytes.append(UInt8(ascii: offsetSeconds < 0 ? "-" : "+"))
        appendPadded(minutes / 60, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        appendPadded(minutes % 60, 2, to: &bytes)
    }

    /// `2026-11-23T09:00:00.000+07:00`.
    package static func formatRFC3339(milliseconds: Int64, offsetSeconds: Int = 0, decimals: Bool = true) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(29)
        self.appendRFC3339(milliseconds: milliseconds, offsetSeconds: offsetSeconds, decimals: decimals, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    package static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

private func padded(_ number: Int, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
}

private func appendPadded(_ number: Int, _ width: Int, to bytes: inout [UInt8]) {
    var divisor = width == 4 ? 1_000 : width == 3 ? 100 : 10
    while divisor > 0 {
        bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
        divisor /= 10
    }
}

/// Reads fixed-width digits and single characters from ASCII bytes.
private struct DigitCursor {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    var isAtEnd: Bool { self.position == self.bytes.count }

    mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: character) else {
            return false
        }
        self.position += 1
        return true
    }

    mutating func digit() -> Int? {
        guard self.position < self.bytes.count else { return nil }
        let digit = Int(self.bytes[self.position]) - 48
        guard (0...9).contains(digit) else { return nil }
        self.position += 1
        return digit
    }

    mutating func number(digits: Int) -> Int? {
        var number = 0
        for _ in 0..<digits {
            guard let digit = self.digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// Days since 1970-01-01 of `yyyy-MM-dd`.
    mutating func date() -> Int64? {
        guard let year = self.number(digits: 4), year >= 1, self.accept("-"),
            let month = self.number(digits: 2), (1...12).contains(month), self.accept("-"),
            let day = self.number(digits: 2), (1...Civil.daysInMonth(year: year, month: month)).contains(day)
        else { return nil }
        return Civil.days(year: year, month: month, day: day)
    }

    mutating func fractionMilliseconds() -> Int64? {
        guard var milliseconds = self.digit() else { return nil }
        var scale = 10
        while let digit = self.digit() {
            if scale < 1_000 {
                milliseconds = milliseconds * 10 + digit
                scale *= 10
            }
        }
        while scale < 1_000 {
            milliseconds *= 10
            scale *= 10
        }
        return Int64(milliseconds)
    }
}
