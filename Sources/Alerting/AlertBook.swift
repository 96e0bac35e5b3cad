package import Monitoring

/// The states of every pair of rule and series, and what the batch at hand has changed of them.
///
/// The ingest loop observes a batch's readings, writes the transitions into the batch's transaction, and calls `commit`
/// once it is durable, or `rollBack` when it is not: the readings come again and must find the states they found.
package struct AlertBook: Sendable {
    /// A transition and whose it is.
    package struct Raised: Sendable, Hashable {
        /// In `bindings`: `rule(slot:)`, `series(slot:)`.
        package let slot: Int
        package let transition: Transition
    }

    /// An incident that ended because its rule does not watch its series any more.
    package struct Ended: Sendable, Hashable {
        package let rule: Rule
        package let series: Series
        package let transition: Transition
    }

    package let bindings: RuleBindings
    /// Of each slot, as the batch at hand leaves it.
    package private(set) var states: [RuleState]
    /// What the slots the batch at hand has touched were before it.
    private var undo: [(slot: Int32, state: RuleState)] = []
    private var isTouched: [Bool]
    /// Every slot that may not be idle, once: what a snapshot looks at, instead of all of them.
    private var lively: [Int32] = []
    private var isLively: [Bool]

    /// States of a snapshot put onto bindings; slots it does not know start from nothing.
    ///
    /// - Parameters:
    ///   - bindings: Which rules watch which series now.
    ///   - snapshot: States by name; those of slots that do not exist are left out.
    ///   - newestMilliseconds: Of a series at a position in the registry that the snapshot does not know (a rule that
    ///     is new), the device time of its newest reading: what is older than that is no news.
    package init(
        bindings: RuleBindings, snapshot: AlertSnapshot = AlertSnapshot(),
        newestMilliseconds: (_ seriesIndex: Int) -> Int64? = { _ in nil }
    ) {
        self.bindings = bindings
        self.states = []
        self.states.reserveCapacity(bindings.slotCount)
        for slot in 0..<bindings.slotCount {
            let key = bindings.key(slot: slot)
            if let state = snapshot.states[key] {
                self.states.append(state)
                continue
            }
            let newest =
                snapshot.newestMilliseconds[key.seriesNumber] ?? newestMilliseconds(Int(bindings.seriesIndices[slot]))
            self.states.append(RuleState(newestMilliseconds: newest ?? .min))
        }
        self.isTouched = Array(repeating: false, count: bindings.slotCount)
        self.isLively = self.states.map { !$0.isIdle }
        self.lively = self.states.indices.filter { !self.states[$0].isIdle }.map(Int32.init)
    }

    package static let empty = AlertBook(bindings: .empty)

    /// Steps every rule of a series with one reading, and appends what came of it.
    ///
    /// - Parameters:
    ///   - seriesIndex: Position in the bindings' registry.
    ///   - value: In the series' unit.
    ///   - status: As sent.
    ///   - timeMilliseconds: Device time.
    ///   - latenessMilliseconds: See `lateness(receivedMilliseconds:timeMilliseconds:outage:)`.
    ///   - raised: Grows by at most one transition a rule.
    package mutating func observe(
        seriesIndex: Int, value: Double, status: Status, timeMilliseconds: Int64, latenessMilliseconds: Int64,
        into raised: inout [Raised]
    ) {
        for slot in self.bindings.slots(seriesIndex: seriesIndex) {
            guard timeMilliseconds > self.states[slot].newestMilliseconds else { continue }
            self.touch(slot)
            let transition = step(
                self.bindings.compiled[Int(self.bindings.ruleIndices[slot])], &self.states[slot], value: value,
                status: status, timeMilliseconds: timeMilliseconds,
                late: latenessMilliseconds > self.bindings.lateAfterMilliseconds[slot])
            if self.states[slot].phase != .normal { self.enliven(slot) }
            if let transition { raised.append(Raised(slot: slot, transition: transition)) }
        }
    }

    /// Steps one slot with any event: a person closed its incident, our clock moved on.
    package mutating func apply(_ event: Event, slot: Int) -> Transition? {
        guard self.states.indices.contains(slot) else { return nil }
        self.touch(slot)
        let transition = step(
            self.bindings.compiled[Int(self.bindings.ruleIndices[slot])], &self.states[slot], event)
        if self.states[slot].phase != .normal { self.enliven(slot) }
        return transition
    }

    /// The slot of a rule and a series, if the rule watches it.
    package func slot(_ key: SlotKey) -> Int? {
        guard let index = self.bindings.registry.seriesIndex(number: key.seriesNumber) else { return nil }
        return self.bindings.slots(seriesIndex: index).first { self.bindings.rule(slot: $0).id == key.ruleID }
    }

    /// The batch is durable: its states are the states.
    package mutating func commit() {
        for entry in self.undo { self.isTouched[Int(entry.slot)] = false }
        self.undo.removeAll(keepingCapacity: true)
    }

    /// The batch is not durable: every state is what it was before.
    package mutating func rollBack() {
        for entry in self.undo {
            self.isTouched[Int(entry.slot)] = false
            self.states[Int(entry.slot)] = entry.state
            if !entry.state.isIdle { self.enliven(Int(entry.slot)) }
        }
        self.undo.removeAll(keepingCapacity: true)
    }

    /// What a restart needs; taken between batches.
    package mutating func snapshot() -> AlertSnapshot {
        var snapshot = AlertSnapshot()
        var stillLively: [Int32] = []
        for slot in self.lively {
            let state = self.states[Int(slot)]
            if state.isIdle {
                self.isLively[Int(slot)] = false
            } else {
                stillLively.append(slot)
                snapshot.states[self.bindings.key(slot: Int(slot))] = state
            }
        }
        self.lively = stillLively
        for (slot, state) in self.states.enumerated() where state.newestMilliseconds != .min {
            let number = self.bindings.series(slot: slot).number
            snapshot.newestMilliseconds[number] = max(
                state.newestMilliseconds, snapshot.newestMilliseconds[number] ?? .min)
        }
        return snapshot
    }

    /// A book for other rules or another registry, and the incidents that end with the change; taken between batches.
    ///
    /// A rule that keeps its id keeps its states, whatever else of it changed: the next reading is judged by the new
    /// limit.
    package mutating func rebound(
        to bindings: RuleBindings, nowMilliseconds: Int64,
        newestMilliseconds: (_ seriesIndex: Int) -> Int64? = { _ in nil }
    ) -> (book: AlertBook, ended: [Ended]) {
        let snapshot = self.snapshot()
        let book = AlertBook(bindings: bindings, snapshot: snapshot, newestMilliseconds: newestMilliseconds)
        var ended: [Ended] = []
        for slot in self.lively.sorted() where book.slot(self.bindings.key(slot: Int(slot))) == nil {
            var state = self.states[Int(slot)]
            let rule = self.bindings.rule(slot: Int(slot))
            let event = Event.retired(nowMilliseconds: nowMilliseconds)
            if let transition = step(CompiledRule(rule), &state, event) {
                ended.append(Ended(rule: rule, series: self.bindings.series(slot: Int(slot)), transition: transition))
            }
        }
        return (book, ended)
    }

    private mutating func touch(_ slot: Int) {
        guard !self.isTouched[slot] else { return }
        self.isTouched[slot] = true
        self.undo.append((Int32(slot), self.states[slot]))
    }

    private mutating func enliven(_ slot: Int) {
        guard !self.isLively[slot] else { return }
        self.isLively[slot] = true
        self.lively.append(Int32(slot))
    }
}
