import Monitoring
import Simulation
import Testing

struct HistoryTests {
    @Test func `fields are split as RFC 4180 says`() {
        #expect(CSV.fields("a,b,,d".utf8) == ["a", "b", "", "d"])
        #expect(CSV.fields("\"a,b\",\"say \"\"x\"\"\",c\r".utf8) == ["a,b", "say \"x\"", "c"])
        #expect(CSV.fields("\"\",".utf8) == ["", ""])
        #expect(CSV.fields("".utf8) == [""])
    }

    @Test(arguments: [("4.0", "4.0"), ("-19.7", "-19.7"), (".5", "0.5"), ("+3", "3.0"), ("007", "7.0"), ("1e2", "1e2")])
    func `a number keeps its text when JSON can hold it`(field: String, sent: String) {
        #expect(CSV.quantity(field) == .literal(sent))
        #expect(CSV.quantity(field)?.number == Double(field))
    }

    @Test(arguments: ["", "NA", "nan", "inf", "-inf", "1e999", "NE", "1,5", "-", "12 "])
    func `what is no finite number is a gap`(field: String) { #expect(CSV.quantity(field) == nil) }

    @Test(arguments: [
        ("2013-03-01 07:05:09", Int64(1_362_121_509_000)), ("2013-03-01T07:05:09", 1_362_121_509_000),
        ("2013-03-01 07:05", 1_362_121_500_000), ("2013/03/01 7:05", 1_362_121_500_000),
        ("01/03/2013 07:05:09", 1_362_121_509_000), ("20130301070509", 1_362_121_509_000),
        ("2013-03-01 07:05:09.25", 1_362_121_509_250), ("2013-03-01", 1_362_096_000_000),
    ])
    func `a local time is read`(text: String, milliseconds: Int64) {
        #expect(FileTime(text) == .local(milliseconds))
    }

    @Test func `a time with an offset needs no zone`() {
        #expect(FileTime("2013-03-01T08:00:00+08:00") == .instant(1_362_096_000_000))
        #expect(FileTime("1362096000") == .instant(1_362_096_000_000))
        #expect(FileTime("1362096000123") == .instant(1_362_096_000_123))
    }

    @Test(arguments: [
        "", "now", "2013-02-29 00:00:00", "2013-13-01", "2013-03-01 24:00", "2013-03-01 07-05", "1-2-3", "12:30",
        "2013-03-01 07:05:09:25", "99999999",
    ])
    func `what is no time is refused`(text: String) { #expect(FileTime(text) == nil) }

    @Test(arguments: [("+08:00", 28_800), ("-0330", -12_600), ("Z", 0), ("UTC", 0)])
    func `a fixed offset is read`(text: String, seconds: Int) { #expect(FileTime.offsetSeconds(text) == seconds) }

    @Test(arguments: ["Asia/Ho_Chi_Minh", "+8", "08:00", "+15:00", "+07:60", ""])
    func `what is no offset is left to the zone names`(text: String) { #expect(FileTime.offsetSeconds(text) == nil) }

    @Test func `columns are chosen by name, and renamed`() throws {
        let plain = try #require(ColumnChoice("PM2.5"))
        #expect(plain.parameter == "PM2.5" && plain.unit == nil)
        let renamed = try #require(ColumnChoice("pm 2,5:PM2.5:µg/m³"))
        #expect(renamed.column == "pm 2,5" && renamed.parameter == "PM2.5" && renamed.unit == "µg/m³")
        #expect(ColumnChoice("") == nil && ColumnChoice("a:") == nil)
        #expect(!ColumnChoice.isUsual("No") && !ColumnChoice.isUsual("hour") && ColumnChoice.isUsual("TEMP"))
    }
}
