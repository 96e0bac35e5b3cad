/// Durations as settings, station files and rules write them: `^[0-9]+(ms|s|m|h|d)$`, such as `250ms`, `60s`, `5m`,
/// `1h`, `400d`.
package enum DurationText {
    /// What a message tells a person who wrote something else.
    package static let expectation = "a whole number followed by ms, s, m, h or d, such as 90s or 5m"

    /// The units, longest first: how `format` tries them.
    private static let units: [(suffix: StaticString, milliseconds: Int64)] = [
        ("d", Civil.millisecondsPerDay), ("h", Civil.millisecondsPerHour), ("m", Civil.millisecondsPerMinute),
        ("s", Civil.millisecondsPerSecond), ("ms", 1),
    ]

    /// Milliseconds of a duration; nil on any other text and on more than `Int64` holds.
    package static func milliseconds(_ text: String) -> Int64? {
        let bytes = text.utf8
        let digits = bytes.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard !digits.isEmpty else { return nil }
        let suffix = bytes[digits.endIndex...]
        guard
            let unit = self.units.first(where: { unit in
                unit.suffix.withUTF8Buffer { $0.elementsEqual(suffix) }
            })
        else { return nil }
        var count: Int64 = 0
        for digit in digits {
            let (tenfold, overflow) = count.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int64(digit) - 48)
            guard !overflow, !carry else { return nil }
            count = sum
        }
        let (milliseconds, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds)
        return overflow ? nil : milliseconds
    }

    /// The shortest way to write it in one unit, such as `90s`; a negative duration has no text of this form.
    package static func format(milliseconds: Int64) -> String {
        guard milliseconds != 0 else { return "0s" }
        let unit = self.units.first { milliseconds % $0.milliseconds == 0 }
        return "\(milliseconds / (unit?.milliseconds ?? 1))\(unit?.suffix ?? "ms")"
    }
}
