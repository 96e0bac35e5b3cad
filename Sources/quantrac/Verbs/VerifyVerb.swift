import ArgumentParser
import Monitoring
import TimeSeriesStore

/// `quantrac verify`: whether what is stored is what arrived.
struct VerifyVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks chunks, rollups, ledgers and accounts, beside the running service. Changes nothing.",
        discussion: "Ends with code 1 and a line per problem on standard output when something is wrong.")

    @OptionGroup var common: CommonOptions
    @Option(help: "Only what was measured from this instant or date on.") var since: String?
    @Option(help: "Only every Nth series.") var sample: Int = 1
    @Flag(help: "As JSON.") var json = false

    func validate() throws {
        guard self.sample >= 1 else { throw ValidationError("--sample must be a whole number from 1") }
    }

    func run() throws {
        let settings = try self.common.settings()
        let since = try self.since.map { try settings.instant($0, option: "--since") }
        let verifier = StoreVerifier(try settings.openReader(), sinceMilliseconds: since)
        var progress = ProgressBar("verify")
        let report = try verifier.run(every: self.sample) { done, total in
            progress.update(Double(done), of: Double(total), detail: "\(done) of \(total) series")
        }
        progress.clear()
        let item = VerifyItem(report)
        if self.json {
            try Output.json(item)
        } else {
            for problem in report.problems { try Output.line(problem) }
            try Output.line(item.summary)
        }
        guard report.problems.isEmpty else {
            throw VerbFailure.failed(StoreRequestHandler.counted(report.problems.count, "problem") + " found")
        }
    }
}

/// What `verify --json` says.
private struct VerifyItem: Encodable {
    let series: Int
    let readings: Int
    let rollups: Int
    let ledgerRows: Int
    let problems: [String]

    init(_ report: VerifyReport) {
        self.series = report.seriesChecked
        self.readings = report.readingsChecked
        self.rollups = report.rollupsChecked
        self.ledgerRows = report.ledgerRowsChecked
        self.problems = report.problems
    }

    var summary: String {
        "checked \(self.series) series, \(self.readings) readings, \(self.rollups) rollups, "
            + "\(self.ledgerRows) ledger rows"
    }
}
