import ArgumentParser
import TimeSeriesStore

/// `quantrac retention`: deletes what is older than the settings keep it, as the service does once a day.
struct RetentionVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Deletes raw readings, and whatever else is older than `retention.…` keeps it; the rollups stay.",
        discussion: """
            The service does this by itself once a day. Nothing is deleted before it is in hours and days and, with a \
            lake, published. What was deleted is sealed: later readings of those days go into quarantine.
            """)

    @OptionGroup var common: CommonOptions
    @Flag(help: "Says what would go and what holds it back; changes nothing.") var dryRun = false
    @Flag(help: "As JSON.") var json = false

    func run() throws {
        let settings = try self.common.settings()
        guard self.dryRun else { return try settings.perform(.retention(json: self.json)) }
        var progress = ProgressBar("retention")
        let run = RetentionRun(settings: settings, clock: { SystemTime.nowMilliseconds() })
        let report = try run.dryRun(try settings.openReader()) { done, total in
            progress.update(Double(done), of: Double(total), detail: "\(done) of \(total) stations")
        }
        progress.clear()
        try Output.line(try report.output(json: self.json))
    }
}
