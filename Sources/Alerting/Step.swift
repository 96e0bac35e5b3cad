package import Monitoring

/// Everything that can happen to a rule at one series.
package enum Event: Sendable, Hashable {
    /// A reading, of any status; `late` as invariant I10 has it.
    case reading(value: Double, status: Status, timeMilliseconds: Int64, late: Bool)
    /// The series said nothing for longer than it should. Silence is its own state: a value alert neither fires nor
    /// clears.
    case silent(sinceMilliseconds: Int64)
    /// Our clock moved on. A value alert lives in event time and does not listen to it.
    case tick(nowMilliseconds: Int64)
    /// A person closed the series' newest incident of this rule.
    case closed
    /// The rule was removed, or no longer watches the series.
    case retired(nowMilliseconds: Int64)
}

/// A change that is worth a row: an incident opened, somebody to be paged, an incident cleared.
package struct Transition: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        /// A new incident.
        case opened = 1
        /// The newest incident again: a breach within a day of its clearing, and nobody had closed it.
        case reopened = 2
        /// It was found late; the first on-time reading finds it still firing, and now people are told.
        case paged = 3
        /// The value has recovered for long enough.
        case cleared = 4
        /// It ends because its rule no longer watches the series, not because anything got better.
        case retired = 5

        /// The word in lists and histories.
        package var label: String {
            switch self {
            case .opened: "opened"
            case .reopened: "reopened"
            case .paged: "paged"
            case .cleared: "cleared"
            case .retired: "retired"
            }
        }
    }

    package let kind: Kind
    /// Whether a notice leaves with it: an opening on time, a page, and the end of what somebody was paged for.
    package let isNotified: Bool
    /// The incident's identity within its rule and series: device time of the reading that first opened it.
    package let openedAtMilliseconds: Int64
    /// 1 for the first transition of the incident, then counting.
    package let ordinal: UInt32
    /// When the breach began, in event time.
    package let sinceMilliseconds: Int64
    /// When this happened, in event time; our clock's time for `retired`.
    package let atMilliseconds: Int64
    /// The value that made it so; the last one that counted for `retired`.
    package let value: Double
    /// Whether the incident began to fire on a late reading, or this very transition was made by one.
    package let foundLate: Bool

    package init(
        kind: Kind, isNotified: Bool, openedAtMilliseconds: Int64,
        ordinal: UInt32, sinceMilliseconds: Int64, atMilliseconds: Int64,
        value: Double, foundLate: Bool
    ) {
        self.kind = kind
        self.isNotified = isNotified
        self.openedAtMilliseconds = openedAtMilliseconds
        self.ordinal = ordinal
        self.sinceMilliseconds = sinceMilliseconds
        self.atMilliseconds = atMilliseconds
        self.value = value
        self.foundLate = foundLate
    }

    /// Whether the incident is open after it.
    package var leavesOpen: Bool {
        switch self.kind {
        case .opened, .reopened, .paged: true
        case .cleared, .retired: false
        }
    }
}

/// Moves a rule at one series by one event: pure, total, without an allocation.
///
/// - A reading counts when its status is 00 and its value finite (invariant I14); any other only moves the newest time,
///   as if it had not been there. So does silence: two breaching readings with nothing that counts between them are one
///   breach.
/// - Only a reading newer than every earlier one of its series counts (invariant I10): duplicates, revisions and late
///   old readings change nothing, whatever they say.
/// - *Pending* becomes *firing* at a reading that still breaches and is at least `for` after the first of its run; one
///   reading that does not breach ends the run. *Firing* becomes *clearing*, and then clear, at readings at or beyond
///   the clear limit, likewise for `clearFor`; one reading that is not keeps it firing.
/// - Entering firing on a late reading notifies nobody. The first on-time reading after which it is firing (not
///   clearing) pages. It ends with a notice only if somebody was paged.
package func step(_ rule: CompiledRule, _ state: inout RuleState, _ event: Event) -> Transition? {
    switch event {
    case .reading(let value, let status, let timeMilliseconds, let late):
        step(rule, &state, value: value, status: status, timeMilliseconds: timeMilliseconds, late: late)
    case .silent, .tick:
        nil
    case .closed:
        close(&state)
    case .retired(let nowMilliseconds):
        retire(&state, nowMilliseconds: nowMilliseconds)
    }
}

