import Monitoring
import Testing
import TimeSeriesStore

/// Whatever is corrected and revoked, whenever, over whatever arrives late or is revised: every view is what a naive
/// computation gives (I7).
struct CorrectionPropertyTests {
    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(10))
    func `random corrections over random traffic serve the same bits in every view`(seed: UInt64) throws {
        try CorrectionRun(seed: seed).run(Traffic.Plan(samples: 1...100, contradictions: 25))
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(1))
    func `corrections over full chunks serve the same bits in every view`(seed: UInt64) throws {
        try CorrectionRun(seed: seed).run(Traffic.Plan(samples: 1_100...2_200, contradictions: 3))
    }
}

/// One random life of a store that is corrected, beside the naive one.
private final class CorrectionRun {
    private let seed: UInt64
    private var random: TestRandom
    private let store: TestStore
    private var naive: NaiveStore
    private var corrections = NaiveCorrections()
    private var instants: [Int64] = []
    private var steps: [String] = []

    init(seed: UInt64) throws {
        self.seed = seed
        self.random = TestRandom(seed: seed ^ 0xC0FFEE)
        self.store = try TestStore()
        try self.store.importStations()
        self.naive = NaiveStore(self.store.writer.registry)
    }

    private var now: Int64 { self.instants.last ?? TestStations.baseMilliseconds }
    private var note: String { "seed \(self.seed) after \(self.steps.suffix(12).joined(separator: " "))" }

    func run(_ plan: Traffic.Plan) throws {
        var traffic = Traffic(self.store.writer.registry, seed: self.seed)
        let frames = traffic.frames(plan)
        let busy = min(40, 1_200 / max(frames.count, 1))
        for frame in frames {
            self.instants.append(frame.receivedMilliseconds)
            try self.store.commit(frame)
            self.naive.take(frame)
            while self.random.chance(busy) { try self.upkeep() }
            if self.random.chance(busy) { try self.correctOrRevoke() }
            if self.random.chance(frames.count > 100 ? 2 : 6) { try self.samples(self.store.reader, count: 1) }
        }
        // What was kept before a correction must not be served after it.
        for _ in 0...3 {
            try self.correctOrRevoke()
            try self.check(self.store.reader, .corrected).everything(limit: 1_000)
        }
        try self.everything()
        try self.samples(try StoreReader.open(path: self.store.path, defaultZone: "Asia/Ho_Chi_Minh"), count: 2)
        try self.store.writer.mergeEverything(nowMilliseconds: self.now)
        self.steps.append("merge everything")
        try self.everything()
        for _ in 0...2 {
            try self.correctOrRevoke()
            try self.check(self.store.reader, .corrected).everything(limit: 1_000)
        }
        try self.store.crash()
        self.steps.append("crash")
        try self.everything()
        let verify = try StoreVerifier(self.store.reader).run()
        #expect(verify.problems.isEmpty, "\(verify.problems); \(self.note)")
    }

    private func upkeep() throws {
        switch self.random.int(0...5) {
        case 0...3:
            let policy = MergePolicy(ageMillisecondsMax: 0, headBytesMax: self.random.pick([0, 1, 64 << 20]))
            _ = try self.store.writer.mergeSlice(policy, nowMilliseconds: self.now)
            self.steps.append("merge")
        case 4:
            try self.store.crash()
            self.steps.append("crash")
        default:
            try self.store.reopen()
            self.steps.append("reopen")
        }
    }

