import ArgumentParser
import Monitoring
import Simulation

/// `quantrac-sim replay`: real history from a file, sent as if a station measured it.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Publishes a CSV file of history as one station.",
        discussion: """
            Columns that hold nothing but numbers become parameters; an empty field is a gap. It ends, with \
            exit code 0, \
            when every message has its PUBACK, however often the broker goes away meanwhile.
            """)

    @Argument(help: "A CSV file with a header, or one packed with xz (.csv.xz).")
    var file: String

    @OptionGroup var broker: BrokerOptions

    @Option(help: "The station it is published as.")
    var station: String

    @Option(help: "The column that holds the time.")
    var timeColumn: String

    @Option(help: "The clock of times without an offset: +08:00, or a name such as Asia/Ho_Chi_Minh.")
    var zone: String

    @Option(help: "How many times faster than the file, or max: as fast as the broker takes it.")
    var speed = Pace.max

    @Option(help: "Columns to take, comma separated: COLUMN, COLUMN:PARAMETER or COLUMN:PARAMETER:UNIT.")
    var columns: String?

    @Option(help: "Rows in one message; more than one are sent as samples.")
    var samplesPerMessage = 1

    @Flag(help: "Publish on …/history instead of …/telemetry.")
    var history = false

    @Option(help: "Unacknowledged messages.")
    var window = Limits.windowMessagesUsual

    @Option(help: "Write the station file of this station.")
    var writeStations: String?

    @Flag(help: "Only write the station file.")
    var writeStationsOnly = false

    @Option(help: "The kind of station in the station file.")
    var kind = "ambient-air"

    @Option(help: "Degrees north, for the station file.")
    var latitude = 21.853

    @Option(help: "Degrees east, for the station file.")
    var longitude = 106.756

    @Option(help: "The service's bound on old device times (ingest.oldestDays), for the truth file.")
    var oldest = DurationArgument(milliseconds: 36_500 * Civil.millisecondsPerDay)

    @Option(help: "The service's bound on device times ahead of the clock, for the truth file.")
    var newest = DurationArgument(milliseconds: 300_000)

    func validate() throws {
        guard StationID(self.station) != nil else {
            throw ValidationError("--station is 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first")
        }
        guard (1...10_000).contains(self.samplesPerMessage) else {
            throw ValidationError("--samples-per-message is 1 to 10000")
        }
        guard (1...Limits.windowMessagesMax).contains(self.window) else {
            throw ValidationError("--window is 1 to \(Limits.windowMessagesMax)")
        }
        guard StationKind(rawValue: self.kind) != nil else {
            let known = StationKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("there is no kind '\(self.kind)'; known are \(known)")
        }
        guard !self.writeStationsOnly || self.writeStations != nil else {
            throw ValidationError("--write-stations-only needs --write-stations FILE")
        }
        _ = try self.choices()
    }

    func run() throws {
        guard let clock = LocalClock(self.zone) else {
            throw ValidationError(
                "--zone '\(self.zone)' is neither an offset such as +08:00 nor a time zone known here")
        }
        guard let id = StationID(self.station), let kind = StationKind(rawValue: self.kind) else { return }
        let file = try HistoryFile(
            path: self.file, timeColumn: self.timeColumn, clock: clock, choices: try self.choices())
        let station = StationPlan(
            id: id, name: "Replay of \(self.file.split(separator: "/").last ?? "a file")", kind: kind,
            latitude: self.latitude, longitude: self.longitude, intervalMilliseconds: file.intervalMilliseconds,
            parameters: file.parameters)
        if let path = self.writeStations {
            try self.write(station, to: path, zone: clock)
            if self.writeStationsOnly { return }
        }
        StopSignal.install()
        try ReplayRun(command: self, file: file, station: station).run()
    }

    /// The site gets the file's clock when it has a name; a fixed offset is written as the zone `Etc/GMT-8`.
    private func write(_ station: StationPlan, to path: String, zone: LocalClock) throws {
        let name: String
        switch zone {
        case .named(let zone): name = zone
        case .offset(let seconds) where seconds % 3_600 == 0:
            // POSIX counts westwards: +08:00 is GMT-8.
            name = seconds == 0 ? "Etc/UTC" : "Etc/GMT\(seconds > 0 ? "-" : "+")\(abs(seconds) / 3_600)"
        case .offset: name = "Asia/Ho_Chi_Minh"
        }
        let site = SitePlan(
            id: "replay-\(station.id.text)", name: "\(station.name) (DEMO)", kind: station.kind, timeZone: name,
            stations: [station])
        let output = try OutputFile(path: path)
        let yaml = StationYAML.yaml([site], comment: "Written by quantrac-sim replay.")
        try output.append { $0.append(contentsOf: yaml.utf8) }
        try output.flush()
    }

    private func choices() throws -> [ColumnChoice]? {
        try self.columns?.split(separator: ",").map { text in
            guard let choice = ColumnChoice(text) else {
                throw ValidationError("--columns: '\(text)' is not COLUMN, COLUMN:PARAMETER or COLUMN:PARAMETER:UNIT")
            }
            return choice
        }
    }
}
