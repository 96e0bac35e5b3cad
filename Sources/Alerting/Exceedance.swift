package import Monitoring

/// A time in which a rule would have been firing, judged from readings alone.
package struct Exceedance: Sendable, Hashable {
    /// Device time of the first reading of the breach.
    package let sinceMilliseconds: Int64
    /// Device time of the reading at which it had lasted long enough.
    package let firedAtMilliseconds: Int64
    /// Device time of the reading at which it had recovered for long enough; nil while it has not.
    package let clearedAtMilliseconds: Int64?
    /// The worst value since the breach began, and when it was measured first.
    package let worstValue: Double
    package let worstAtMilliseconds: Int64

    package init(
        sinceMilliseconds: Int64, firedAtMilliseconds: Int64, clearedAtMilliseconds: Int64?,
        worstValue: Double, worstAtMilliseconds: Int64
    ) {
        self.sinceMilliseconds = sinceMilliseconds
        self.firedAtMilliseconds = firedAtMilliseconds
        self.clearedAtMilliseconds = clearedAtMilliseconds
        self.worstValue = worstValue
        self.worstAtMilliseconds = worstAtMilliseconds
    }
}

/// Judges one series by one rule, reading by reading in time order, in constant memory: for replays over history.
package struct ExceedanceJudge: Sendable {
    private let rule: CompiledRule
    private var state = RuleState()
    private var firedAtMilliseconds: Int64 = 0
    private var worstValue: Double = 0
    private var worstAtMilliseconds: Int64 = 0

    package init(_ rule: Rule) { self.rule = CompiledRule(rule) }

    /// Takes the next reading in time, and returns the exceedance that ends with it, if one does.
    package mutating func add(_ reading: Reading) -> Exceedance? {
        let phaseBefore = self.state.phase
        let newestBefore = self.state.newestMilliseconds
        let transition = step(
            self.rule, &self.state, value: reading.value, status: reading.status,
            timeMilliseconds: reading.timeMilliseconds, late: false)
        switch transition?.kind {
        case .cleared: return self.exceedance(clearedAtMilliseconds: reading.timeMilliseconds)
        case .opened, .reopened: self.firedAtMilliseconds = reading.timeMilliseconds
        case .paged, .retired, nil: break
        }
        let counts = reading.status == .measuring && reading.value.isFinite && reading.timeMilliseconds > newestBefore
        guard counts, self.state.phase != .normal else { return nil }
        if phaseBefore == .normal || self.isWorse(reading.value) {
            self.worstValue = reading.value
            self.worstAtMilliseconds = reading.timeMilliseconds
        }
        return nil
    }

    /// The exceedance that has not ended, if there is one.
    package func finish() -> Exceedance? {
        self.state.isOpen ? self.exceedance(clearedAtMilliseconds: nil) : nil
    }

    private func isWorse(_ value: Double) -> Bool {
        self.rule.isAbove ? value > self.worstValue : value < self.worstValue
    }

    private func exceedance(clearedAtMilliseconds: Int64?) -> Exceedance {
        Exceedance(
            sinceMilliseconds: self.state.sinceMilliseconds, firedAtMilliseconds: self.firedAtMilliseconds,
            clearedAtMilliseconds: clearedAtMilliseconds, worstValue: self.worstValue,
            worstAtMilliseconds: self.worstAtMilliseconds)
    }
}

/// The *judged* exceedances of a series: a function of the set of its readings, whatever order they are given in.
///
/// - Parameters:
///   - rule: The rule to judge by.
///   - readings: One version per time: the one served. Of several, the bits of value and status decide which is taken,
///     so that the order decides nothing even then.
/// - Returns: In time order; only the last may not have ended.
package func exceedances(_ rule: Rule, _ readings: some Sequence<Reading>) -> [Exceedance] {
    var judge = ExceedanceJudge(rule)
    let inOrder = readings.sorted {
        ($0.timeMilliseconds, $0.value.bitPattern, $0.status.packed)
            < ($1.timeMilliseconds, $1.value.bitPattern, $1.status.packed)
    }
    var found = inOrder.compactMap { judge.add($0) }
    if let last = judge.finish() { found.append(last) }
    return found
}
