import ArgumentParser
import Monitoring
import TimeSeriesStore

extension Level: ExpressibleByArgument {}
extension ExportFormat: ExpressibleByArgument {}
extension ServedView: EnumerableFlag {}

/// `quantrac export`: time series as CSV or NDJSON.
struct ExportVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes readings or their hourly and daily summaries as CSV or NDJSON.",
        discussion: """
            Rows come in the order of station, parameter and time. The number of rows and the SHA-256 of what was \
            written go to standard error. Times are half-open, [from, to): readings are matched by their time, \
            buckets by their start. Corrections are laid over the readings unless --as-received is given; with \
            --as-of the readings and corrections are those that were known at that instant of receipt.
            """)

    @OptionGroup var common: CommonOptions
    @Option(parsing: .upToNextOption, help: "Stations' ids, or all.") var station: [String] = ["all"]
    @Option(parsing: .upToNextOption, help: "Parameters, or all.") var parameter: [String] = ["all"]
    @Option(help: "From this instant (RFC 3339 with an offset), or from 00:00 of this date at the site.") var from:
        String?
    @Option(help: "Until before this instant or date.") var to: String?
    @Option(help: "raw, 1m, 1h or 1d.") var level: Level = .raw
    @Option(help: "csv or ndjson.") var format: ExportFormat = .csv
    @Option(help: "Write to FILE, which appears when it is complete.") var output: String?
    @Flag(help: "All versions of each reading, with their number (level raw only).") var revisions = false
    @Flag(help: "With the corrections in force, or as the devices sent it.") var view: ServedView = .corrected
    @Option(help: "As it was served at this instant, or at 00:00 of this date at the site (level raw only).") var asOf:
        String?

    func validate() throws {
        guard !self.revisions || self.level == .raw else {
            throw ValidationError("--revisions goes with --level raw only")
        }
        guard self.asOf == nil || self.level == .raw else {
            throw ValidationError("--as-of goes with --level raw only")
        }
    }

    func run() throws {
        let settings = try self.common.settings()
        let selection = ExportSelection(
            stations: self.station, parameters: self.parameter, from: try self.time(self.from, "--from"),
            to: try self.time(self.to, "--to"))
        let reader = try settings.openReader()
        let spans = try selection.spans(registry: reader.registry)
        let sink = try ExportSink(path: self.output)
        var job = ExportJob(
            reader: reader, level: self.level, revisions: self.revisions, view: self.view,
            asOf: try self.time(self.asOf, "--as-of"), row: RowBuilder(format: self.format))
        var progress = ProgressBar("export")
        do {
            try job.run(spans, into: sink) { done, total, rows in
                progress.update(done, of: total, detail: "\(rows) rows")
            }
        } catch {
            progress.clear()
            throw error
        }
        progress.clear()
        let digest = try sink.finish()
        Output.note("\(StoreRequestHandler.counted(job.rows, "row")), SHA-256 \(digest)")
    }

    private func time(_ text: String?, _ option: String) throws(VerbFailure) -> ExportTime? {
        guard let text else { return nil }
        guard let time = ExportTime(text) else {
            throw .usage("\(option): '\(text)' must be \(ExportTime.allowed)")
        }
        return time
    }
}
