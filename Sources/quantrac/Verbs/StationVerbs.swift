import ArgumentParser
import Monitoring
import TimeSeriesStore

/// `quantrac station …`.
struct StationVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "station", abstract: "The sites and stations that are known.",
        subcommands: [Import.self, List.self, PasswordVerb.self])

    /// `quantrac station import FILE`.
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Brings the registry in line with a station file: adds and changes, never deletes.",
            discussion: "Importing the same file again changes nothing. A changed unit or time zone needs --from.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The station file (YAML).") var file: String
        @Option(help: "From when changed facts hold: RFC 3339 with an offset, or a date.") var from: String?

        func run() throws {
            let settings = try self.common.settings()
            let text = try TextFile.read(self.file)
            // Judged here first: a bad file costs nobody a request.
            _ = try StationFileReader.read(text: text, file: self.file)
            let from = try self.from.map { try settings.instant($0, option: "--from") }
            try settings.perform(
                .stationImport(text: text, fileName: self.file, fromMilliseconds: from), createsStore: true)
        }
    }

    /// `quantrac station list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the stations and what they report.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "As JSON.") var json = false

        func run() throws {
            let settings = try self.common.settings()
            let registry = try settings.openReader().registry
            let rows = registry.stations.sorted { $0.id < $1.id }.map { StationRow($0, registry, settings.timeText) }
            if self.json { return try Output.json(rows) }
            try Output.table(
                ["STATION", "SITE", "KIND", "INTERVAL", "NAME", "PARAMETERS"],
                rows.map { row in
                    [
                        row.id, row.site, row.kind, row.interval ?? "–", row.name,
                        row.parameters.map(\.id).joined(separator: " "),
                    ]
                })
        }
    }
}

/// A station as `station list --json` shows it.
private struct StationRow: Encodable {
    struct Parameter: Encodable {
        let id: String
        let unit: String
        let kind: String
        let direction: Bool
    }

    let id: String
    let name: String
    let site: String
    let kind: String
    let latitude: Double?
    let longitude: Double?
    let interval: String?
    let timeZone: String
    let retired: String?
    let parameters: [Parameter]

    init(_ station: Station, _ registry: Registry, _ time: TimeText) {
        let site = registry.site(of: station)
        self.id = station.id.text
        self.name = station.name
        self.site = site.id
        self.kind = station.kind.rawValue
        self.latitude = station.latitude
        self.longitude = station.longitude
        self.interval = station.intervalMilliseconds.latest.map { DurationText.format(milliseconds: $0) }
        self.timeZone = site.zone.name
        self.retired = time.text(station.retiredMilliseconds)
        self.parameters = station.seriesIndices.map { index in
            let series = registry.series[index]
            return Parameter(
                id: series.parameter.text, unit: series.unit.latest, kind: series.kind.rawValue,
                direction: series.isDirection)
        }
    }
}
