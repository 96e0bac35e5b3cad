import Alerting
import FoundationEssentials
import Monitoring
import TimeSeriesStore

/// Carries out requests: in the verb itself when it holds the store's lock, in the service when that does.
struct StoreRequestHandler: Sendable {
    let settings: Settings
    /// Our time, ms since 1970.
    let clock: @Sendable () -> Int64
    /// Told of rules that are in force now; the service hands them to the ingest.
    let onRules: @Sendable (RuleSet) -> Void

    init(
        settings: Settings, clock: @escaping @Sendable () -> Int64 = { SystemTime.nowMilliseconds() },
        onRules: @escaping @Sendable (RuleSet) -> Void = { _ in }
    ) {
        self.settings = settings
        self.clock = clock
        self.onRules = onRules
    }

    /// The same for whoever holds the writer.
    func perform(_ request: StoreRequest, on writer: StoreWriter) -> StoreReply {
        self.perform(request, on: OwnStore(writer: writer))
    }

    /// Does what was asked.
    ///
    /// What goes wrong comes back as a reply: the verb prints it, wherever it happened.
    func perform(_ request: StoreRequest, on store: some StoreAccess) -> StoreReply {
        do {
            switch request {
            case .ping:
                return .done("")
            case .stationImport(let text, let fileName, let from):
                return try self.importStations(text: text, fileName: fileName, from: from, on: store)
            case .rulesLoad(let text, let fileName):
                return try self.loadRules(text: text, fileName: fileName, on: store)
            case .incidentAcknowledge(let id, let who, let why, let until):
                let now = self.clock()
                try store.onWriter {
                    try $0.acknowledge(incident: id, by: who, why: why, untilMilliseconds: until, atMilliseconds: now)
                }
                return .done("incident \(id) acknowledged by \(who)")
            case .deadLetterReplay(let selection):
                return try FateRelease(settings: self.settings, clock: self.clock).deadLetters(selection, on: store)
            case .quarantineRelease(let selection, let shift):
                return try FateRelease(settings: self.settings, clock: self.clock)
                    .quarantined(selection, shiftMilliseconds: shift, on: store)
            case .correctionAdd(let correction):
                return try CorrectionWork(nowMilliseconds: self.clock()).add(correction, on: store)
            case .correctionRevoke(let id, let who, let why):
                return try CorrectionWork(nowMilliseconds: self.clock()).revoke(id, who: who, why: why, on: store)
            case .retention(let json):
                let run = RetentionRun(settings: self.settings, clock: self.clock)
                let report = try run.perform(on: store)
                return .done(try report.output(json: json), warning: report.problems.joined(separator: "; "))
            case .lakePublish:
                // The service and the verb publish on their own: nothing so slow belongs on the writer.
                return StoreReply(VerbFailure.failed("publishing is not the writer's"))
            }
        } catch {
            return StoreReply(error)
        }
    }

    private func importStations(
        text: String, fileName: String, from: Int64?, on store: some StoreAccess
    ) throws -> StoreReply {
        let file = try StationFileReader.read(text: text, file: fileName)
        let now = self.clock()
        let report = try store.onWriter {
            try $0.importStations(file, validFromMilliseconds: from, nowMilliseconds: now)
        }
        guard !report.isEmpty else { return .done("nothing to change") }
        var lines = report.changes
        let added = [
            (report.sitesAdded, "site"), (report.stationsAdded, "station"), (report.seriesAdded, "series"),
        ].filter { $0.0 > 0 }.map { Self.counted($0.0, $0.1) }
        if !added.isEmpty { lines.append("added " + added.joined(separator: ", ")) }
        return .done(lines.joined(separator: "\n"))
    }

    private func loadRules(text: String, fileName: String, on store: some StoreAccess) throws -> StoreReply {
        // Read before anything is written: a bad file keeps the rules there are.
        _ = try RulesFileReader.read(text: text, file: fileName, version: 0)
        let now = self.clock()
        let version = try store.onWriter { try $0.saveRules(text: text, source: fileName, atMilliseconds: now) }
        let read = try RulesFileReader.read(
            text: text, file: fileName, version: version, registry: store.reader.registry)
        self.onRules(read.ruleSet)
        let count = Self.counted(read.ruleSet.rules.count, "rule")
        return .done(
            "version \(version) in force: \(count), \(Self.counted(read.ruleSet.channels.count, "channel"))",
            warning: read.warnings.map(\.description).joined(separator: "; "))
    }

    /// `1 station`, `3 stations`, `2 series`.
    static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 || noun.hasSuffix("s") ? "" : "s")"
    }
}
