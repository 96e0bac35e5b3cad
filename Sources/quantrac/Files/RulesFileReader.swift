import Alerting
import Monitoring

/// Reads a rules file; every error names file, line and key.
///
/// Types are checked here, where the lines are known; what the values must be is ``RuleSet/validate(registry:)``'s,
/// so that no second opinion about rules exists.
struct RulesFileReader {
    /// What was read, and what was odd but no error.
    struct Result {
        let ruleSet: RuleSet
        let warnings: [ConfigurationError]

        var rulesCount: Int { self.ruleSet.rules.count }
    }

    private let root: YAMLValue
    private var channels: [YAMLMapping] = []
    private var rules: [YAMLMapping] = []

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - text: What the file says.
    ///   - file: Its name, for errors.
    ///   - version: Counts the loads of a store; the store draws it.
    ///   - registry: Where given, rules about stations it does not have are warned of.
    /// - Returns: The rules, and what is odd about them.
    /// - Throws: The first error, with its line.
    static func read(
        text: String, file: String, version: Int64, registry: Registry? = nil
    ) throws(ConfigurationError) -> Result {
        // A file of comments switches every rule off; that is a state an operator may want.
        guard let root = try YAMLValue.document(text, file: file) else {
            return Result(ruleSet: RuleSet(version: version, channels: [], rules: []), warnings: [])
        }
        var reader = RulesFileReader(root: root)
        let ruleSet = try reader.ruleSet(version: version)
        let problems = ruleSet.validate(registry: registry)
        if let problem = problems.first(where: { !$0.isWarning }) { throw reader.located(problem) }
        return Result(ruleSet: ruleSet, warnings: problems.map { reader.located($0) })
    }

    private init(root: YAMLValue) { self.root = root }

    private mutating func ruleSet(version: Int64) throws(ConfigurationError) -> RuleSet {
        let keys = try self.root.mapping(["channels", "rules"])
        var channels: [Channel] = []
        for value in try keys["channels"]?.sequence(of: "channels") ?? [] { channels.append(try self.channel(value)) }
        var rules: [Rule] = []
        for value in try keys["rules"]?.sequence(of: "rules") ?? [] { rules.append(try self.rule(value)) }
        return RuleSet(version: version, channels: channels, rules: rules)
    }

    private mutating func channel(_ value: YAMLValue) throws(ConfigurationError) -> Channel {
        let keys = try value.mapping(["id", "webhook", "headers"])
        self.channels.append(keys)
        var headers: [Channel.Header] = []
        if let mapping = try keys["headers"]?.mapping([]) {
            for name in mapping.keys {
                guard let value = mapping.written(name) else { continue }
                headers.append(.init(name: name, value: try value.text("a header's value")))
            }
        }
        return Channel(
            id: try keys.required("id").text("a name"), webhook: try keys.required("webhook").text("an address"),
            headers: headers)
    }

    private mutating func rule(_ value: YAMLValue) throws(ConfigurationError) -> Rule {
        let keys = try value.mapping([
            "id", "parameter", "stations", "kinds", "above", "below", "clear", "for", "clearFor", "severity", "notify",
            "lateAfter",
        ])
        self.rules.append(keys)
        let parameterValue = try keys.required("parameter")
        guard let parameter = ParameterID(try parameterValue.text("a parameter's name")) else {
            throw parameterValue.error("must be 1–64 letters, digits, '.', '_' or '-'")
        }
        var kinds: [StationKind]?
        if let value = keys["kinds"] {
            var words: [StationKind] = []
            for item in try value.sequence(of: "kinds of station") { words.append(try item.word(StationKind.self)) }
            kinds = words
        }
        var notify: [String] = []
        for item in try keys["notify"]?.sequence(of: "channels") ?? [] {
            notify.append(try item.text("a channel's id"))
        }
        return Rule(
            id: try keys.required("id").text("a name"), parameter: parameter,
            stations: try Self.stations(keys["stations"]), kinds: kinds, condition: try Self.condition(keys),
            clear: try keys["clear"]?.number("the value at which the rule clears, a number"),
            forMilliseconds: try Self.duration(keys["for"], "how long the breach must last") ?? 0,
            clearForMilliseconds: try Self.duration(keys["clearFor"], "how long the recovery must last") ?? 0,
            severity: try keys.required("severity").word(Severity.self), notify: notify,
            lateAfterMilliseconds: try Self.duration(keys["lateAfter"], "the lateness from which on nobody is paged"))
    }

    private static func condition(_ keys: YAMLMapping) throws(ConfigurationError) -> Condition {
        switch (keys["above"], keys["below"]) {
        case (let above?, nil): return .above(try above.number("the limit, a number"))
        case (nil, let below?): return .below(try below.number("the limit, a number"))
        case (nil, nil): throw keys.owner.error("the key above or below is missing")
        case (_, let below?): throw below.error("stands beside above; a rule has one of them")
        }
    }

    private static func stations(_ value: YAMLValue?) throws(ConfigurationError) -> StationSelection {
        guard let value, (try? value.text()) != "all" else { return .all }
        var ids: [StationID] = []
        for item in try value.sequence(of: "stations, or the word all") {
            guard let id = StationID(try item.text("a station's id")) else {
                throw item.error("must be a station's id")
            }
            ids.append(id)
        }
        return .only(ids)
    }

    private static func duration(_ value: YAMLValue?, _ what: String) throws(ConfigurationError) -> Int64? {
        try value?.duration(what, range: 0...AlertingLimits.durationMillisecondsMax)
    }

    /// A problem of the values at the line of the value it is about.
    private func located(_ problem: RuleProblem) -> ConfigurationError {
        let keys: YAMLMapping? =
            switch problem.subject {
            case .ruleSet: nil
            case .channel(let index, _): self.channels[index]
            case .rule(let index, _): self.rules[index]
            }
        let owner = keys?.owner ?? self.root
        var value = keys?[problem.key] ?? owner
        if let element = problem.element, let items = try? value.sequence(of: ""), items.indices.contains(element) {
            value = items[element]
        }
        return value.error(problem.message)
    }
}
