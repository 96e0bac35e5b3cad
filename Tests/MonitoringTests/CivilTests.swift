import Foundation
import Monitoring
import Testing

struct CivilTests {
    private let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    @Test func `dates and days agree with Foundation from 1600 to 2400`() {
        var days = Civil.days(year: 1_600, month: 1, day: 1)
        let last = Civil.days(year: 2_400, month: 12, day: 31)
        var previous = Civil.date(days: days - 1)
        #expect(previous == (1_599, 12, 31))
        var wrong: [Int64] = []
        while days <= last {
            let date = Civil.date(days: days)
            var isRight =
                Civil.days(year: date.year, month: date.month, day: date.day) == days
                && (date.year, date.month, date.day) > (previous.year, previous.month, previous.day)
            if days % 97 == 0 {
                let parts = self.calendar.dateComponents(
                    [.year, .month, .day], from: Date(timeIntervalSince1970: Double(days) * 86_400))
                isRight = isRight && parts.year == date.year && parts.month == date.month && parts.day == date.day
            }
            if !isRight { wrong.append(days) }
            previous = date
            days += 1
        }
        #expect(wrong == [])
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-23T09:00:00+07:00", 1_795_399_200_000),
        ("2026-11-23T09:00:00.5+07:00", 1_795_399_200_500), ("2026-11-23T09:00:00.0019999+07:00", 1_795_399_200_001),
        ("2026-11-23t02:00:00z", 1_795_399_200_000), ("2026-11-23 02:00:00-00:00", 1_795_399_200_000),
        ("2000-02-29T23:59:59.999-00:30", 951_870_599_999), ("1969-12-31T23:59:59Z", -1_000),
    ])
    func `RFC 3339 texts are read to the millisecond`(text: String, milliseconds: Int64) {
        #expect(Civil.parseRFC3339(text) == milliseconds)
    }

    @Test(arguments: [
        "", "2026-11-23", "2026-11-23T09:00:00", "2026-11-23T09:00Z", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-11-23T24:00:00Z", "2026-11-23T23:60:00Z", "2026-11-23T23:59:60Z", "2026-11-23T09:00:00.Z",
        "2026-11-23T09:00:00+0700", "2026-11-23T09:00:00+07", "2026-11-23T09:00:00+24:00", "2026-11-23T09:00:00Zz",
        "0000-01-01T00:00:00Z", " 2026-11-23T09:00:00Z", "2026-1-23T09:00:00Z", "2026-11-23T09:00:00+07:00 ",
        "２026-11-23T09:00:00Z",
    ])
    func `anything else is no instant`(text: String) {
        #expect(Civil.parseRFC3339(text) == nil)
    }

    @Test func `what is written is read again`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3_000 {
            let milliseconds = Int64.random(in: -62_000_000_000_000...250_000_000_000_000, using: &random)
            let offset = Int.random(in: -(14 * 60)...(14 * 60), using: &random) * 60
            let text = Civil.formatRFC3339(milliseconds: milliseconds, offsetSeconds: offset)
            #expect(Civil.parseRFC3339(text) == milliseconds, "\(text)")
            #expect(text.utf8.count == 29, "\(text)")
            let whole = Civil.formatRFC3339(milliseconds: milliseconds, offsetSeconds: offset, decimals: false)
            #expect(Civil.parseRFC3339(whole) == Civil.floorDivide(milliseconds, 1_000) * 1_000, "\(whole)")
        }
    }

    @Test func `dates are read and written`() {
        #expect(Civil.parseDate("2026-11-23") == 20_780)
        #expect(Civil.formatDate(days: 20_780) == "2026-11-23")
        #expect(Civil.formatDate(days: -1) == "1969-12-31")
        for text in ["2026-11-31", "2026-11-23 ", "26-11-23", "2026/11/23", "2100-02-29", ""] {
            #expect(Civil.parseDate(text) == nil, "\(text)")
        }
    }

    @Test func `division rounds towards negative infinity`() {
        for dividend in Int64(-20)...20 {
            for divisor in [Int64(1), 3, 7] {
                #expect(
                    Double(Civil.floorDivide(dividend, divisor)) == (Double(dividend) / Double(divisor)).rounded(.down))
            }
        }
    }
}