    private func correctOrRevoke() throws {
        let inForce = self.corrections.entries.indices.filter { self.corrections.entries[$0].revoked == nil }
        if self.random.chance(35), let index = inForce.randomElement(using: &self.random) {
            let id = self.corrections.entries[index].id
            _ = try self.store.writer.revokeCorrection(id, who: "Lan", why: "wrong", atMilliseconds: self.now)
            self.corrections.entries[index].revoked = self.now
            self.steps.append("revoke \(id)")
            return
        }
        let known = self.store.writer.registry.series.filter { !(self.naive.versions[$0.number] ?? [:]).isEmpty }
        guard let series = known.randomElement(using: &self.random) else { return }
        let times = self.naive.served(series.number).map(\.timeMilliseconds)
        let first = self.random.pick(times) + self.random.int64(-1...1)
        let width = self.random.pick([1, 1_000, 90_000, 3_600_000, 26 * 3_600_000, 40 * 86_400_000] as [Int64])
        let to = self.random.chance(50) ? self.random.pick(times) + 1 : first + self.random.int64(1...width)
        let draft = CorrectionDraft(
            fromMilliseconds: min(first, to - 1), toMilliseconds: to, kind: self.kind(series), who: "Minh",
            why: "test", madeMilliseconds: self.now)
        let added: Correction
        do { added = try self.store.writer.addCorrection(to: series, draft) } catch let error as StoreError {
            // The very same once more is refused.
            #expect(error.code == .refused && error.detail.contains("already"), "\(error); \(self.note)")
            return
        }
        self.corrections.entries.append(
            .init(
                id: added.id, series: series, from: draft.fromMilliseconds, to: draft.toMilliseconds, kind: draft.kind,
                made: self.now))
        self.steps.append("correct \(series.parameter) \(draft.fromMilliseconds)..<\(to) \(draft.kind)")
    }

    private func kind(_ series: Series) -> Correction.Kind {
        let statuses = ["00", "01", "02", "INV", "abcd1234"].compactMap { Status($0) }
        switch self.random.int(0...5) {
        case 0: return .annotate("seen")
        case 1: return .invalidate(self.random.pick(Array(statuses.dropFirst())))
        case 2:
            let value = series.isDirection ? Double(self.random.int(0...360)) : self.random.pick([-0.0, 3.25, 1e300])
            return .replace(value, self.random.pick(statuses))
        default:
            if series.kind == .counter { return .replace(Double(self.random.int(0...500)), .measuring) }
            let factors = series.isDirection ? [1, 1] : [self.random.pick([1, 0.97, -2, 1e200]), 1.03]
            let offsets = [self.random.pick([0, -12.5, 400]), self.random.pick([0, 0.1, -720])]
            let drifts = self.random.chance(60)
            return .scale(
                .init(
                    factor: factors[0], offset: offsets[0], endFactor: drifts ? factors[1] : factors[0],
                    endOffset: drifts ? offsets[1] : offsets[0]))
        }
    }

    // MARK: Checks

    /// Every view of everything, with rollups kept, met again, and not kept.
    private func everything() throws {
        let reader = self.store.reader
        try self.check(reader, .asReceived).everything(limit: 1_000)
        let corrected = self.check(reader, .corrected)
        for (bytes, readings) in [(32 << 20, 1_000_000), (32 << 20, 1_000_000), (0, 1_000_000), (4_000, 20)] {
            reader.correctedRollups.bound(bytes: bytes, readings: readings)
            try corrected.everything(limit: 1_000)
            #expect(reader.correctedRollups.bytes <= bytes, "\(self.note)")
        }
        reader.correctedRollups.bound(bytes: 32 << 20)
        try self.asOf(reader).everything(limit: 500)
        try self.asOf(reader).everything(limit: 500)
    }

    private func samples(_ reader: StoreReader, count: Int) throws {
        try self.check(reader, .asReceived).samples(&self.random, count: count)
        try self.check(reader, .corrected).samples(&self.random, count: count)
        try self.asOf(reader).samples(&self.random, count: count)
    }

    private func check(_ reader: StoreReader, _ view: ServedView) -> StoreCheck {
        StoreCheck(
            reader: reader, naive: view == .corrected ? self.corrections.over(self.naive) : self.naive,
            note: "\(view), \(self.note)", view: view)
    }

    private func asOf(_ reader: StoreReader) -> StoreCheck {
        // Receipt is known to the second: its edges, and what lies between.
        let received = self.random.pick(self.instants)
        let instant = self.random.pick([
            received, received / 1_000 * 1_000, received / 1_000 * 1_000 - 1, received + 500,
        ])
        let view = self.random.pick([ServedView.corrected, .asReceived])
        return StoreCheck(
            reader: reader, naive: self.corrections.over(self.naive, asOf: instant, corrected: view == .corrected),
            note: "\(view) as of \(instant), \(self.note)", view: view, asOf: instant)
    }
}
