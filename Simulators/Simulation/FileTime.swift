import Monitoring

/// A moment as files write it: with an offset from UTC, or on a local clock that the reader must know.
package enum FileTime: Sendable, Hashable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    case instant(Int64)
    /// Milliseconds from 1970-01-01 00:00 on the local clock.
    case local(Int64)

    /// Reads RFC 3339 with an offset, `yyyy-MM-dd[ T]HH:mm[:ss[.fff]]`, `dd/MM/yyyy HH:mm[:ss]`, `yyyyMMddHHmmss`,
    /// a date alone, or epoch seconds (10 digits) or milliseconds (13 digits); nil on anything else.
    package init?(_ text: String) {
        if let instant = Civil.parseRFC3339(text) {
            self = .instant(instant)
            return
        }
        let groups = digitRuns(text)
        let marks = text.utf8.filter { !(48...57).contains($0) }.map { Character(Unicode.Scalar($0)) }
        if groups.count == 1, marks.isEmpty {
            guard let whole = Self.bare(text) else { return nil }
            self = whole
            return
        }
        guard (3...7).contains(groups.count), marks.count == groups.count - 1 else { return nil }
        let numbers = groups.map(\.number)
        let isDayFirst = marks[0] == "/" && marks[1] == "/" && groups[0].length <= 2
        guard isDayFirst || (groups[0].length == 4 && marks[0] == marks[1] && "-/.".contains(marks[0])) else {
            return nil
        }
        let (year, month, day) =
            isDayFirst ? (numbers[2], numbers[1], numbers[0]) : (numbers[0], numbers[1], numbers[2])
        guard groups.count == 3 || (groups.count >= 5 && (marks[2] == " " || marks[2] == "T")) else { return nil }
        for mark in marks.dropFirst(3).prefix(2) where mark != ":" { return nil }
        if marks.count == 6, marks[5] != "." { return nil }
        var fraction: Int64 = 0
        if groups.count == 7 {
            var scaled = groups[6].number
            for _ in 0..<max(3 - groups[6].length, 0) { scaled *= 10 }
            for _ in 0..<max(groups[6].length - 3, 0) { scaled /= 10 }
            fraction = Int64(scaled)
        }
        func part(_ index: Int) -> Int { index < min(numbers.count, 6) ? numbers[index] : 0 }
        guard let local = Self.local(year, month, day, part(3), part(4), part(5)) else { return nil }
        self = .local(local + fraction)
    }

    private static func bare(_ digits: String) -> FileTime? {
        guard let number = Int64(digits) else { return nil }
        switch digits.utf8.count {
        case 10: return .instant(number * 1_000)
        case 13: return .instant(number)
        case 8:
            return self.local(Int(number / 10_000), Int(number / 100 % 100), Int(number % 100), 0, 0, 0).map {
                .local($0)
            }
        case 14:
            let date = number / 1_000_000
            let time = Int(number % 1_000_000)
            return self.local(
                Int(date / 10_000), Int(date / 100 % 100), Int(date % 100), time / 10_000, time / 100 % 100, time % 100
            ).map { .local($0) }
        default: return nil
        }
    }

    private static func local(
        _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int
    ) -> Int64? {
        guard (1...9_999).contains(year), (1...12).contains(month),
            (1...Civil.daysInMonth(year: year, month: month)).contains(day), (0..<24).contains(hour),
            (0..<60).contains(minute), (0..<60).contains(second)
        else { return nil }
        let days = Civil.days(year: year, month: month, day: day)
        return (days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)) * 1_000
    }

    /// Minutes from UTC of `+08:00`, `-0330` or `Z`, in seconds; nil on anything else, such as a zone's name.
    package static func offsetSeconds(_ text: String) -> Int? {
        if text == "Z" || text == "UTC" { return 0 }
        guard let sign = text.first, sign == "+" || sign == "-" else { return nil }
        let rest = text.dropFirst()
        let digits = rest.filter { $0.isASCII && $0.isNumber }
        guard digits.count == 4, rest.utf8.count == 4 || (rest.utf8.count == 5 && rest.dropFirst(2).first == ":"),
            let number = Int(digits), number / 100 <= 14, number % 100 < 60
        else { return nil }
        return (number / 100 * 3_600 + number % 100 * 60) * (sign == "-" ? -1 : 1)
    }
}

/// The runs of digits of a text with their lengths; of more than nine digits, the first nine.
private func digitRuns(_ text: String) -> [(number: Int, length: Int)] {
    text.utf8.split { !(48...57).contains($0) }.map { run in
        (run.prefix(9).reduce(0) { $0 * 10 + Int($1) - 48 }, min(run.count, 9))
    }
}
