import Alerting
import Monitoring
import Testing

@Suite struct AlertBookTests {
    /// What one batch holds for one series of the registry.
    private struct Observation {
        let seriesIndex: Int
        let reading: Reading
        let latenessMilliseconds: Int64
    }

    private func ruleSet(_ random: inout SeededGenerator) -> RuleSet {
        let rules = ["a", "b", "c"].map { id in
            let rule = RandomCase.rule(&random)
            return Rule(
                id: id, parameter: rule.parameter, kinds: id == "c" ? [.ambientAir] : nil, condition: rule.condition,
                clear: rule.clear, forMilliseconds: rule.forMilliseconds,
                clearForMilliseconds: rule.clearForMilliseconds, severity: .alarm)
        }
        return RuleSet(version: 1, channels: [], rules: rules)
    }

    private func batches(_ registry: Registry, _ random: inout SeededGenerator) -> [[Observation]] {
        var all: [Observation] = []
        for index in registry.series.indices {
            all += RandomCase.arrivals(60, &random).map {
                Observation(seriesIndex: index, reading: $0.reading, latenessMilliseconds: $0.late ? .max : 0)
            }
        }
        // Mixed as they would arrive.
        all.sort { $0.reading.timeMilliseconds < $1.reading.timeMilliseconds }
        var batches: [[Observation]] = []
        while !all.isEmpty {
            let size = min(all.count, Int.random(in: 1...12, using: &random))
            batches.append(Array(all.prefix(size)))
            all.removeFirst(size)
        }
        return batches
    }

    private func observe(_ batch: [Observation], _ book: inout AlertBook) -> [AlertBook.Raised] {
        var raised: [AlertBook.Raised] = []
        for observation in batch {
            book.observe(
                seriesIndex: observation.seriesIndex, value: observation.reading.value,
                status: observation.reading.status, timeMilliseconds: observation.reading.timeMilliseconds,
                latenessMilliseconds: observation.latenessMilliseconds, into: &raised)
        }
        return raised
    }

    @Test func `a batch that is not durable leaves no trace, and delivered again it raises the same`() {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var count = 0
        for _ in 0..<40 {
            let bindings = self.ruleSet(&random).bindings(Province.registry())
            var smooth = AlertBook(bindings: bindings)
            var bumpy = smooth
            for batch in self.batches(bindings.registry, &random) {
                let expected = self.observe(batch, &smooth)
                smooth.commit()
                while random.chance(30) {
                    let before = bumpy.states
                    _ = self.observe(batch, &bumpy)
                    bumpy.rollBack()
                    #expect(bumpy.states == before, "seed \(seed)")
                }
                #expect(self.observe(batch, &bumpy) == expected, "seed \(seed)")
                bumpy.commit()
                #expect(bumpy.states == smooth.states, "seed \(seed)")
                count += expected.count
            }
        }
        #expect(count > 100, "the cases are too tame, seed \(seed)")
    }

    @Test func `a restart from a snapshot after any batch raises the same`() throws {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let bindings = self.ruleSet(&random).bindings(Province.registry())
            var smooth = AlertBook(bindings: bindings)
            var restarted = smooth
            // What the journal holds after the newest snapshot.
            var snapshot: [UInt8] = restarted.snapshot().encoded
            var tail: [[Observation]] = []
            for batch in self.batches(bindings.registry, &random) {
                let expected = self.observe(batch, &smooth)
                smooth.commit()
                #expect(self.observe(batch, &restarted) == expected, "seed \(seed)")
                restarted.commit()
                tail.append(batch)
                if random.chance(20) {
                    snapshot = restarted.snapshot().encoded
                    tail = []
                }
                if random.chance(30) {
                    restarted = AlertBook(
                        bindings: bindings, snapshot: try #require(AlertSnapshot(encoded: snapshot)))
                    for batch in tail { _ = self.observe(batch, &restarted) }
                    restarted.commit()
                }
            }
            #expect(restarted.states.map(\.phase) == smooth.states.map(\.phase), "seed \(seed)")
        }
    }

    @Test func `rules on other series and series without rules do not meet`() {
        var book = AlertBook(
            bindings: RuleSet(version: 1, channels: [], rules: [Marbles().rule]).bindings(Province.registry()))
        var raised: [AlertBook.Raised] = []
        for index in [1, 3, 5, 17, -1] {
            book.observe(
                seriesIndex: index, value: 1_000, status: .measuring, timeMilliseconds: 1, latenessMilliseconds: 0,
                into: &raised)
        }
        #expect(raised.isEmpty)
        book.observe(
            seriesIndex: 4, value: 1_000, status: .measuring, timeMilliseconds: 1, latenessMilliseconds: 0,
            into: &raised)
        #expect(raised.map { book.bindings.series(slot: $0.slot).number } == [310])
        #expect(raised.first?.slot == book.slot(SlotKey(ruleID: "rule", seriesNumber: 310)))
        #expect(book.slot(SlotKey(ruleID: "rule", seriesNumber: 320)) == nil)
        #expect(book.slot(SlotKey(ruleID: "other", seriesNumber: 310)) == nil)
        #expect(book.apply(.tick(nowMilliseconds: 5), slot: 99) == nil)
    }

