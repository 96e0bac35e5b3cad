import ArgumentParser
import DataLake
import Logging
import Monitoring
import Notifications
import TimeSeriesStore

/// `quantrac lake …`.
struct LakeVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lake", abstract: "The Data Lake: closed local days as Parquet parts.",
        subcommands: [Publish.self, Status.self])

    /// `quantrac lake publish`.
    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publishes every closed day that is new or has changed. Publishing again changes nothing.")

        @OptionGroup var common: CommonOptions

        func run() async throws {
            let settings = try self.common.settings()
            guard settings.lake.destination != nil else {
                throw VerbFailure.usage("lake.destination is not set: there is no lake to publish to")
            }
            switch try StoreClient(settings: settings).openOrAsk(.lakePublish) {
            case .answered(let reply): try Output.finish(reply)
            case .ours(let writer):
                let thread = WriterThread(writer)
                defer { thread.stop() }
                try Output.finish(StoreReply(try await Self.publisher(settings, thread).publish(.request)))
            }
        }

        private static func publisher(_ settings: Settings, _ thread: WriterThread) -> LakePublisher {
            var logger = Logger(label: "quantrac")
            // What is published is printed; only what goes wrong is logged besides.
            logger.logLevel = .error
            let mailbox = thread.mailbox
            return LakePublisher(
                context: .init(
                    reader: thread.reader, destination: settings.lake.destination ?? "", duckdb: settings.lake.duckdb,
                    zone: settings.localZone, clock: SystemWallClock(),
                    merge: {
                        let now = SystemTime.nowMilliseconds()
                        _ = try await mailbox.submit { try $0.mergeEverything(nowMilliseconds: now) }
                    },
                    record: { part in try await mailbox.submit { try $0.recordPublished(part) } },
                    examined: { day, change in
                        try await mailbox.submit { try $0.recordExamined(day: day, change: change) }
                    }, logger: logger))
        }
    }

    /// `quantrac lake status`.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows which days are published and which wait.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "As JSON.") var json = false

        func run() throws {
            let settings = try self.common.settings()
            let status = try LakeStatus.read(
                try settings.openReader(), zone: settings.localZone, nowMilliseconds: SystemTime.nowMilliseconds())
            let rows = status.days.map { LakeDayItem($0, settings.timeText) }
            if self.json { return try Output.json(rows) }
            if settings.lake.destination == nil { Output.note("lake.destination is not set: nothing is published") }
            try Output.table(
                ["DAY", "STATE", "GENERATION", "ROWS", "PUBLISHED", "FILE"],
                rows.map {
                    [
                        $0.day, $0.state, $0.generation.map { "\($0)" } ?? "–", $0.rows.map { "\($0)" } ?? "–",
                        $0.published ?? "–", $0.file ?? "–",
                    ]
                })
        }
    }
}

/// A day as `lake status --json` shows it.
private struct LakeDayItem: Encodable {
    let day: String
    /// `published`, `open`, `pending` or `changed`.
    let state: String
    let generation: Int?
    let rows: Int64?
    let file: String?
    let sha256: String?
    let published: String?

    init(_ day: LakeStatus.Day, _ time: TimeText) {
        self.day = Civil.formatDate(days: day.day)
        self.state = day.state.rawValue
        self.generation = day.part?.generation
        self.rows = day.part?.rows
        self.file = day.part?.file
        self.sha256 = day.part?.sha256
        self.published = time.text(day.part?.publishedMilliseconds)
    }
}
