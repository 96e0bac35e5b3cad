import Monitoring
import Testing
import TimeSeriesStore

/// Whatever the order, the repeats, the merges, the crashes: what is served is what a naive computation gives (I3, I4,
/// I5).
struct StorePropertyTests {
    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(16))
    func `any order with merges and crashes anywhere serves the same bits`(seed: UInt64) throws {
        try StoreRun(seed: seed).run(Traffic.Plan(samples: 1...120))
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(2))
    func `long series with late data in full chunks serve the same bits`(seed: UInt64) throws {
        try StoreRun(seed: seed).run(Traffic.Plan(samples: 1_100...2_600))
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(10))
    func `versions are kept in the order of their first arrival`(seed: UInt64) throws {
        try StoreRun(seed: seed).run(Traffic.Plan(samples: 1...80, contradictions: 40))
    }
}

/// One random life of a store beside the naive one.
final class StoreRun {
    private let seed: UInt64
    private var random: TestRandom
    private let store: TestStore
    private var naive: NaiveStore
    private var received: Int64 = 0
    private var steps: [String] = []

    init(seed: UInt64) throws {
        self.seed = seed
        self.random = TestRandom(seed: seed ^ 0x5EED)
        self.store = try TestStore()
        try self.store.importStations()
        self.naive = NaiveStore(self.store.writer.registry)
    }

    private var note: String { "seed \(self.seed) after \(self.steps.suffix(12).joined(separator: " "))" }

    func run(_ plan: Traffic.Plan) throws {
        var traffic = Traffic(self.store.writer.registry, seed: self.seed)
        let frames = traffic.frames(plan)
        let isLong = frames.count > 200 || plan.samples.upperBound > 1_000
        let upkeep = min(40, 1_500 / max(frames.count, 1))
        for frame in frames {
            self.received = frame.receivedMilliseconds
            let committed = try self.store.commit(frame)
            self.naive.take(frame)
            self.steps.append("c\(committed.sequence)")
            while self.random.chance(upkeep) { try self.upkeep() }
            if self.random.chance(isLong ? 1 : 4) { try self.check(count: 2) }
        }
        try self.finish()
    }

    private func upkeep() throws {
        switch self.random.int(0...9) {
        case 0...4: try self.merge()
        case 5, 6:
            try self.store.writer.foldLedger(alertSnapshot: Array("state \(self.received)".utf8))
            self.steps.append("fold")
        case 7:
            while try self.store.writer.trimJournal() {}
            self.steps.append("trim")
        case 8:
            try self.store.crash()
            self.steps.append("crash")
        default:
            try self.store.reopen()
            self.steps.append("reopen")
        }
    }

    private func merge() throws {
        let age = [0, 60_000, 3_600_000].randomElement(using: &self.random) ?? 0
        let bytes = [0, 1, 3_000, 64 << 20].randomElement(using: &self.random) ?? 0
        var policy = MergePolicy(ageMillisecondsMax: Int64(age), headBytesMax: bytes)
        policy.sliceMillisecondsMax = self.random.chance(70) ? 0 : 15
        for _ in 0...self.random.int(0...3) {
            let slice = try self.store.writer.mergeSlice(policy, nowMilliseconds: self.received)
            self.steps.append("merge \(slice?.stations ?? 0)")
            guard slice != nil else { return }
            if self.random.chance(15) {
                try self.store.crash()
                self.steps.append("crash")
            }
        }
    }

    private func check(count: Int) throws {
        let check = StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note)
        try check.samples(&self.random, count: count)
        try check.ledgers(isMerged: false)
    }

    private func finish() throws {
        try StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note).everything(limit: 1_000)
        try self.check(count: 4)
        let beside = try StoreReader.open(path: self.store.path, defaultZone: "Asia/Ho_Chi_Minh")
        let besideCheck = StoreCheck(reader: beside, naive: self.naive, note: "beside, \(self.note)")
        try besideCheck.samples(&self.random, count: 3)
        try besideCheck.ledgers(isMerged: false)

        try self.store.writer.mergeEverything(nowMilliseconds: self.received)
        self.steps.append("merge everything")
        #expect(self.store.reader.headSize.readings == 0, "\(self.note)")
        try StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note).everything(limit: 1_000)
        try self.check(count: 4)
        try StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note).ledgers(isMerged: true)
        // The copy taken before the merge serves the same from chunks it overlays with what is now merged.
        try besideCheck.samples(&self.random, count: 3)

        try self.store.writer.foldLedger(alertSnapshot: [])
        while try self.store.writer.trimJournal() {}
        self.steps.append("fold trim crash")
        #expect(self.store.writer.journalFrames == 0 && self.store.writer.journalBytes == 0, "\(self.note)")
        try self.store.crash()
        let last = StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note)
        try last.everything(limit: 1_000)
        try last.ledgers(isMerged: true)
        try self.pagedByOne()
    }

    /// The smallest series, page after page of one row.
    private func pagedByOne() throws {
        let counts = self.naive.versions.mapValues(\.count)
        guard (counts.values.min() ?? 0) <= 60 else { return }
        let check = StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note)
        try check.samples(&self.random, count: 2)
    }
}
