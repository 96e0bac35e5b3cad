import Alerting
import Monitoring
import Testing

@Suite struct StepPropertyTests {
    static let cases = 400

    private func transitions(_ rule: Rule, _ arrivals: [Arrival]) -> [Transition] {
        var state = RuleState()
        let compiled = CompiledRule(rule)
        return arrivals.compactMap { step(compiled, &state, $0.event) }
    }

    @Test func `every sequence gives what a naive look at the whole list gives`() {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var seen: [Transition.Kind: Int] = [:]
        for number in 0..<Self.cases {
            let rule = RandomCase.rule(&random)
            let arrivals = RandomCase.arrivals(Int.random(in: 0...120, using: &random), &random)
            let found = self.transitions(rule, arrivals)
            let expected = NaiveOracle(rule: rule).transitions(arrivals)
            #expect(found == expected, "seed \(seed), case \(number)")
            for transition in found { seen[transition.kind, default: 0] += 1 }
        }
        for kind in [Transition.Kind.opened, .reopened, .paged, .cleared] {
            #expect(seen[kind, default: 0] > 20, "the cases are too tame, seed \(seed)")
        }
    }

    @Test func `duplicates, at once or much later, change no transition`() {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for number in 0..<Self.cases {
            let rule = RandomCase.rule(&random)
            let arrivals = RandomCase.arrivals(80, &random)
            let again = RandomCase.withDuplicates(arrivals, &random)
            #expect(self.transitions(rule, again) == self.transitions(rule, arrivals), "seed \(seed), case \(number)")
        }
    }

    @Test func `a crash after any event, with the state from its bytes, changes no transition`() throws {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for number in 0..<40 {
            let rule = RandomCase.rule(&random)
            let compiled = CompiledRule(rule)
            let events = RandomCase.arrivals(60, &random).map(\.event) + [.closed, .retired(nowMilliseconds: 1)]
            var state = RuleState()
            let expected = events.map { step(compiled, &state, $0) }
            for crash in events.indices {
                var state = RuleState()
                var found: [Transition?] = []
                for (index, event) in events.enumerated() {
                    found.append(step(compiled, &state, event))
                    if index == crash { state = try #require(RuleState(encoded: state.encoded)) }
                }
                #expect(found == expected, "seed \(seed), case \(number), crash after \(crash)")
            }
        }
    }

    @Test func `an idle state may be forgotten but for its newest time`() {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var forgotten = 0
        for number in 0..<Self.cases {
            let rule = RandomCase.rule(&random)
            let compiled = CompiledRule(rule)
            let arrivals = RandomCase.arrivals(100, &random)
            var state = RuleState()
            var found: [Transition] = []
            for arrival in arrivals {
                if let transition = step(compiled, &state, arrival.event) { found.append(transition) }
                guard state.isIdle else { continue }
                if state.openedAtMilliseconds != .min { forgotten += 1 }
                state = RuleState(newestMilliseconds: state.newestMilliseconds)
            }
            #expect(found == self.transitions(rule, arrivals), "seed \(seed), case \(number)")
        }
        #expect(forgotten > 5, "the cases are too tame, seed \(seed)")
    }

    @Test func `at most one incident is open, and nothing ends that was not open`() {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Self.cases {
            let compiled = CompiledRule(RandomCase.rule(&random))
            var state = RuleState()
            var openIncident: Int64?
            var told: Set<String> = []
            for arrival in RandomCase.arrivals(120, &random) {
                let event: Event =
                    random.chance(3) ? .closed : random.chance(1) ? .retired(nowMilliseconds: 5) : arrival.event
                guard let transition = step(compiled, &state, event) else { continue }
                switch transition.kind {
                case .opened, .reopened:
                    #expect(openIncident == nil, "seed \(seed)")
                    openIncident = transition.openedAtMilliseconds
                case .paged:
                    #expect(openIncident == transition.openedAtMilliseconds, "seed \(seed)")
                case .cleared, .retired:
                    #expect(openIncident == transition.openedAtMilliseconds, "seed \(seed)")
                    openIncident = nil
                }
                #expect(state.isOpen == (openIncident != nil), "seed \(seed)")
                let message = "\(transition.openedAtMilliseconds)/\(transition.ordinal)"
                #expect(told.insert(message).inserted, "the same message twice, seed \(seed)")
            }
        }
    }

    @Test func `judged exceedances are a function of the set of readings`() {
        let seed = Seed.fromEnvironmentOrRandom()
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        var count = 0
        for number in 0..<Self.cases {
            let rule = RandomCase.rule(&random)
            let readings = RandomCase.readings(100, &random)
            let found = exceedances(rule, readings)
            count += found.count
            #expect(exceedances(rule, readings.shuffled(using: &random)) == found, "seed \(seed), case \(number)")
            let again = (readings + readings.filter { _ in random.chance(30) }).shuffled(using: &random)
            #expect(exceedances(rule, again) == found, "seed \(seed), case \(number)")
            #expect(found == self.naiveExceedances(rule, readings), "seed \(seed), case \(number)")
        }
        #expect(count > 400, "the cases are too tame, seed \(seed)")
    }

    private func naiveExceedances(_ rule: Rule, _ readings: [Reading]) -> [Exceedance] {
        let oracle = NaiveOracle(rule: rule)
        let list = oracle.counted(readings.map { Arrival(reading: $0, late: false) })
        let isAbove = if case .above = rule.condition { true } else { false }
        return oracle.episodes(list).map { episode in
            let span = list[episode.since..<(episode.cleared ?? list.count)].map(\.reading)
            let worst = isAbove ? span.map(\.value).max()! : span.map(\.value).min()!
            return Exceedance(
                sinceMilliseconds: list[episode.since].reading.timeMilliseconds,
                firedAtMilliseconds: list[episode.fired].reading.timeMilliseconds,
                clearedAtMilliseconds: episode.cleared.map { list[$0].reading.timeMilliseconds }, worstValue: worst,
                worstAtMilliseconds: span.first { $0.value == worst }!.timeMilliseconds)
        }
    }
}
