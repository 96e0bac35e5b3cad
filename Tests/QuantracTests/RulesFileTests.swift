import Alerting
import Monitoring
import Testing

@testable import quantrac

private func read(_ text: String) throws(ConfigurationError) -> RulesFileReader.Result {
    try RulesFileReader.read(text: text, file: "rules.yaml", version: 3)
}

private let duty =
    "channels:\n  - {id: duty, webhook: \"http://127.0.0.1:9000/alert\", headers: {X-Key: abc}}\nrules:\n"

@Suite struct RulesFileTests {
    @Test func `the example of the surface reads as written`() throws {
        let rule = """
              - {id: pm10-high, parameter: PM10, stations: all, kinds: [ambient-air], above: 100, clear: 90, for: 5m, \
            clearFor: 0s, severity: warning, notify: [duty]}
            """
        let result = try read(duty + rule)
        #expect(result.ruleSet.version == 3)
        #expect(
            result.ruleSet.channels == [
                Channel(
                    id: "duty", webhook: "http://127.0.0.1:9000/alert", headers: [.init(name: "X-Key", value: "abc")])
            ])
        #expect(
            result.ruleSet.rules == [
                Rule(
                    id: "pm10-high", parameter: try #require(ParameterID("PM10")), stations: .all, kinds: [.ambientAir],
                    condition: .above(100), clear: 90, forMilliseconds: 300_000, clearForMilliseconds: 0,
                    severity: .warning, notify: ["duty"])
            ])
        #expect(result.warnings.isEmpty)
    }

    @Test func `what is optional has its default`() throws {
        let rule = try #require(
            try read("rules: [{id: r, parameter: DO, below: 4.5, severity: alarm, stations: [a, b]}]").ruleSet.rules
                .first)
        #expect(rule.clear == 4.5 && rule.kinds == nil && rule.notify.isEmpty)
        #expect(rule.stations == .only([try #require(StationID("a")), try #require(StationID("b"))]))
    }

    @Test func `a file without rules switches all of them off`() throws {
        #expect(try read("# none").ruleSet.rules.isEmpty)
        #expect(try read("rules: []").ruleSet.rules.isEmpty)
    }

    @Test func `a rule about a station nobody knows is warned of, not refused`() throws {
        let result = try RulesFileReader.read(
            text: "rules:\n  - id: r\n    parameter: P\n    above: 1\n    severity: alarm\n    stations: [x]",
            file: "rules.yaml", version: 1, registry: .empty)
        #expect(result.warnings.map(\.place) == ["rules.yaml:6"])
        #expect(result.warnings.map(\.key) == ["rules[0].stations[0]"])
    }

    private static let rule = "  - {id: r, parameter: P, above: 1, severity: alarm"

    @Test(arguments: [
        ("rule: []", 1, "rule", "allowed are channels, rules"),
        ("rules: {a: 1}", 1, "rules", "a list of rules"),
        ("channels: [{id: a}]", 1, "channels[0]", "the key webhook is missing"),
        ("channels:\n  - id: a\n    webhook: example.org", 3, "channels[0].webhook", "http://"),
        (
            "channels:\n  - {id: a, webhook: \"http://h/\"}\n  - {id: a, webhook: \"http://h/\"}", 3, "channels[1].id",
            "used before"
        ),
        ("channels:\n  - {id: a, webhook: \"http://h/\", headers: {\"a b\": x}}", 2, "channels[0].headers", "no name"),
        ("channels:\n  - {id: a, webhook: \"http://h/\", headers: {Host: x}}", 2, "channels[0].headers", "is set by"),
        (duty + "  - {parameter: P, above: 1, severity: alarm}", 4, "rules[0]", "the key id is missing"),
        (duty + "  - {id: a b, parameter: P, above: 1, severity: alarm}", 4, "rules[0].id", "letters, digits"),
        (duty + "\(rule)}\n\(rule)}", 5, "rules[1].id", "used before"),
        (duty + "  - {id: r, parameter: P, severity: alarm}", 4, "rules[0]", "above or below is missing"),
        (duty + "\(rule), below: 0}", 4, "rules[0].below", "one of them"),
        (duty + "  - {id: r, parameter: P, above: high, severity: alarm}", 4, "rules[0].above", "a number"),
        (duty + "  - {id: r, parameter: P, above: .inf, severity: alarm}", 4, "rules[0].above", "a number"),
        (duty + "\(rule), clear: 2}", 4, "rules[0].clear", "at most the limit"),
        (duty + "  - {id: r, parameter: P, below: 1, clear: 0, severity: alarm}", 4, "rules[0].clear", "at least"),
        (duty + "\(rule), for: 5}", 4, "rules[0].for", "such as 90s or 5m"),
        (duty + "\(rule), clearFor: -5m}", 4, "rules[0].clearFor", "whole number"),
        (duty + "  - {id: r, parameter: P, above: 1}", 4, "rules[0]", "the key severity is missing"),
        (
            duty + "  - {id: r, parameter: P, above: 1, severity: bad}", 4, "rules[0].severity",
            "warning, alarm, emergency"
        ),
        (duty + "  - {id: r, parameter: P P, above: 1, severity: alarm}", 4, "rules[0].parameter", "letters, digits"),
        (duty + "\(rule), kinds: [air]}", 4, "rules[0].kinds[0]", "ambient-air"),
        (duty + "\(rule), kinds: []}", 4, "rules[0].kinds", "no kind"),
        (duty + "\(rule), stations: [a/b]}", 4, "rules[0].stations[0]", "a station's id"),
        (duty + "\(rule), stations: everything}", 4, "rules[0].stations", "or the word all"),
        (duty + "\(rule), notify: [duty, boss]}", 4, "rules[0].notify[1]", "no channel 'boss'"),
        (duty + "\(rule), notify: duty}", 4, "rules[0].notify", "a list of channels"),
        (duty + "\(rule), level: 1h}", 4, "rules[0].level", "allowed are id, parameter"),
    ])
    func `a bad rules file is refused with line, key and what is allowed`(
        text: String, line: Int, key: String, says: String
    ) {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        guard let error else { return }
        #expect(error.place == "rules.yaml:\(line)", "\(error)")
        #expect(error.key == key, "\(error)")
        #expect(error.problem.contains(says), "\(error)")
    }
}
