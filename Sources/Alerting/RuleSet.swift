package import Monitoring

/// Channels and rules as they were loaded together; replaced as a whole.
package struct RuleSet: Sendable, Hashable {
    /// Counts the loads of a store; 0 for no rules at all.
    package let version: Int64
    package let channels: [Channel]
    package let rules: [Rule]

    package init(version: Int64, channels: [Channel], rules: [Rule]) {
        self.version = version
        self.channels = channels
        self.rules = rules
    }

    package static let empty = RuleSet(version: 0, channels: [], rules: [])

    package func channel(_ id: String) -> Channel? { self.channels.first { $0.id == id } }
    package func rule(_ id: String) -> Rule? { self.rules.first { $0.id == id } }

    /// Which rules watch which series of a registry.
    package func bindings(_ registry: Registry) -> RuleBindings { RuleBindings(self, registry) }
}

/// Which rules watch which series, as flat arrays.
///
/// The rules of the series at position `i` of `Registry.series` are the *slots* `offsets[i]..<offsets[i + 1]`. Most
/// series have none. A slot is one pair of rule and series, and has one `RuleState`.
package struct RuleBindings: Sendable {
    package let ruleSet: RuleSet
    package let registry: Registry
    /// One more than there are series; ascending.
    package let offsets: [Int32]
    /// Of each slot, the position in `ruleSet.rules` and in `compiled`.
    package let ruleIndices: [Int32]
    /// Of each slot, the position in `registry.series`.
    package let seriesIndices: [Int32]
    /// Of each slot, the lateness from which on a reading does not page.
    package let lateAfterMilliseconds: [Int64]
    /// Of each rule.
    package let compiled: [CompiledRule]

    init(_ ruleSet: RuleSet, _ registry: Registry) {
        var rulesByParameter: [ParameterID: [Int]] = [:]
        for (index, rule) in ruleSet.rules.enumerated() { rulesByParameter[rule.parameter, default: []].append(index) }
        let named = ruleSet.rules.map { rule -> Set<StationID>? in
            if case .only(let ids) = rule.stations { Set(ids) } else { nil }
        }
        var offsets: [Int32] = [0]
        offsets.reserveCapacity(registry.series.count + 1)
        var ruleIndices: [Int32] = []
        var seriesIndices: [Int32] = []
        var lateAfter: [Int64] = []
        for (seriesIndex, series) in registry.series.enumerated() {
            let station = registry.station(of: series)
            for index in rulesByParameter[series.parameter] ?? [] {
                let rule = ruleSet.rules[index]
                guard rule.kinds?.contains(station.kind) ?? true, named[index]?.contains(station.id) ?? true else {
                    continue
                }
                ruleIndices.append(Int32(index))
                seriesIndices.append(Int32(seriesIndex))
                lateAfter.append(rule.lateAfter(intervalMilliseconds: station.intervalMilliseconds.latest))
            }
            offsets.append(Int32(ruleIndices.count))
        }
        self.ruleSet = ruleSet
        self.registry = registry
        self.offsets = offsets
        self.ruleIndices = ruleIndices
        self.seriesIndices = seriesIndices
        self.lateAfterMilliseconds = lateAfter
        self.compiled = ruleSet.rules.map(CompiledRule.init)
    }

    package static let empty = RuleBindings(.empty, .empty)

    /// How many pairs of rule and series there are.
    package var slotCount: Int { self.ruleIndices.count }

    /// The slots of a series by its position in the registry; none for a series this registry does not have.
    package func slots(seriesIndex: Int) -> Range<Int> {
        guard seriesIndex >= 0, seriesIndex + 1 < self.offsets.count else { return 0..<0 }
        return Int(self.offsets[seriesIndex])..<Int(self.offsets[seriesIndex + 1])
    }

    package func rule(slot: Int) -> Rule { self.ruleSet.rules[Int(self.ruleIndices[slot])] }
    package func series(slot: Int) -> Series { self.registry.series[Int(self.seriesIndices[slot])] }

    /// What a slot is called when rules and registry have changed around it.
    package func key(slot: Int) -> SlotKey {
        SlotKey(ruleID: self.rule(slot: slot).id, seriesNumber: self.series(slot: slot).number)
    }
}

/// A pair of rule and series by the names that never change.
package struct SlotKey: Sendable, Hashable {
    package let ruleID: String
    /// The series' number in the store.
    package let seriesNumber: Int32

    package init(ruleID: String, seriesNumber: Int32) {
        self.ruleID = ruleID
        self.seriesNumber = seriesNumber
    }
}
