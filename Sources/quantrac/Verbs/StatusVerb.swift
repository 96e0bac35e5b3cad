import ArgumentParser
import Monitoring
import TimeSeriesStore

/// `quantrac status`: what the store holds, and how long the disk lasts.
struct StatusVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows what the store holds and how full the disk is.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "As JSON.") var json = false

    func run() throws {
        let settings = try self.common.settings()
        let now = SystemTime.nowMilliseconds()
        let (reader, ledgers) = try StoreReader.open(
            path: settings.store.path, defaultZone: settings.timeZone,
            ledgersOf: { ($0.zone.localDay(at: now) - 1)...$0.zone.localDay(at: now) })
        let status = StatusReport(
            try reader.status(), fullInDays: try FullDisk.days(settings, reader: reader), registry: reader.registry,
            time: settings.timeText, isServiceRunning: StoreClient(settings: settings).isServiceRunning,
            lives: reader.lives(presence: try reader.presence(), of: reader.registry),
            nowMilliseconds: now, account: try AccountSummary(settings, reader, ledgers, nowMilliseconds: now))
        if self.json { return try Output.json(status) }
        try Output.write(status.text)
    }
}

/// `status --json`, key for key.
struct StatusReport: Encodable {
    struct Journal: Encodable {
        let frames: Int
        let readings: Int
        let bytes: Int64
    }

    struct Head: Encodable {
        let readings: Int
        let bytes: Int
    }

    struct Disk: Encodable {
        let free: Int64
        let fullInDays: Double?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(self.free, forKey: .free)
            try container.encode(self.fullInDays, forKey: .fullInDays)
        }

        private enum CodingKeys: CodingKey {
            case free
            case fullInDays
        }
    }

    /// Links, devices and parameters, counted over the stations that are not retired.
    struct Life: Encodable {
        var online = 0
        var offline = 0
        /// Nothing came for three intervals, or ten minutes.
        var silent = 0
        /// They send, and some parameter has no fresh reading.
        var stale = 0

        init(_ lives: [StationLife], _ stations: [Station], nowMilliseconds now: Int64) {
            for (life, station) in zip(lives, stations) where station.retiredMilliseconds.map({ now < $0 }) ?? true {
                if life.online == true { self.online += 1 }
                if life.isOffline { self.offline += 1 }
                if life.isSilent(nowMilliseconds: now) {
                    self.silent += 1
                } else if !life.stale(nowMilliseconds: now).isEmpty {
                    self.stale += 1
                }
            }
        }
    }

    let stations: Int
    let series: Int
    let readings: Int64
    let oldest: String?
    let newest: String?
    let fileBytes: Int
    let rawBytes: Int64
    let bytesPerReading: Double?
    let journal: Journal
    let head: Head
    let disk: Disk
    let life: Life
    let service: String
    let account: AccountSummary

    init(
        _ status: StoreStatus, fullInDays: Double?, registry: Registry, time: TimeText, isServiceRunning: Bool,
        lives: [StationLife], nowMilliseconds: Int64, account: AccountSummary
    ) {
        self.life = Life(lives, registry.stations, nowMilliseconds: nowMilliseconds)
        self.stations = status.stations
        self.series = status.series
        self.readings = status.readings
        self.oldest = time.text(status.oldestMilliseconds)
        self.newest = time.text(status.newestMilliseconds)
        self.fileBytes = status.fileBytes
        self.rawBytes = status.rawBytes
        self.bytesPerReading = status.bytesPerReading
        self.journal = Journal(
            frames: status.journalFrames, readings: status.journalReadings, bytes: status.journalBytes)
        self.head = Head(readings: status.headReadings, bytes: status.headBytes)
        self.disk = Disk(free: status.diskFreeBytes, fullInDays: fullInDays)
        self.service = isServiceRunning ? "running" : "stopped"
        self.account = account
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.stations, forKey: .stations)
        try container.encode(self.series, forKey: .series)
        try container.encode(self.readings, forKey: .readings)
        // Always there, null when the store is empty.
        try container.encode(self.oldest, forKey: .oldest)
        try container.encode(self.newest, forKey: .newest)
        try container.encode(self.fileBytes, forKey: .fileBytes)
        try container.encode(self.rawBytes, forKey: .rawBytes)
        try container.encode(self.bytesPerReading, forKey: .bytesPerReading)
        try container.encode(self.journal, forKey: .journal)
        try container.encode(self.head, forKey: .head)
        try container.encode(self.disk, forKey: .disk)
        try container.encode(self.life, forKey: .life)
        try container.encode(self.service, forKey: .service)
        try container.encode(self.account, forKey: .account)
    }

    private enum CodingKeys: CodingKey {
        case stations
        case series
        case readings
        case oldest
        case newest
        case fileBytes
        case rawBytes
        case bytesPerReading
        case journal
        case head
        case disk
        case life
        case service
        case account
    }

    /// For people.
    var text: String {
        let lines: [(String, String)] = [
            ("service", self.service), ("stations", "\(self.stations), \(self.series) series"),
            (
                "life",
                "\(self.life.online) online, \(self.life.offline) offline, \(self.life.silent) silent, "
                    + "\(self.life.stale) without some parameter"
            ), ("readings", "\(self.readings)"), ("oldest", self.oldest ?? "–"), ("newest", self.newest ?? "–"),
            (
                "file",
                ByteText.text(Int64(self.fileBytes))
                    + (self.bytesPerReading.map { ", raw \(Self.decimal($0, 2)) bytes a reading" } ?? "")
            ),
            (
                "journal",
                "\(self.journal.frames) frames, \(self.journal.readings) readings, \(ByteText.text(self.journal.bytes))"
            ),
            ("head", "\(self.head.readings) readings, \(ByteText.text(Int64(self.head.bytes)))"),
            (
                "disk",
                "\(ByteText.text(self.disk.free)) free"
                    + (self.disk.fullInDays.map { ", full in \(Self.decimal($0, 1)) days" } ?? "")
            ), ("account", self.account.text),
        ]
        return lines.map { "\($0.0)\(String(repeating: " ", count: 10 - $0.0.count))\($0.1)\n" }.joined()
    }

    private static func decimal(_ value: Double, _ decimals: Int) -> String {
        let scale = decimals == 1 ? 10.0 : 100.0
        return "\((value * scale).rounded() / scale)"
    }
}

/// Bytes for people.
enum ByteText {
    static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        var unit = "B"
        for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1_024 {
            value /= 1_024
            unit = next
        }
        return unit == "B" ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(unit)"
    }
}
