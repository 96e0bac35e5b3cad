import Monitoring
import Testing

@testable import TimeSeriesStore

/// Whatever is deleted when, and whatever interrupts it: raw before the seal is gone, hours and days are bit for bit
/// what they were, and what comes late for sealed days is set aside and counted (I8).
struct RetentionPropertyTests {
    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(14))
    func `retention with crashes between its slices keeps every rollup`(seed: UInt64) throws {
        try RetentionLife(seed: seed).run(Traffic.Plan(samples: 1...120, contradictions: 10))
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(2))
    func `chunks across the boundary are cut`(seed: UInt64) throws {
        try RetentionLife(seed: seed).run(Traffic.Plan(samples: 1_100...2_600))
    }
}

/// A random life of a store beside the naive one, with retention at random moments.
final class RetentionLife {
    private let seed: UInt64
    private var random: TestRandom
    private let store: TestStore
    private var naive: NaiveStore
    private var steps: [String] = []

    init(seed: UInt64) throws {
        self.seed = seed
        self.random = TestRandom(seed: seed ^ 0xDE1E7E)
        self.store = try TestStore()
        try self.store.importStations()
        self.naive = NaiveStore(self.store.writer.registry)
    }

    private var note: String { "seed \(self.seed) after \(self.steps.suffix(12).joined(separator: " "))" }

    static func policy(raw: String, hours: String = "forever", days: String = "forever") -> RetentionPolicy {
        RetentionPolicy(
            raw: required(KeepRule(raw)), hours: required(KeepRule(hours)), days: required(KeepRule(days)),
            eventsMilliseconds: .max, incidentsMilliseconds: .max, setAsideMilliseconds: .max)
    }

    func run(_ plan: Traffic.Plan) throws {
        var traffic = Traffic(self.store.writer.registry, seed: self.seed)
        let frames = traffic.frames(plan)
        let upkeep = min(40, 1_500 / max(frames.count, 1))
        for frame in frames {
            let taken = frame.sealed(by: self.store.writer.registry)
            try self.store.commit(taken)
            self.naive.take(taken)
            self.steps.append("c")
            while self.random.chance(upkeep) { try self.upkeep(frame.receivedMilliseconds) }
        }
        try self.retention()
        try self.store.writer.mergeEverything(nowMilliseconds: frames.last?.receivedMilliseconds ?? 0)
        try self.check(isMerged: true)
        try self.store.crash()
        try self.check(isMerged: true)
        let served = self.naive.versions.keys.reduce(0) { $0 + self.naive.served($1).count }
        let status = try self.store.reader.status()
        #expect(status.readings == Int64(served), "readings counted; \(self.note)")
        let oldest = self.naive.versions.keys.compactMap { self.naive.served($0).first?.timeMilliseconds }.min()
        #expect(status.oldestMilliseconds == oldest, "oldest; \(self.note)")
    }

    private func upkeep(_ received: Int64) throws {
        switch self.random.int(0...9) {
        case 0...3:
            let bytes = self.random.pick([0, 1, 3_000])
            _ = try self.store.writer.mergeSlice(
                MergePolicy(ageMillisecondsMax: 0, headBytesMax: bytes), nowMilliseconds: received)
            self.steps.append("merge")
        case 4:
            try self.store.writer.foldLedger(alertSnapshot: [])
            while try self.store.writer.trimJournal() {}
            self.steps.append("trim")
        case 5:
            try self.store.crash()
            self.steps.append("crash")
        case 6:
            let check = StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note)
            try check.samples(&self.random, count: 2)
            try check.ledgers(isMerged: false)
        default: try self.retention()
        }
    }

    /// One run, killed now and then, until one gets through.
    private func retention() throws {
        let times = self.naive.versions.values.flatMap(\.keys)
        guard let first = times.min(), let last = times.max() else { return }
        // A boundary anywhere among the readings.
        let now = self.random.int64(first...(last + 2 * 86_400_000)) + 3 * 86_400_000
        let policy = Self.policy(raw: self.random.pick(["1d", "3d", "2d"]))
        self.steps.append("retention \(now)")
        repeat {} while try !self.pass(policy, now)
        let beside = try StoreReader.open(path: self.store.path, defaultZone: "Asia/Ho_Chi_Minh")
        let problems = try StoreVerifier(beside).run().problems
        #expect(problems.isEmpty, "\(problems); \(self.note)")
        let left = try beside.retentionPlan(policy, hasLake: false, nowMilliseconds: now).stations
        #expect(left.allSatisfy { $0.wantedMilliseconds == nil }, "something is left; \(self.note)")
    }

    private func pass(_ policy: RetentionPolicy, _ now: Int64) throws -> Bool {
        // A reader whose copy of the head is older than the seal.
        let early = try StoreReader.open(path: self.store.path, defaultZone: "Asia/Ho_Chi_Minh")
        let plan = try self.store.reader.retentionPlan(policy, hasLake: false, nowMilliseconds: now)
        let held = try self.store.writer.seal(plan, nowMilliseconds: now)
        #expect(held.isEmpty, "\(held); \(self.note)")
        for series in self.store.writer.registry.series {
            let before = self.store.writer.registry.station(of: series).rawBeforeMilliseconds
            if before > 0 { self.naive.deleteRaw(series.number, before: before) }
        }
        try StoreCheck(reader: early, naive: self.naive, note: "early, \(self.note)").samples(&self.random, count: 1)
        var work = self.store.writer.retentionWork(plan, policy: policy, nowMilliseconds: now)
        work.sliceMillisecondsMax = self.random.chance(80) ? 0 : 15
        while true {
            if self.random.chance(10) {
                try self.store.crash()
                self.steps.append("crash")
                return false
            }
            if self.random.chance(10) {
                let check = StoreCheck(reader: self.store.reader, naive: self.naive, note: "between, \(self.note)")
                try check.samples(&self.random, count: 1)
                let problems = try StoreVerifier(self.store.reader).run().problems
                #expect(problems.isEmpty, "between: \(problems); \(self.note)")
            }
            guard try self.store.writer.retentionSlice(&work) else { break }
        }
        return true
    }

    private func check(isMerged: Bool) throws {
        let check = StoreCheck(reader: self.store.reader, naive: self.naive, note: self.note)
        try check.everything(limit: 1_000)
        try check.samples(&self.random, count: 3)
        try check.ledgers(isMerged: isMerged)
        let problems = try StoreVerifier(self.store.reader).run().problems
        #expect(problems.isEmpty, "\(problems); \(self.note)")
    }
}

extension TestFrame {
    /// What the ingest makes of it: readings from before their station's seal are set aside and counted.
    func sealed(by registry: Registry) -> TestFrame {
        var frame = self
        for index in frame.messages.indices {
            guard let station = registry.stationIndex(number: frame.messages[index].station) else { continue }
            let before = registry.stations[station].sealedBeforeMilliseconds
            for sample in frame.messages[index].samples.indices
            where frame.messages[index].samples[sample].timeMilliseconds < before {
                frame.messages[index].quarantinedCount += frame.messages[index].samples[sample].readings.count
                frame.messages[index].samples[sample].readings = []
            }
        }
        return frame
    }
}
