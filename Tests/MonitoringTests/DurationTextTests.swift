import Monitoring
import Testing

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("0s", 0), ("250ms", 250), ("90s", 90_000), ("5m", 300_000), ("1h", 3_600_000), ("400d", 34_560_000_000),
        ("007s", 7_000), ("9223372036854775807ms", Int64.max), ("106751991167d", 9_223_372_036_828_800_000),
    ])
    func `a whole number and a unit is a duration`(text: String, milliseconds: Int64) {
        #expect(DurationText.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "5", "m", "-5m", "+5m", "5 m", " 5m", "5m ", "5M", "1.5h", "5min", "5sm", "5m5s", "5\u{301}m", "٥m", "5w",
        "9223372036854775808ms", "106751991168d", "99999999999999999999999s",
    ])
    func `anything else, and what does not fit, is none`(text: String) {
        #expect(DurationText.milliseconds(text) == nil)
    }

    @Test(arguments: [
        (0, "0s"), (250, "250ms"), (1_000, "1s"), (90_000, "90s"), (300_000, "5m"), (7_200_000, "2h"),
        (86_400_000, "1d"), (Int64.max, "9223372036854775807ms"),
    ])
    func `it is written in the longest unit that fits, and reads back`(milliseconds: Int64, text: String) {
        #expect(DurationText.format(milliseconds: milliseconds) == text)
        #expect(DurationText.milliseconds(text) == milliseconds)
    }
}
