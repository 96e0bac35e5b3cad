import Monitoring
import Testing
import TimeSeriesStore

/// One series at the sizes where chunks are closed, split and reopened.
struct ChunkBoundaryTests {
    private final class One {
        let store: TestStore
        let series: Series
        var naive: NaiveStore
        private var received = TestStations.baseMilliseconds

        init(_ station: String = "hcm-1", _ parameter: String = "PM10") throws {
            self.store = try TestStore()
            try self.store.importStations()
            self.series = self.store.series(station, parameter)
            self.naive = NaiveStore(self.store.writer.registry)
        }

        func send(_ times: some Sequence<Int64>) throws {
            let station = self.store.writer.registry.station(of: self.series).number
            let samples = times.map { time in
                TestSample(
                    timeMilliseconds: time,
                    readings: [TestReading(series: self.series.number, value: Double(time / 1_000 % 977) / 10)])
            }
            self.received += 1_000
            let frame = TestFrame(
                receivedMilliseconds: self.received, messages: [TestMessage(station: station, samples: samples)])
            try self.store.commit(frame)
            self.naive.take(frame)
        }

        func merge() throws { try self.store.writer.mergeEverything(nowMilliseconds: self.received) }

        func check(_ note: String) throws {
            let check = StoreCheck(reader: self.store.reader, naive: self.naive, note: note)
            try check.range(self.series, 0..<TimeBounds.endMilliseconds, 1_000)
        }
    }

    private static let base = TestStations.baseMilliseconds

    private static func times(_ count: Int, from: Int64 = base, step: Int64 = 1_000) -> [Int64] {
        (0..<count).map { from + Int64($0) * step }
    }

    @Test(arguments: [1, 1_023, 1_024, 1_025, 2_048, 2_049])
    func `a chunk is closed when another reading follows it`(count: Int) throws {
        let one = try One()
        try one.send(Self.times(count))
        try one.merge()
        try one.check("\(count) at once")
        // One more, then the same again, then one that is late.
        try one.send(Self.times(count + 1))
        try one.merge()
        try one.check("\(count) and one more")
        try one.send([Self.base + 500, Self.base - 1])
        try one.check("\(count) and two late, not merged")
        try one.merge()
        try one.check("\(count) and two late")
    }

    @Test(arguments: [1, 1_024, 2_049])
    func `late data before the first chunk, into the middle of one and between two`(late: Int) throws {
        let one = try One()
        try one.send(Self.times(3_000, step: 4_000))
        try one.merge()
        try one.send(Self.times(late, from: Self.base - 5_000_000))
        try one.check("\(late) before the first, not merged")
        try one.merge()
        try one.check("\(late) before the first")
        try one.send(Self.times(late, from: Self.base + 1 + 500 * 4_000, step: 2))
        try one.merge()
        try one.check("\(late) in the middle of one chunk")
        try one.send(Self.times(late, from: Self.base + 1_024 * 4_000 - 1, step: 3))
        try one.merge()
        try one.check("\(late) between two chunks")
        try one.store.crash()
        try one.check("after a crash")
    }

    @Test(
        arguments: zip(
            ["hcm-1", "berlin-1", "howe-1", "ktm-1", "berlin-1", "howe-1"], [121, 122, 123, 217, 218, 219]))
    func `hours and days are the same where their chunks are closed`(station: String, hours: Int) throws {
        let one = try One(station)
        try one.send(Self.times(hours, step: 3_600_000))
        try one.merge()
        try one.check("\(hours) hours")
        try one.send(Self.times(3, from: Self.base + Int64(hours) * 3_600_000, step: 3_600_000))
        try one.merge()
        try one.check("\(hours) and 3 hours")
        // Late data re-open an hour in a closed chunk, add one before all, and one between.
        try one.send([Self.base + 30_000, Self.base + 95 * 3_600_000 + 1, Self.base - 7_200_000])
        try one.check("late, not merged")
        try one.merge()
        try one.check("late")
    }

    @Test(arguments: [65, 66, 67, 131])
    func `days are the same where their chunks are closed`(days: Int) throws {
        let one = try One("berlin-1", "Tonnage")
        try one.send(Self.times(days, step: 86_400_000))
        try one.merge()
        try one.check("\(days) days")
        try one.send(Self.times(days, from: Self.base + 43_200_000, step: 86_400_000))
        try one.check("\(days) days, late noons not merged")
        try one.merge()
        try one.check("\(days) days and late noons")
        try one.send([Self.base - 3 * 86_400_000, Self.base + Int64(days + 9) * 86_400_000])
        try one.merge()
        try one.check("\(days) days, one before and one after a gap")
    }

    @Test func `a series without readings is empty at every level`() throws {
        let one = try One()
        try one.check("empty")
        #expect(try one.store.reader.latest(of: one.series) == nil)
        // Its station has some: the receipts are there, the series is not.
        try one.store.commit(one.store.series("hcm-1", "Rain"), [(Self.base, 1)])
        try one.merge()
        try one.check("beside a series that has one")
    }

    @Test func `any range may be asked for`() throws {
        let one = try One()
        try one.send(Self.times(30, step: 61_000))
        let reader = one.store.reader
        for isMerged in [false, true] {
            if isMerged { try one.merge() }
            for (from, to) in [(Int64.min, Int64.max), (0, 1 << 42), (-5, 1 << 50)] {
                let readings = try reader.readings(of: one.series, from: from, to: to, limit: 100)
                #expect(readings.count == 30)
                #expect(try reader.versions(of: one.series, from: from, to: to, limit: 100).count == 30)
                for level in [Level.minute, .hour, .day] {
                    let rows = try reader.rollups(of: one.series, level: level, from: from, to: to, limit: 100)
                    #expect(rows.reduce(0) { $0 + $1.rollup.n } == 30, "\(level) \(from) \(to)")
                }
            }
            for (from, to) in [(Self.base, Self.base), (Self.base + 9, Self.base), (Int64.max, Int64.min)] {
                #expect(try reader.readings(of: one.series, from: from, to: to, limit: 100).isEmpty)
                for level in [Level.minute, .hour, .day] {
                    let rows = try reader.rollups(of: one.series, level: level, from: from, to: to, limit: 100)
                    #expect(rows.isEmpty, "\(level) \(from) \(to)")
                }
            }
        }
    }

    @Test func `the earliest and the latest time a reading may have`() throws {
        for station in ["hcm-1", "berlin-1", "howe-1", "ktm-1"] {
            let one = try One(station)
            let first = TimeBounds.earliestMilliseconds
            let last = TimeBounds.endMilliseconds - 2
            try one.send([first, last])
            try one.check("not merged")
            try one.merge()
            try one.check("merged")
            try one.send(Self.times(200, from: first + 1, step: 86_400_000))
            try one.merge()
            try one.check("with closed chunks")
        }
    }
}
