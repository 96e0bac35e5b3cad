import ArgumentParser
import Monitoring
import TimeSeriesStore

/// `quantrac account`: of a station and day what was expected, what arrived, what was refused and why, what is missing.
struct AccountVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Shows of a day what was expected, what arrived, what was refused and why, and what is missing.",
        discussion: """
            One line per station; with --station the whole account, with every gap and its cause. Messages and \
            readings are counted by the local day they were received on, completeness and gaps by the local day of \
            the device's time.
            """)

    @OptionGroup var common: CommonOptions
    @Option(help: "The station's id.") var station: String?
    @Option(help: "The local date, such as 2026-11-23; without it today.") var day: String?
    @Flag(help: "As JSON, every station with its whole account.") var json = false

    func run() throws {
        let settings = try self.common.settings()
        let asked = try self.day.map { text throws(VerbFailure) -> Int64 in
            guard let day = Civil.parseDate(text) else {
                throw .usage("--day: '\(text)' must be a date such as 2026-11-23")
            }
            return day
        }
        let now = SystemTime.nowMilliseconds()
        let day: @Sendable (Site) -> Int64 = { asked ?? $0.zone.localDay(at: now) }
        let (reader, ledgers) = try StoreReader.open(
            path: settings.store.path, defaultZone: settings.timeZone, ledgersOf: { day($0)...day($0) })
        let registry = reader.registry
        var stations = registry.stations.sorted { $0.id < $1.id }
        if let station = self.station {
            stations = stations.filter { $0.id.text == station }
            guard !stations.isEmpty else { throw VerbFailure.usage("there is no station \(station)") }
        }
        let accounts = StationAccountReader(
            reader: reader, ledgers: ledgers, nowMilliseconds: now,
            silentCrash: try settings.silentCrash(reader, nowMilliseconds: now))
        var rest = stations[...]
        func next() throws -> StationAccount? {
            try rest.popFirst().map { try accounts.account(of: $0, day: day(registry.site(of: $0))) }
        }
        if self.json { return try Output.jsonArray { try next().map { [AccountItem($0)] } ?? [] } }
        if self.station != nil {
            while let account = try next() { try Output.write(AccountText.whole(account)) }
            return
        }
        var rows: [[String]] = []
        while let account = try next() { rows.append(AccountText.row(account)) }
        try Output.table(AccountText.header, rows)
    }
}

extension Settings {
    /// Since when nobody reads, when no service runs and the last one left no word of it; nil otherwise.
    func silentCrash(_ reader: StoreReader, nowMilliseconds: Int64) throws -> OutageRow? {
        guard !StoreClient(settings: self).isServiceRunning, let run = try reader.serviceRun(),
            run.stoppedMilliseconds == nil, try reader.openOutage() == nil
        else { return nil }
        return OutageRow(
            beganMilliseconds: min(
                max(run.aliveMilliseconds, try reader.newestReceivedMilliseconds()), nowMilliseconds),
            endedMilliseconds: nil, cause: .crashed, detail: "The service ended without a word",
            versionBefore: run.version, versionAfter: nil)
    }
}
