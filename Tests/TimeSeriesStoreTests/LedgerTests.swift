import Monitoring
import Testing
import TimeSeriesStore

struct SequenceAccountTests {
    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(200))
    func `an account is that of the set of numbers, whatever their order`(seed: UInt64) {
        var random = TestRandom(seed: seed)
        let base = random.int64(0...9_007_199_254_730_000)
        let span = [3, 40, 900, 3_900].randomElement(using: &random) ?? 3
        var numbers = (0..<random.int(1...600)).map { _ in base + Int64(random.int(0...span)) }
        numbers.shuffle(using: &random)
        var account = SequenceAccount(boot: [98], opened: 1, firstSequence: numbers[0])
        var known: Set<Int64> = [numbers[0]]
        for number in numbers.dropFirst() {
            let isNew = account.receive(number)
            #expect(isNew == known.insert(number).inserted, "seed \(seed), number \(number)")
            #expect(account.balances, "seed \(seed)")
        }
        let sorted = known.sorted()
        let gaps = zip(sorted, sorted.dropFirst()).filter { $1 > $0 + 1 }.map { ($0 + 1)...($1 - 1) }
        #expect(account.gaps == gaps, "seed \(seed)")
        #expect(account.first == sorted[0] && account.through == sorted[sorted.count - 1], "seed \(seed)")
        #expect(account.distinctCount == Int64(known.count), "seed \(seed)")
        #expect(account.repeatedCount == Int64(numbers.count - known.count), "seed \(seed)")
        #expect(account.missingCount == gaps.reduce(0) { $0 + Int64($1.count) }, "seed \(seed)")
    }

    @Test func `gaps beyond the bound are declared lost and the account still balances`() {
        var account = SequenceAccount(boot: [], opened: 1, firstSequence: 0)
        for number in stride(from: Int64(2), through: 4_000, by: 2) {
            let isNew = account.receive(number)
            #expect(isNew && account.balances)
        }
        #expect(account.gaps.count == 1_024 && account.missingCount == 2_000 && account.lostCount == 976)
    }

    @Test func `a number far below the first belongs to a restart that nobody told of`() {
        var account = SequenceAccount(boot: [], opened: 1, firstSequence: 1_000_000)
        let isNew = account.receive(1)
        #expect(!isNew && account.first == 1_000_000 && account.balances)
    }
}

struct LedgerTests {
    @Test func `fates are counted on the day their message was received`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        let base = TestStations.baseMilliseconds
        // 16:59:59.999Z and 17:00Z: two local days in Ho Chi Minh City.
        let evening = base + 17 * 3_600_000 - 1
        try store.commit(series, [(base, 1), (base + 1, 1), (base, 1)], received: evening)
        try store.commit(series, [(base, 2), (base + 2, 1), (base, 1)], received: evening + 1)
        try store.writer.mergeEverything(nowMilliseconds: base)
        let rows = try store.reader.ledger().sorted { $0.key.day < $1.key.day }.map(\.value)
        #expect(rows.map(\.stored) == [2, 1])
        #expect(rows.map(\.duplicate) == [1, 1])
        #expect(rows.map(\.revised) == [0, 1])
        #expect(rows.map(\.undecided) == [0, 0])
    }

    @Test func `a message of a station nobody knows is counted under no station`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        let base = TestStations.baseMilliseconds
        let sample = TestSample(timeMilliseconds: base, readings: [TestReading(series: series.number, value: 4)])
        let stranger = TestMessage(station: 99, sequence: 5, boot: "x", samples: [sample, sample])
        let known = TestMessage(station: store.writer.registry.station(of: series).number, samples: [sample])
        let committed = try store.commit(TestFrame(receivedMilliseconds: base, messages: [stranger, known]))
        #expect(committed.messages == 2 && committed.readings == 1)
        let ledger = try store.reader.ledger()
        #expect(ledger.first { $0.key.station == 0 }?.value.received == 1)
        #expect(try store.reader.latest(of: series)?.value == 4)
    }

    @Test func `the accounts of the last boots are kept, older ones go`() throws {
        let store = try TestStore()
        try store.importStations()
        let station = store.writer.registry.stations[0]
        for boot in 1...6 {
            for number in [Int64(1), 2, 4] {
                try store.commit(
                    TestFrame(
                        receivedMilliseconds: TestStations.baseMilliseconds,
                        messages: [TestMessage(station: station.number, sequence: number, boot: "b\(boot)")]))
            }
            if boot == 4 {
                try store.writer.foldLedger(alertSnapshot: [])
                try store.crash()
            }
        }
        func boots() -> [String] {
            store.reader.accounts(of: station).map { String(decoding: $0.boot, as: UTF8.self) }
        }
        #expect(boots() == ["b3", "b4", "b5", "b6"])
        try store.crash()
        #expect(boots() == ["b3", "b4", "b5", "b6"])
        try store.writer.foldLedger(alertSnapshot: [])
        while try store.writer.trimJournal() {}
        try store.crash()
        #expect(boots() == ["b3", "b4", "b5", "b6"])
        for account in store.reader.accounts(of: station) {
            #expect(account.gaps == [3...3] && account.distinctCount == 3 && account.repeatedCount == 0)
        }
    }

    @Test func `fresh readings counted at commit are stored in the end`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        let base = TestStations.baseMilliseconds
        let fresh = try store.commit(series, [(base, 1), (base + 5, 1), (base + 3, 1), (base + 5, 1)]).fresh
        #expect(fresh == 2)
        let merged = try store.writer.mergeEverything(nowMilliseconds: base)
        #expect(merged.stored == 3 && merged.duplicate == 1 && merged.fresh == 2)
    }
}
