import ArgumentParser
import FoundationEssentials
import Monitoring
import TimeSeriesStore

/// `quantrac incident …`.
struct IncidentVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incident", abstract: "What rules, or the service itself, found wrong.",
        subcommands: [List.self, Acknowledge.self])

    /// `quantrac incident list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists incidents, newest first.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "Only those that are not cleared.") var open = false
        @Flag(help: "As JSON.") var json = false

        func run() throws {
            let settings = try self.common.settings()
            let time = settings.timeText
            let rows = try settings.openReader().incidents(openOnly: self.open)
                .map { IncidentItem($0, time) }
            if self.json { return try Output.json(rows) }
            try Output.table(
                ["ID", "STATE", "SEVERITY", "RULE", "STATION", "PARAMETER", "SINCE", "VALUE", "LIMIT", "ACKNOWLEDGED"],
                rows.map {
                    [
                        "\($0.id)", $0.state, $0.severity, $0.rule, $0.station ?? "–", $0.parameter ?? "–", $0.since,
                        $0.value.map(NumberText.text) ?? "–", $0.limit.map(NumberText.text) ?? "–",
                        $0.acknowledgedBy ?? "–",
                    ]
                })
        }
    }

    /// `quantrac incident ack ID`.
    struct Acknowledge: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ack", abstract: "Takes an incident on: who, why, and until when it may stay quiet.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The incident's number.") var id: Int64
        @Option(help: "Who takes it on; without it the user of this session.") var by: String?
        @Option(help: "Why, or what is being done.") var why = ""
        @Option(help: "Until when: RFC 3339 with an offset, a date, or a duration from now such as 8h.") var until:
            String?

        func run() throws {
            let settings = try self.common.settings()
            let environment = ProcessInfo.processInfo.environment
            guard let who = self.by ?? environment["SUDO_USER"] ?? environment["USER"], !who.isEmpty else {
                throw VerbFailure.usage("say who takes it on with --by")
            }
            let until = try self.until.map { text throws -> Int64 in
                if let duration = DurationText.milliseconds(text) { return SystemTime.nowMilliseconds() + duration }
                return try settings.instant(text, option: "--until")
            }
            try settings.perform(.incidentAcknowledge(id: self.id, by: who, why: self.why, untilMilliseconds: until))
        }
    }
}

/// An incident in JSON.
struct IncidentItem: Encodable {
    let id: Int64
    /// `open` until the machine finds it cleared.
    let state: String
    let rule: String
    let severity: String
    let station: String?
    let parameter: String?
    let opened: String
    let since: String
    let value: Double?
    let limit: Double?
    let cleared: String?
    let foundLate: Bool
    let paged: String?
    let detail: String
    let acknowledged: String?
    let acknowledgedBy: String?
    let acknowledgedWhy: String?
    let acknowledgedUntil: String?

    init(_ row: IncidentRow, _ time: TimeText) {
        self.id = row.id
        self.state = row.clearedMilliseconds == nil ? "open" : "cleared"
        self.rule = row.rule
        self.severity = row.severity
        self.station = row.station
        self.parameter = row.parameter
        self.opened = time.text(row.openedMilliseconds)
        self.since = time.text(row.sinceMilliseconds)
        self.value = row.value
        self.limit = row.bound
        self.cleared = time.text(row.clearedMilliseconds)
        self.foundLate = row.foundLate
        self.paged = time.text(row.pagedMilliseconds)
        self.detail = row.detail
        self.acknowledged = time.text(row.acknowledgedMilliseconds)
        self.acknowledgedBy = row.acknowledgedBy
        self.acknowledgedWhy = row.acknowledgedWhy
        self.acknowledgedUntil = time.text(row.acknowledgedUntilMilliseconds)
    }
}
