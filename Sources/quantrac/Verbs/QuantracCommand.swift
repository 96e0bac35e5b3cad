import ArgumentParser
import Monitoring
import TimeSeriesStore

/// The program: `quantrac VERB …`.
struct QuantracCommand: AsyncParsableCommand {
    /// Noted beside every time in which nothing was read: what ran before it, and after.
    static let programVersion = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "quantrac",
        abstract: "Collects telemetry of environmental stations and mines, keeps it, raises alerts, feeds a Data Lake.",
        version: Self.programVersion,
        subcommands: [
            ServeVerb.self, StationVerb.self, ExportVerb.self, StatusVerb.self, DeadLetterVerb.self,
            QuarantineVerb.self, CorrectionVerb.self,
            RulesVerb.self, IncidentVerb.self, LakeVerb.self, VerifyVerb.self, BackupVerb.self,
            RetentionVerb.self, DoctorVerb.self,
            AccountVerb.self,
        ])
}

/// What every verb takes.
struct CommonOptions: ParsableArguments {
    @Option(help: "The settings file (YAML). Without it the defaults and the environment hold.")
    var config: String?

    /// The settings in force.
    func settings() throws -> Settings { try Settings.load(path: self.config) }
}

extension Settings {
    /// A reader beside the service, or when none runs.
    func openReader() throws -> StoreReader {
        try StoreReader.open(path: self.store.path, defaultZone: self.timeZone)
    }

    /// Sends a request to whoever may write and prints the answer.
    func perform(_ request: StoreRequest, createsStore: Bool = false) throws {
        try Output.finish(try StoreClient(settings: self).perform(request, createsStore: createsStore))
    }

    /// The clock of lists and of dates on the command line.
    var localZone: Zone {
        ZoneDatabase.zone(named: self.timeZone) ?? Zone(name: "UTC", offsetSeconds: 0)
    }

    var timeText: TimeText { TimeText(zone: self.localZone) }

    /// An instant, or the first instant of a date on the local clock.
    func instant(_ text: String, option: String) throws(VerbFailure) -> Int64 {
        guard let time = ExportTime(text) else {
            throw .usage("\(option): '\(text)' must be \(ExportTime.allowed)")
        }
        return time.milliseconds(zone: self.localZone)
    }
}
