import GRDB
import Monitoring
import Testing
import TimeSeriesStore

/// The ledgers are checked while the service runs, and a wrong figure is found and named (I5).
struct LedgerCheckTests {
    private let base = TestStations.baseMilliseconds

    private func filled() throws -> TestStore {
        let store = try TestStore()
        try store.importStations()
        try store.commit(
            store.series("hcm-1", "PM10"), (0..<20).map { (self.base + $0 * 60_000, 1) }, received: self.base)
        return store
    }

    private func imbalances(_ store: TestStore) throws -> [LedgerCheckResult] {
        var found: [Int32: LedgerCheckResult] = [:]
        // Everything at most once: those that do not add up stay on the list.
        for _ in 0..<10 {
            for result in try store.writer.checkLedgers(limit: 3) { found[result.station] = result }
        }
        return found.values.filter { $0.imbalance != nil }.sorted { $0.station < $1.station }
    }

    /// Changes the table behind the writer's back.
    private func corrupt(_ store: TestStore, _ sql: String) throws {
        try DatabaseQueue(path: store.path).write { try $0.execute(sql: sql) }
    }

    @Test(arguments: ["stored = stored + 1", "readings = readings - 1", "received = received + 1", "repeated = 1"])
    func `a wrong figure of a folded day is found, and found to be mended`(change: String) throws {
        let store = try self.filled()
        try store.writer.mergeEverything(nowMilliseconds: self.base)
        try store.writer.foldLedger(alertSnapshot: [])
        #expect(try self.imbalances(store).isEmpty)
        let station = store.writer.registry.station(of: store.series("hcm-1", "PM10")).number
        try self.corrupt(store, "UPDATE ledger SET \(change) WHERE station = \(station)")
        // Nothing says that it changed until something of that day does.
        try store.commit(store.series("hcm-1", "PM10"), [(self.base + 9_000_000, 2)], received: self.base + 1_000)
        let found = try self.imbalances(store)
        #expect(found.map(\.station) == [station])
        let imbalance = try #require(found.first?.imbalance)
        #expect(imbalance.day == self.base / 86_400_000, "\(imbalance)")
        #expect(imbalance.figures.contains("but"), "\(imbalance)")
        let inverse = ["stored = stored - 1", "readings = readings + 1", "received = received - 1", "repeated = 0"]
        let index = ["stored = stored + 1", "readings = readings - 1", "received = received + 1", "repeated = 1"]
            .firstIndex(of: change)
        try self.corrupt(store, "UPDATE ledger SET \(inverse[try #require(index)]) WHERE station = \(station)")
        #expect(try self.imbalances(store).isEmpty)
    }

    @Test func `at the start every day is checked, however old`() throws {
        let store = try self.filled()
        try store.writer.mergeEverything(nowMilliseconds: self.base)
        try store.writer.foldLedger(alertSnapshot: [])
        try self.corrupt(store, "INSERT INTO ledger VALUES (2, 17000, 1, 1, 0, 0, 0, 5, 0, 4, 0, 0)")
        try store.reopen()
        #expect(try self.imbalances(store).isEmpty)
        store.writer.touchAllLedgers()
        let found = try self.imbalances(store)
        #expect(found.map(\.station) == [2])
        #expect(found.first?.imbalance?.day == 17_000)
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(12))
    func `nothing is ever found wrong in a store that nobody touched`(seed: UInt64) throws {
        let store = try TestStore()
        try store.importStations()
        var random = TestRandom(seed: seed)
        var traffic = Traffic(store.writer.registry, seed: seed)
        for frame in traffic.frames(.init(samples: 1...80, contradictions: 20)) {
            try store.commit(frame)
            switch random.int(0...9) {
            case 0: try store.writer.mergeEverything(nowMilliseconds: frame.receivedMilliseconds)
            case 1: _ = try store.writer.mergeSlice(.init(ageMillisecondsMax: 0, headBytesMax: 1), nowMilliseconds: 0)
            case 2, 3: try store.writer.foldLedger(alertSnapshot: [UInt8(random.int(0...255))])
            case 4: while try store.writer.trimJournal() {}
            case 5:
                try store.crash()
                store.writer.touchAllLedgers()
            default: break
            }
            let found = try store.writer.checkLedgers(limit: random.int(1...4)).filter { $0.imbalance != nil }
            #expect(found.isEmpty, "seed \(seed)")
        }
        store.writer.touchAllLedgers()
        #expect(try self.imbalances(store).isEmpty, "seed \(seed)")
    }

    @Test func `a clock that changes between receipt and merge leaves every day in balance`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        // 20:00Z is the next day in Ho Chi Minh City and the same day in Lisbon.
        let received = self.base + 20 * 3_600_000
        try store.commit(series, [(self.base, 1), (self.base + 1_000, 1)], received: received)
        var file = TestStations.file
        file.sites[0].timeZone = "Europe/Lisbon"
        _ = try store.writer.importStations(
            file, validFromMilliseconds: self.base + 3_600_000, nowMilliseconds: received)
        try store.commit(series, [(self.base + 2_000, 1)], received: received)
        try store.writer.mergeEverything(nowMilliseconds: received)
        store.writer.touchAllLedgers()
        #expect(try self.imbalances(store).isEmpty)
        try store.crash()
        let rows = try store.reader.ledger().filter { $0.key.station == 1 }.sorted { $0.key.day < $1.key.day }
        #expect(rows.map(\.value.readings) == [1, 2])
        #expect(rows.map(\.value.stored) == [1, 2])
    }

    @Test func `missing numbers are counted with the check`() throws {
        let store = try TestStore()
        try store.importStations()
        let station = store.writer.registry.stations[0].number
        for number in [Int64(1), 2, 5, 9] {
            try store.commit(
                TestFrame(
                    receivedMilliseconds: self.base,
                    messages: [TestMessage(station: station, sequence: number, boot: "b")]))
        }
        let result = try #require(try store.writer.checkLedgers(limit: 9).first { $0.station == station })
        #expect(result.missingCount == 5 && result.imbalance == nil)
    }
}
