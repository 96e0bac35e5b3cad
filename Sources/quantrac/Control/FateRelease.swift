import FoundationEssentials
import Ingest
import Monitoring
import TimeSeriesStore

/// Brings back what was set aside, in many short pieces of work on the writer, so that the service reads on in between.
///
/// In the order of arrival: of two versions of a reading the one that came last shall be served.
struct FateRelease {
    let settings: Settings
    let clock: @Sendable () -> Int64

    /// Dead letters per piece of work: each has a transaction of its own.
    static let lettersPerPiece = 20
    static let valuesPerPiece = 1_000

    /// Reads dead letters again.
    func deadLetters(_ selection: FateSelection, on store: some StoreAccess) throws -> StoreReply {
        let reader = store.reader
        var pages = FatePages(selection: selection) { try reader.deadLetters(beforeID: $0, limit: 200) }
        return try self.run(
            try pages.idsAscending(), asked: selection, perPiece: Self.lettersPerPiece, noun: "message",
            verb: "deadletter", on: store,
            fetch: { try reader.deadLetters(beforeID: $0, limit: 1) }, take: { try $0.deadLetters($1) })
    }

    /// Stores quarantined values, their times moved by a shift.
    func quarantined(
        _ selection: FateSelection, shiftMilliseconds: Int64, on store: some StoreAccess
    ) throws -> StoreReply {
        let reader = store.reader
        var pages = FatePages(selection: selection) { try reader.quarantined(beforeID: $0, limit: 5_000) }
        return try self.run(
            try pages.idsAscending(), asked: selection, perPiece: Self.valuesPerPiece, noun: "value",
            verb: "quarantine", on: store,
            fetch: { try reader.quarantined(beforeID: $0, limit: 1) },
            take: { try $0.quarantined($1, shiftMilliseconds: shiftMilliseconds) })
    }

    private func run<Row: FateRow & Sendable>(
        _ ids: [Int64], asked: FateSelection, perPiece: Int, noun: String, verb: String, on store: some StoreAccess,
        fetch: (Int64) throws -> [Row], take: @escaping @Sendable (Release, [Row]) throws -> ReleaseReport
    ) throws -> StoreReply {
        if let missing = asked.ids.map({ Set($0).subtracting(ids) }), let first = missing.min() {
            return StoreReply(VerbFailure.usage("there is no \(noun) \(first) in `quantrac \(verb) list`"))
        }
        var taken = 0
        var refused = 0
        for start in stride(from: 0, to: ids.count, by: perPiece) {
            var rows: [Row] = []
            for id in ids[start..<min(start + perPiece, ids.count)] {
                // Somebody else may have brought it back in between.
                rows += try fetch(id + 1).filter { $0.id == id }
            }
            let settings = self.settings
            let now = self.clock()
            let piece = rows
            let report = try store.onWriter { writer in
                try take(
                    Release(
                        writer: writer, topicPrefix: settings.broker.topicPrefix, bounds: settings.timeBounds,
                        nowMilliseconds: now), piece)
            }
            taken += report.taken
            refused += report.refused
        }
        var lines = ["\(StoreRequestHandler.counted(taken, noun)) brought back"]
        if refused > 0 {
            lines.append("\(StoreRequestHandler.counted(refused, noun)) kept; see `quantrac \(verb) list`")
        }
        return .done(lines.joined(separator: "\n"))
    }
}

extension FatePages {
    /// The numbers of all rows selected, oldest first.
    fileprivate mutating func idsAscending() throws -> [Int64] {
        var ids: [Int64] = []
        while case let page = try self.next(), !page.isEmpty { ids += page.map(\.id) }
        return ids.reversed()
    }
}
