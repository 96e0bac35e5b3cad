import Monitoring
import Testing

struct DueTests {
    private let midnight: Int64 = 1_795_366_800_000  // 2026-11-23T00:00:00+07:00

    private func station(interval: Dated<Int64?>, retired: Int64?) throws -> Station {
        Station(
            number: 1, id: try #require(StationID("a")), name: "A", siteIndex: 0, kind: .mine, latitude: nil,
            longitude: nil, intervalMilliseconds: interval, retiredMilliseconds: retired, seriesIndices: [])
    }

    private func hour(_ start: Int64) -> Bucket {
        Bucket(startMilliseconds: start, endMilliseconds: start + 3_600_000)
    }

    @Test func `a retired station owes nothing from its retirement on`() throws {
        let station = try self.station(interval: Dated(600_000), retired: self.midnight)
        #expect(station.due(in: self.hour(self.midnight - 3_600_000)) == 6)
        #expect(station.due(in: self.hour(self.midnight)) == 0)
        #expect(station.due(in: self.hour(self.midnight + 3_600_000)) == 0)
    }

    @Test func `the interval is the one in force when the bucket starts, and none means unknown`() throws {
        let entries: [Dated<Int64?>.Entry] = [
            .init(fromMilliseconds: .min, value: 600_000), .init(fromMilliseconds: self.midnight, value: 60_000),
            .init(fromMilliseconds: self.midnight + 3_600_000, value: nil),
        ]
        let station = try self.station(interval: try #require(Dated(entries: entries)), retired: nil)
        #expect([-3_600_000, 0, 3_600_000].map { station.due(in: self.hour(self.midnight + $0)) } == [6, 60, nil])
    }
}
