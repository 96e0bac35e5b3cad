import ArgumentParser
import Monitoring
import TimeSeriesStore

/// `quantrac quarantine …`: values that were set aside while their message was stored.
struct QuarantineVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Values that were set aside while their message was stored.",
        subcommands: [List.self, Release.self])

    /// `quantrac quarantine list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists quarantined values, newest first.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "As JSON.") var json = false
        @OptionGroup var filter: FateOptions

        func run() throws {
            let settings = try self.common.settings()
            let reader = try settings.openReader()
            let selection = try self.filter.selection(ids: [])
            var pages = FatePages(selection: selection) { try reader.quarantined(beforeID: $0, limit: 5_000) }
            let time = settings.timeText
            if self.json { return try Output.jsonArray { try pages.next().map { QuarantineItem($0, time) } } }
            var rows: [[String]] = []
            while case let page = try pages.next(), !page.isEmpty {
                rows += page.map {
                    [
                        "\($0.id)", time.text($0.receivedMilliseconds), $0.station, $0.parameter,
                        time.text($0.timeMilliseconds), $0.value.map(NumberText.text) ?? $0.text ?? "–", $0.status,
                        $0.reason,
                    ]
                }
            }
            try Output.table(
                ["ID", "RECEIVED", "STATION", "PARAMETER", "TIME", "VALUE", "STATUS", "REASON"], rows)
        }
    }

    /// `quantrac quarantine release`.
    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stores quarantined values after all, for example once a clock was mended.",
            discussion: """
                Name values by their numbers, by --station or --reason, or take --all. With --shift their times \
                are moved first: --shift -6m when the station's clock was six minutes ahead. \
                What is still not storable stays.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "Numbers of quarantined values.") var ids: [Int64] = []
        @OptionGroup var filter: FateOptions
        @Option(parsing: .unconditional, help: "Move the times by this much, such as -6m or 1h.") var shift: String?

        func run() throws {
            let settings = try self.common.settings()
            let selection = try self.filter.selection(ids: self.ids)
            guard !self.ids.isEmpty || self.filter.all || self.filter.station != nil || self.filter.reason != nil else {
                throw VerbFailure.usage("name values by number, by --station or --reason, or take --all")
            }
            var shiftMilliseconds: Int64 = 0
            if let shift = self.shift {
                guard let parsed = DurationText.signedMilliseconds(shift) else {
                    throw VerbFailure.usage("--shift: '\(shift)' must be \(DurationText.expectation), with a sign")
                }
                shiftMilliseconds = parsed
            }
            try settings.perform(.quarantineRelease(selection, shiftMilliseconds: shiftMilliseconds))
        }
    }
}

/// A quarantined value in JSON.
struct QuarantineItem: Encodable {
    let id: Int64
    let received: String
    let station: String
    let parameter: String
    let time: String
    let value: Double?
    let text: String?
    let status: String
    let reason: String

    init(_ row: QuarantineRow, _ time: TimeText) {
        self.id = row.id
        self.received = time.text(row.receivedMilliseconds)
        self.station = row.station
        self.parameter = row.parameter
        self.time = time.text(row.timeMilliseconds)
        self.value = row.value
        self.text = row.text
        self.status = row.status
        self.reason = row.reason
    }

    /// `value` is a number, the text that stood in its place, or null; the key is always there.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.id, forKey: .id)
        try container.encode(self.received, forKey: .received)
        try container.encode(self.station, forKey: .station)
        try container.encode(self.parameter, forKey: .parameter)
        try container.encode(self.time, forKey: .time)
        if let text = self.text, self.value == nil {
            try container.encode(text, forKey: .value)
        } else {
            try container.encode(self.value, forKey: .value)
        }
        try container.encode(self.status, forKey: .status)
        try container.encode(self.reason, forKey: .reason)
    }

    private enum CodingKeys: CodingKey {
        case id
        case received
        case station
        case parameter
        case time
        case value
        case status
        case reason
    }
}