    @Test func `lateness is judged by each rule for itself`() {
        let rules = [("patient", Int64(3_600_000)), ("default", nil), ("strict", 0)].map { id, lateAfter in
            Rule(
                id: id, parameter: ParameterID("PM10")!, condition: .above(100), severity: .warning,
                lateAfterMilliseconds: lateAfter)
        }
        var book = AlertBook(bindings: RuleSet(version: 1, channels: [], rules: rules).bindings(Province.registry()))
        var raised: [AlertBook.Raised] = []
        book.observe(
            seriesIndex: 0, value: 150, status: .measuring, timeMilliseconds: 1, latenessMilliseconds: 600_001,
            into: &raised)
        #expect(raised.map(\.transition.isNotified) == [true, false, false])
    }

    @Test func `a rule that goes ends its incidents, one that stays keeps them, one that comes starts with news only`()
    {
        func rule(_ id: String, limit: Double = 100) -> Rule {
            Rule(id: id, parameter: ParameterID("PM10")!, condition: .above(limit), severity: .warning)
        }
        let registry = Province.registry()
        var book = AlertBook(
            bindings: RuleSet(version: 1, channels: [], rules: [rule("stays"), rule("goes")]).bindings(registry))
        var raised: [AlertBook.Raised] = []
        func observe(_ book: inout AlertBook, _ index: Int, _ value: Double, at time: Int64) {
            raised = []
            book.observe(
                seriesIndex: index, value: value, status: .measuring, timeMilliseconds: time,
                latenessMilliseconds: 0, into: &raised)
            book.commit()
        }
        observe(&book, 0, 150, at: 1_000)
        observe(&book, 4, 150, at: 1_000)
        #expect(raised.count == 2)

        // air-1 leaves the registry, so that every position moves; pit-1 stays.
        let smaller = Province.registry(without: ["air-1"])
        let next = RuleSet(version: 2, channels: [], rules: [rule("comes"), rule("stays", limit: 120)])
        var (rebound, ended) = book.rebound(
            to: next.bindings(smaller), nowMilliseconds: 5_000, newestMilliseconds: { _ in 900 })
        #expect(
            ended.map { "\($0.rule.id) \($0.series.number) \($0.transition.kind.label)" }
                == ["stays 10 retired", "goes 10 retired", "goes 310 retired"])
        #expect(ended.allSatisfy { $0.transition.atMilliseconds == 5_000 && $0.transition.isNotified })

        let pit = smaller.seriesIndex(number: 310)!
        observe(&rebound, pit, 150, at: 1_000)
        #expect(raised.isEmpty, "no news")
        observe(&rebound, pit, 150, at: 2_000)
        #expect(raised.map { rebound.bindings.rule(slot: $0.slot).id } == ["comes"], "the other is open already")
        observe(&rebound, pit, 110, at: 3_000)
        #expect(
            raised.map { "\(rebound.bindings.rule(slot: $0.slot).id) \($0.transition.kind.label)" }
                == ["stays cleared"], "judged by the new limit")
        // air-2 said nothing since it was bound: what is older than the store's newest is no news.
        observe(&rebound, 0, 150, at: 900)
        #expect(raised.isEmpty)
    }

    @Test func `a snapshot keeps what matters, not what is idle`() throws {
        var book = AlertBook(
            bindings: RuleSet(version: 1, channels: [], rules: [Marbles().rule]).bindings(Province.registry()))
        var raised: [AlertBook.Raised] = []
        for index in 0..<6 {
            book.observe(
                seriesIndex: index, value: index == 2 ? 150 : 50, status: .measuring, timeMilliseconds: 7,
                latenessMilliseconds: 0, into: &raised)
        }
        book.commit()
        let snapshot = book.snapshot()
        #expect(Set(snapshot.states.keys) == [SlotKey(ruleID: "rule", seriesNumber: 110)])
        #expect(snapshot.newestMilliseconds == [10: 7, 110: 7, 310: 7])
        #expect(AlertSnapshot(encoded: snapshot.encoded) == snapshot)
        #expect(AlertSnapshot(encoded: AlertSnapshot().encoded) == AlertSnapshot())
    }

    @Test func `bytes that are no snapshot are refused, cut anywhere or changed anywhere, without a trap`() {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let snapshot = AlertSnapshot(
            states: [SlotKey(ruleID: "pm10-high", seriesNumber: 7): RuleState(newestMilliseconds: 3)],
            newestMilliseconds: [7: 3, 8: 4])
        let bytes = snapshot.encoded
        for length in bytes.indices { #expect(AlertSnapshot(encoded: Array(bytes.prefix(length))) == nil) }
        #expect(AlertSnapshot(encoded: bytes + [0]) == nil)
        for _ in 0..<20_000 {
            var broken = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = AlertSnapshot(encoded: broken)
        }
    }
}
