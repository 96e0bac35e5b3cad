import HTTPTypes
import Monitoring
import Testing
import TimeSeriesStore

@testable import WebServer

struct SeriesQueryTests {
    private let zone = ZoneDatabase.zone(named: "Asia/Ho_Chi_Minh")!
    private let now: Int64 = 1_795_420_800_000  // 2026-11-23T08:00:00Z

    private func query(_ pairs: KeyValuePairs<String, String>) throws(WebFailure) -> SeriesQuery {
        try SeriesQuery(pairs.map { (key: $0.key, value: $0.value) }, zone: self.zone, nowMilliseconds: self.now)
    }

    @Test(arguments: [
        ("2026-11-23", 1_795_366_800_000), ("2026-11-23T00:00:00+07:00", 1_795_366_800_000),
        ("2026-11-22T17:00:00Z", 1_795_366_800_000), ("2026-11-23T00:00:00 07:00", 1_795_366_800_000),
        ("1795366800000", 1_795_366_800_000), ("0", 0),
    ])
    func `a time is a date of the site, an instant with offset, or milliseconds`(text: String, expected: Int64) throws {
        #expect(try self.query(["from": text]).fromMilliseconds == expected)
    }

    @Test func `without keys the last month is asked for as hours`() throws {
        let query = try self.query([:])
        #expect(query.level == .hour)
        #expect(query.toMilliseconds == self.now)
        #expect(query.fromMilliseconds == self.now - 31 * Civil.millisecondsPerDay)
        #expect(query.columns.map(\.rawValue) == ["start", "mean", "n_valid", "n_due", "min", "max"])
    }

    @Test(arguments: [
        (["level": "2h"], "level", "raw, 1m, 1h, 1d"), (["from": "yesterday"], "from", "RFC 3339"),
        (["to": "2026-11-23T09:00:00"], "to", "offset"), (["to": "2026-13-01"], "to", "date"),
        (["from": "-5"], "from", "milliseconds"), (["to": "9999999999999999"], "to", "1970 to 2109"),
        (["colums": "mean"], "colums", "level, from, to, columns"), (["columns": "mean,value"], "columns", "n_valid"),
        (["columns": ""], "columns", "mean"), (["columns": "mean,mean"], "columns", "twice"),
        (["level": "raw", "columns": "mean"], "columns", "received"), (["from": "2", "to": "1"], "from", "from ≤ to"),
    ])
    func `a bad query names the key and what is allowed`(pairs: [String: String], key: String, allowed: String) {
        let error = #expect(throws: WebFailure.self) {
            try SeriesQuery(
                pairs.map { (key: $0.key, value: $0.value) }, zone: self.zone, nowMilliseconds: self.now)
        }
        #expect(error?.status.code == 400)
        #expect(error?.message.hasPrefix("\(key): ") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(allowed) == true, "\(error?.message ?? "")")
    }

    @Test func `a key given twice is refused`() {
        #expect(throws: WebFailure.badQuery("to: given twice")) { try self.query(["to": "1", "to": "2"]) }
    }
}
