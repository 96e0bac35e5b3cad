import Monitoring
import Testing

@testable import TimeSeriesStore

/// A failure that a test causes.
private struct Planned: Error {}

struct LostNumbersTests {
    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(200))
    func `an account with numbers declared lost is that of two sets, whatever the order`(seed: UInt64) {
        var random = TestRandom(seed: seed)
        let span = Int64([5, 40, 900].randomElement(using: &random) ?? 5)
        var account = SequenceAccount(boot: [98], opened: 1, firstSequence: span / 2)
        var known: Set<Int64> = [span / 2]
        var lost: Set<Int64> = []
        var repeated: Int64 = 0
        for _ in 0..<random.int(1...400) {
            if random.chance(15) {
                let from = random.int64(0...span)
                let range = from...random.int64(from...span)
                account.declareLost(range)
                let (first, last) = (known.min() ?? 0, known.max() ?? 0)
                lost.formUnion(range.filter { $0 > first && $0 < last && !known.contains($0) })
            } else {
                let number = random.int64(0...span)
                let isNew = account.receive(number)
                #expect(isNew == known.insert(number).inserted, "seed \(seed), number \(number)")
                lost.remove(number)
                if !isNew { repeated += 1 }
            }
            #expect(account.balances, "seed \(seed)")
        }
        let sorted = known.sorted()
        let missing = (sorted[0]...sorted[sorted.count - 1]).filter { !known.contains($0) && !lost.contains($0) }
        #expect(account.gaps.flatMap { Array($0) } == missing, "seed \(seed)")
        #expect(account.lostRanges.flatMap { Array($0) } == lost.sorted(), "seed \(seed)")
        #expect(account.lostCount == Int64(lost.count) && account.repeatedCount == repeated, "seed \(seed)")
        #expect(account.distinctCount == Int64(known.count), "seed \(seed)")
    }

    @Test func `ranges of lost numbers are bounded, and the account still balances`() {
        var account = SequenceAccount(boot: [], opened: 1, firstSequence: 0)
        for number in stride(from: Int64(2), through: 2_000, by: 2) { _ = account.receive(number) }
        account.declareLost(0...2_000)
        #expect(account.gaps.isEmpty && account.lostCount == 1_000 && account.balances)
        #expect(account.lostRanges.count == 256)
        // One of those that are no longer remembered is a repetition: stored, but not counted as distinct.
        let forgotten = account.receive(1)
        let remembered = account.receive(1_999)
        #expect(!forgotten && remembered && account.balances)
    }
}

struct BackfillStoreTests {
    private func store(receiving numbers: [Int64]) throws -> (TestStore, Station) {
        let store = try TestStore()
        try store.importStations()
        let station = store.writer.registry.stations[0]
        try self.receive(numbers, store, station)
        return (store, station)
    }

    private func receive(_ numbers: [Int64], _ store: TestStore, _ station: Station) throws {
        for number in numbers {
            try store.commit(
                TestFrame(
                    receivedMilliseconds: TestStations.baseMilliseconds,
                    messages: [TestMessage(station: station.number, sequence: number, boot: "b")]))
        }
    }

    private func request(_ store: TestStore, _ station: Station, _ numbers: ClosedRange<Int64>) -> BackfillRequest {
        BackfillRequest(
            id: store.writer.reserveBackfill(), station: station.number, boot: Array("b".utf8), numbers: numbers,
            times: nil, noticedMilliseconds: 1, askedMilliseconds: 2, attempts: 1, dueMilliseconds: 3, state: .asked)
    }

    private func lost(_ station: Station, _ numbers: ClosedRange<Int64>) -> BackfillChange {
        var change = BackfillChange()
        change.lost = [LostNumbers(station: station.number, boot: Array("b".utf8), numbers: numbers)]
        return change
    }

    @Test func `what was declared lost stays lost after a crash, with what came before and after`() throws {
        let (store, station) = try self.store(receiving: [1, 5, 9])
        try store.writer.apply(self.lost(station, 2...4), nowMilliseconds: 1)
        try self.receive([12], store, station)
        for _ in 0..<2 {
            let account = try #require(store.reader.accounts(of: station).first)
            #expect(account.gaps == [6...8, 10...11] && account.lostCount == 3 && account.balances)
            try store.crash()
        }
        // One that comes after all is new, once.
        try self.receive([3, 3], store, station)
        try store.writer.foldLedger(alertSnapshot: [])
        while try store.writer.trimJournal() {}
        try store.crash()
        let account = try #require(store.reader.accounts(of: station).first)
        #expect(account.lostRanges == [2...2, 4...4] && account.repeatedCount == 1 && account.balances)
        let counts = try store.reader.ledger().values.reduce(into: (0, 0)) {
            $0.0 += $1.decoded
            $0.1 += $1.repeated
        }
        #expect(counts == (5, 1))
    }

    @Test func `when the transaction fails nothing is lost`() throws {
        let (store, station) = try self.store(receiving: [1, 5])
        let before = store.reader.accounts(of: station)
        store.writer.faults = StoreFaults(.commit, nth: 1, error: Planned())
        #expect(throws: Planned.self) { try store.writer.apply(self.lost(station, 2...4), nowMilliseconds: 1) }
        #expect(store.reader.accounts(of: station) == before)
        try store.crash()
        #expect(store.reader.accounts(of: station) == before)
    }

    @Test func `a request and its command are kept; a resolved one takes back what still waits`() throws {
        let (store, station) = try self.store(receiving: [1, 5])
        var change = BackfillChange()
        var request = self.request(store, station, 2...4)
        change.requests = [request]
        change.commands = [
            OutboxMessage(
                key: "backfill/\(request.id)/1", channel: OutboxChannel.station("hcm-1"), body: "{}",
                createdMilliseconds: 1)
        ]
        try store.writer.apply(change, nowMilliseconds: 1)
        try store.crash()
        #expect(try store.reader.openBackfills() == [request])
        #expect(try store.reader.pendingCommands(after: 0, limit: 9).map(\.channel) == ["mqtt:hcm-1"])
        // Those who deliver to people do not see it.
        #expect(try store.reader.outboxHeads().isEmpty)
        #expect(store.writer.reserveBackfill() > request.id)
        change = BackfillChange()
        request.state = .filled
        request.resolvedMilliseconds = 9
        change.requests = [request]
        try store.writer.apply(change, nowMilliseconds: 9)
        #expect(try store.reader.openBackfills().isEmpty)
        #expect(try store.reader.pendingCommands(after: 0, limit: 9).isEmpty)
        #expect(try store.reader.backfills(of: station, limit: 9) == [request])
    }

    @Test func `when a station was last heard outlives the journal`() throws {
        let (store, station) = try self.store(receiving: [1])
        #expect(store.reader.accountsWithHoles(of: station.number)?.heardMilliseconds == TestStations.baseMilliseconds)
        try store.writer.mergeEverything(nowMilliseconds: TestStations.baseMilliseconds)
        try store.writer.foldLedger(alertSnapshot: [])
        while try store.writer.trimJournal() {}
        try store.crash()
        #expect(store.reader.accountsWithHoles(of: station.number)?.heardMilliseconds == TestStations.baseMilliseconds)
    }
}
