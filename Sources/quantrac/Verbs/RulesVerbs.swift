import Alerting
import ArgumentParser
import FoundationEssentials
import Monitoring
import TimeSeriesStore

/// `quantrac rules …`.
struct RulesVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "The rules that raise incidents.",
        subcommands: [Load.self, List.self, Check.self])

    /// `quantrac rules load FILE`.
    struct Load: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts a rules file in force, at once when the service runs. A bad file changes nothing.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The rules file (YAML).") var file: String

        func run() throws {
            let settings = try self.common.settings()
            let text = try TextFile.read(self.file)
            _ = try RulesFileReader.read(text: text, file: self.file, version: 0)
            try settings.perform(.rulesLoad(text: text, fileName: self.file), createsStore: true)
        }
    }

    /// `quantrac rules check FILE`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads a rules file and says what is wrong with it; changes nothing.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The rules file (YAML).") var file: String

        func run() throws {
            let settings = try self.common.settings()
            // Without a store there is nothing to compare the stations with.
            let isThere = FileManager.default.fileExists(atPath: settings.store.path)
            let registry = isThere ? try settings.openReader().registry : nil
            let read = try RulesFileReader.read(
                text: try TextFile.read(self.file), file: self.file, version: 0, registry: registry)
            for warning in read.warnings { Output.note("quantrac: warning: \(warning)") }
            try Output.line(
                "\(self.file): \(StoreRequestHandler.counted(read.ruleSet.rules.count, "rule")), "
                    + StoreRequestHandler.counted(read.ruleSet.channels.count, "channel"))
        }
    }

    /// `quantrac rules list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the rules in force.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "As JSON.") var json = false

        func run() throws {
            let reader = try self.common.settings().openReader()
            guard let stored = try reader.rulesText() else {
                if self.json { return try Output.line("[]") }
                return Output.note("no rules were ever loaded")
            }
            let read = try RulesFileReader.read(
                text: stored.text, file: stored.source, version: stored.version, registry: reader.registry)
            let bindings = read.ruleSet.bindings(reader.registry)
            var seriesCounts = Array(repeating: 0, count: read.ruleSet.rules.count)
            for index in bindings.ruleIndices { seriesCounts[Int(index)] += 1 }
            let rows = zip(read.ruleSet.rules, seriesCounts).map { RuleItem($0, seriesCount: $1) }
            if self.json { return try Output.json(rows) }
            Output.note("version \(stored.version), from \(stored.source)")
            try Output.table(
                ["RULE", "SEVERITY", "PARAMETER", "LIMIT", "FOR", "SERIES", "NOTIFY"],
                rows.map {
                    [
                        $0.id, $0.severity, $0.parameter,
                        $0.limit,
                        $0.for, "\($0.series)", $0.notify.joined(separator: " "),
                    ]
                })
        }
    }
}

/// A rule as `rules list --json` shows it: the keys of the rules file, and how many series it watches now.
private struct RuleItem: Encodable {
    let id: String
    let parameter: String
    let stations: [String]?
    let kinds: [String]?
    let above: Double?
    let below: Double?
    let clear: Double
    let `for`: String
    let clearFor: String
    let severity: String
    let notify: [String]
    let series: Int

    /// For people: `> 100`.
    var limit: String {
        self.above.map { "> \(NumberText.text($0))" } ?? self.below.map { "< \(NumberText.text($0))" } ?? ""
    }

    init(_ rule: Rule, seriesCount: Int) {
        self.id = rule.id
        self.parameter = rule.parameter.text
        if case .only(let ids) = rule.stations { self.stations = ids.map(\.text) } else { self.stations = nil }
        self.kinds = rule.kinds?.map(\.rawValue)
        switch rule.condition {
        case .above(let limit):
            self.above = limit
            self.below = nil
        case .below(let limit):
            self.above = nil
            self.below = limit
        }
        self.clear = rule.clear
        self.for = DurationText.format(milliseconds: rule.forMilliseconds)
        self.clearFor = DurationText.format(milliseconds: rule.clearForMilliseconds)
        self.severity = rule.severity.rawValue
        self.notify = rule.notify
        self.series = seriesCount
    }
}