/// `step` for a reading: the hot path.
package func step(
    _ rule: CompiledRule, _ state: inout RuleState, value: Double, status: Status, timeMilliseconds: Int64, late: Bool
) -> Transition? {
    guard timeMilliseconds > state.newestMilliseconds else { return nil }
    state.newestMilliseconds = timeMilliseconds
    guard status.packed == measuringPacked, value.isFinite else { return nil }
    state.lastValue = value
    if rule.isBreached(by: value) {
        return breach(rule, &state, timeMilliseconds: timeMilliseconds, late: late)
    }
    // Nearly every reading of nearly every series ends here.
    if state.phase == .normal { return nil }
    if rule.isRecovered(by: value) {
        return recover(rule, &state, timeMilliseconds: timeMilliseconds, late: late)
    }
    // Between the clear limit and the limit.
    if state.phase == .pending {
        state.phase = .normal
        return nil
    }
    state.phase = .firing
    return pageIfDue(&state, timeMilliseconds: timeMilliseconds, late: late)
}

/// `Status.measuring.packed`, written out: comparing statuses across modules goes through a witness table, per reading.
private let measuringPacked: UInt64 = 0x3030

private func breach(
    _ rule: CompiledRule, _ state: inout RuleState, timeMilliseconds: Int64, late: Bool
) -> Transition? {
    switch state.phase {
    case .firing, .clearing:
        state.phase = .firing
        return pageIfDue(&state, timeMilliseconds: timeMilliseconds, late: late)
    case .normal:
        state.sinceMilliseconds = timeMilliseconds
    case .pending:
        break
    }
    guard timeMilliseconds &- state.sinceMilliseconds >= rule.forMilliseconds else {
        state.phase = .pending
        return nil
    }
    return open(&state, timeMilliseconds: timeMilliseconds, late: late)
}

private func recover(
    _ rule: CompiledRule, _ state: inout RuleState, timeMilliseconds: Int64, late: Bool
) -> Transition? {
    switch state.phase {
    case .normal, .pending:
        state.phase = .normal
        return nil
    case .firing:
        state.recoveringSinceMilliseconds = timeMilliseconds
    case .clearing:
        break
    }
    guard timeMilliseconds &- state.recoveringSinceMilliseconds >= rule.clearForMilliseconds else {
        state.phase = .clearing
        return nil
    }
    state.phase = .normal
    state.clearedAtMilliseconds = timeMilliseconds
    return transition(
        .cleared, &state, isNotified: state.isPaged, atMilliseconds: timeMilliseconds,
        foundLate: late || state.isFoundLate)
}

private func open(_ state: inout RuleState, timeMilliseconds: Int64, late: Bool) -> Transition? {
    let isAgain =
        state.openedAtMilliseconds != .min && !state.isClosed
        && state.sinceMilliseconds &- state.clearedAtMilliseconds <= AlertingLimits.reopenMillisecondsMax
    if !isAgain {
        state.openedAtMilliseconds = timeMilliseconds
        state.transitions = 0
        state.isClosed = false
    }
    state.phase = .firing
    state.isPaged = !late
    state.isFoundLate = late
    return transition(
        isAgain ? .reopened : .opened, &state, isNotified: !late, atMilliseconds: timeMilliseconds, foundLate: late)
}

private func pageIfDue(_ state: inout RuleState, timeMilliseconds: Int64, late: Bool) -> Transition? {
    guard !late, !state.isPaged else { return nil }
    state.isPaged = true
    return transition(
        .paged, &state, isNotified: true, atMilliseconds: timeMilliseconds, foundLate: state.isFoundLate)
}

private func close(_ state: inout RuleState) -> Transition? {
    // Closing what still fires ends it for people, not for the machine: it stays open until the value recovers.
    if state.openedAtMilliseconds != .min { state.isClosed = true }
    return nil
}

private func retire(_ state: inout RuleState, nowMilliseconds: Int64) -> Transition? {
    let ended =
        state.isOpen
        ? transition(
            .retired, &state, isNotified: state.isPaged, atMilliseconds: nowMilliseconds,
            foundLate: state.isFoundLate)
        : nil
    state = RuleState(newestMilliseconds: state.newestMilliseconds)
    return ended
}

private func transition(
    _ kind: Transition.Kind, _ state: inout RuleState, isNotified: Bool, atMilliseconds: Int64, foundLate: Bool
) -> Transition {
    state.transitions &+= 1
    return Transition(
        kind: kind, isNotified: isNotified, openedAtMilliseconds: state.openedAtMilliseconds,
        ordinal: state.transitions, sinceMilliseconds: state.sinceMilliseconds, atMilliseconds: atMilliseconds,
        value: state.lastValue, foundLate: foundLate)
}
