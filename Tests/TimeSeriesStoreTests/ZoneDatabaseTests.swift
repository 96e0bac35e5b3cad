import Monitoring
import Testing
import TimeSeriesStore

@Suite struct ZoneDatabaseTests {
    private func offset(_ name: String, _ instant: String) throws -> Int {
        let zone = try #require(ZoneDatabase.zone(named: name))
        let milliseconds = try #require(Civil.parseRFC3339(instant))
        return zone.offsetSeconds(at: milliseconds)
    }

    @Test(arguments: [
        ("Asia/Ho_Chi_Minh", "1975-06-12T15:59:59Z", 28_800), ("Asia/Ho_Chi_Minh", "1975-06-12T16:00:00Z", 25_200),
        ("Asia/Ho_Chi_Minh", "2026-11-23T00:00:00Z", 25_200), ("Asia/Ho_Chi_Minh", "2109-01-01T00:00:00Z", 25_200),
        ("Europe/Berlin", "2026-03-29T00:59:59Z", 3_600), ("Europe/Berlin", "2026-03-29T01:00:00Z", 7_200),
        ("Europe/Berlin", "2100-07-01T00:00:00Z", 7_200), ("Pacific/Apia", "2011-12-30T09:59:59Z", -36_000),
        ("Pacific/Apia", "2011-12-30T10:00:00Z", 50_400), ("Asia/Kathmandu", "2026-01-01T00:00:00Z", 20_700),
        ("UTC", "2026-01-01T00:00:00Z", 0),
    ])
    func `a zone knows its offset at every instant a store can hold`(name: String, at: String, offset: Int) throws {
        #expect(try self.offset(name, at) == offset)
    }

    @Test(arguments: ["", "Mars/Base", "EST", "+07:00", "asia", "Asia/"])
    func `what is no name of the tz database is no zone`(name: String) {
        #expect(ZoneDatabase.zone(named: name) == nil)
    }
}
