import ArgumentParser
import FoundationEssentials
import TimeSeriesStore

/// `quantrac deadletter …`: messages that could not be read as a whole.
struct DeadLetterVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deadletter", abstract: "Messages that could not be read as a whole.",
        subcommands: [List.self, Show.self, Replay.self])

    /// `quantrac deadletter list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists dead letters, newest first.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "As JSON, with the payloads in base64.") var json = false
        @OptionGroup var filter: FateOptions

        func run() throws {
            let settings = try self.common.settings()
            let reader = try settings.openReader()
            let selection = try self.filter.selection(ids: [])
            var pages = FatePages(selection: selection) { try reader.deadLetters(beforeID: $0, limit: 200) }
            let time = settings.timeText
            if self.json { return try Output.jsonArray { try pages.next().map { DeadLetterItem($0, time) } } }
            var rows: [[String]] = []
            while case let page = try pages.next(), !page.isEmpty {
                rows += page.map {
                    ["\($0.id)", time.text($0.receivedMilliseconds), $0.reason, "\($0.byteCount)", $0.topic, $0.detail]
                }
            }
            try Output.table(["ID", "RECEIVED", "REASON", "BYTES", "TOPIC", "DETAIL"], rows)
        }
    }

    /// `quantrac deadletter show ID`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one dead letter with its payload.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "As JSON.") var json = false
        @Argument(help: "The dead letter's number.") var id: Int64

        func run() throws {
            let settings = try self.common.settings()
            let found = try settings.openReader().deadLetters(
                beforeID: self.id == .max ? .max : self.id + 1, limit: 1
            ).first
            guard let letter = found, letter.id == self.id else {
                throw VerbFailure.usage("there is no dead letter \(self.id)")
            }
            let time = settings.timeText
            if self.json { return try Output.json(DeadLetterItem(letter, time)) }
            let lines = [
                "id        \(letter.id)", "received  \(time.text(letter.receivedMilliseconds))",
                "topic     \(letter.topic)", "station   \(letter.station ?? "–")",
                "reason    \(letter.reason): \(letter.detail)",
                "bytes     \(letter.byteCount)"
                    + (letter.sha256.map { ", the first \(letter.payload.count) kept, SHA-256 of all \($0)" } ?? ""),
                "", String(decoding: letter.payload, as: UTF8.self),
            ]
            try Output.line(lines.joined(separator: "\n"))
        }
    }

    /// `quantrac deadletter replay`.
    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reads dead letters again, for example after their station was imported.",
            discussion: "Those that can be read now are stored with their own time and leave the list; the rest stay.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Numbers of dead letters; all of them when none is given.") var ids: [Int64] = []
        @OptionGroup var filter: FateOptions

        func run() throws {
            try self.common.settings().perform(.deadLetterReplay(try self.filter.selection(ids: self.ids)))
        }
    }
}

/// What narrows a list of dead letters or quarantined values.
struct FateOptions: ParsableArguments {
    @Option(help: "Only those of this station.") var station: String?
    @Option(help: "Only those set aside for this reason.") var reason: String?
    @Flag(help: "All of them.") var all = false

    func selection(ids: [Int64]) throws(VerbFailure) -> FateSelection {
        guard ids.isEmpty || !self.all else { throw .usage("give numbers or --all, not both") }
        return FateSelection(ids: ids.isEmpty ? nil : ids, station: self.station, reason: self.reason)
    }
}

/// Something that was set aside.
protocol FateRow {
    var id: Int64 { get }
    var fateStation: String? { get }
    var reason: String { get }
}

extension DeadLetterRow: FateRow {
    var fateStation: String? { self.station }
}

extension QuarantineRow: FateRow {
    var fateStation: String? { self.station }
}

/// Pages of what was set aside, newest first, as far as a selection holds; an empty page is the end.
struct FatePages<Row: FateRow> {
    let selection: FateSelection
    let fetch: (Int64) throws -> [Row]
    private var beforeID = Int64.max

    init(selection: FateSelection, fetch: @escaping (Int64) throws -> [Row]) {
        self.selection = selection
        self.fetch = fetch
    }

    mutating func next() throws -> [Row] {
        while true {
            let page = try self.fetch(self.beforeID)
            guard let last = page.last else { return [] }
            self.beforeID = last.id
            let chosen = page.filter {
                self.selection.contains(id: $0.id, station: $0.fateStation, reason: $0.reason)
            }
            if !chosen.isEmpty { return chosen }
        }
    }
}

/// A dead letter in JSON.
struct DeadLetterItem: Encodable {
    let id: Int64
    let received: String
    let topic: String
    let station: String?
    let reason: String
    let detail: String
    let bytes: Int
    let payload: String
    let sha256: String?

    init(_ row: DeadLetterRow, _ time: TimeText) {
        self.id = row.id
        self.received = time.text(row.receivedMilliseconds)
        self.topic = row.topic
        self.station = row.station
        self.reason = row.reason
        self.detail = row.detail
        self.bytes = row.byteCount
        self.payload = Data(row.payload).base64EncodedString()
        self.sha256 = row.sha256
    }
}
