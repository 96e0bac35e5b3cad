import Foundation
import GRDB
import Monitoring

/// Rebuilds the head from the journal: at the start of the service, and in readers beside it.
enum Replay {
    struct Result {
        var head: HeadState
        /// Frames that do not fit their checksum; their readings are lost and their devices will be asked again.
        var damaged: [FrameError] = []
        var journalFrames = 0
        var journalBytes = 0
        var newestReceivedMilliseconds: Int64
    }

    /// - Parameter each: sees every readable frame in order, for those who keep state of their own.
    static func run(
        _ database: Database, _ loaded: LoadedRegistry, each: (FrameReader, Int64) throws -> Void = { _, _ in }
    ) throws -> Result {
        var head = HeadState()
        head.adopt(loaded.registry, receiptSeries: loaded.receiptSeries)
        try self.restore(&head, database, loaded)
        var result = Result(
            head: head, newestReceivedMilliseconds: try Meta.integer(database, .newestReceived) ?? 0)
        result.head.sequence = try Meta.integer(database, .trimmedThrough) ?? 0
        let rows = try Row.fetchCursor(database, sql: "SELECT seq, frame FROM journal ORDER BY seq")
        while let row = try rows.next() {
            let sequence: Int64 = row[0]
            try row.withUnsafeData(atIndex: 1) { data in
                try (data ?? Data()).withUnsafeBytes { bytes in
                    result.journalFrames += 1
                    result.journalBytes += bytes.count
                    do throws(FrameError) {
                        let reader = try FrameReader(bytes, sequence: sequence)
                        _ = try result.head.apply(reader, sequence: sequence)
                    } catch {
                        result.damaged.append(error)
                        result.head.sequence = sequence
                        return
                    }
                    let reader = try FrameReader(bytes, sequence: sequence, verify: false)
                    result.newestReceivedMilliseconds = max(
                        result.newestReceivedMilliseconds, reader.header.receivedMilliseconds)
                    try each(reader, sequence)
                }
            }
        }
        return result
    }

    private static func restore(
        _ head: inout HeadState, _ database: Database, _ loaded: LoadedRegistry
    ) throws {
        let stationOfReceipts = Dictionary(uniqueKeysWithValues: loaded.receiptSeries.map { ($1, $0) })
        let tails = try Row.fetchCursor(database, sql: "SELECT series, merged_through, newest FROM tail")
        while let row = try tails.next() {
            let series: Int32 = row[0]
            guard Int(series) < head.series.count else { continue }
            if let station = stationOfReceipts[series] {
                head.stations[Int(station)].mergedThrough = row[1]
            } else {
                head.series[Int(series)].newest = row[2]
            }
        }
        head.ledgerThrough = try Meta.integer(database, .ledgerThrough) ?? 0
        let accounts = try Row.fetchCursor(
            database,
            sql: """
                SELECT station, boot, opened, first, through, distinct_count, repeated, lost, gaps, gap_times,
                first_time, through_time, lost_ranges FROM account
                ORDER BY station, opened
                """)
        while let row = try accounts.next() {
            let station: Int = row[0]
            guard station < head.stations.count else { continue }
            head.stations[station].accounts.append(try AccountRows.decode(row))
        }
        let heard = try Row.fetchCursor(database, sql: "SELECT station, received FROM heard")
        while let row = try heard.next() {
            let station: Int = row[0]
            guard station < head.stations.count else { continue }
            head.stations[station].lastReceivedMilliseconds = row[1]
            head.stations[station].heardFolded = row[1]
        }
    }
}

/// Single values of the store.
enum Meta: String {
    case trimmedThrough = "trimmed_through"
    case ledgerThrough = "ledger_through"
    case alertsThrough = "alerts_through"
    case newestReceived = "newest_received"
    case change
    /// What all dead letters together take.
    case deadLetterBytes = "dead_letter_bytes"
    /// The broker's running total of dropped messages, as it was told last.
    case brokerDropped = "broker_dropped"
    case demo

    static func integer(_ database: Database, _ key: Meta) throws -> Int64? {
        try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT value FROM meta WHERE key = ?"), arguments: [key.rawValue])
    }

    static func set(_ database: Database, _ key: Meta, _ value: Int64) throws {
        try database.cachedStatement(
            sql: "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        ).execute(arguments: [key.rawValue, value])
    }
}
