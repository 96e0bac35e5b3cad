import Foundation
import GRDB
package import Monitoring

extension StoreWriter {
    /// Writes requests, their commands and what is given up, all or nothing.
    ///
    /// Numbers are declared lost together with a fold of the accounts, so that a replay after a crash finds the account
    /// as it was and never the frames without it.
    package func apply(_ change: BackfillChange, nowMilliseconds now: Int64) throws {
        guard !change.isEmpty else { return }
        guard !change.lost.isEmpty else {
            return try self.transaction(.full) { try BackfillRows.write($0, change, nowMilliseconds: now) }
        }
        let stations = Set(change.lost.map(\.station))
        let before = self.head.withState { state in
            let before = state.stations.enumerated().filter { stations.contains(Int32($0.offset)) }
                .map { ($0.offset, $0.element) }
            for lost in change.lost { state.declareLost(lost) }
            return before
        }
        do {
            try self.foldCounts { try BackfillRows.write($0, change, nowMilliseconds: now) }
        } catch {
            self.head.withState { state in
                for (index, part) in before {
                    state.stations[index].accounts = part.accounts
                    state.stations[index].accountsChanged = part.accountsChanged
                    state.stations[index].holesGivenUp = part.holesGivenUp
                }
            }
            throw error
        }
    }

    /// A number for a request.
    package func reserveBackfill() -> Int64 {
        defer { self.nextBackfill += 1 }
        return self.nextBackfill
    }

    /// Marks commands as delivered.
    package func markDelivered(outbox ids: [Int64], atMilliseconds now: Int64) throws {
        guard !ids.isEmpty else { return }
        try self.transaction(.ordered) { database in
            let update = try database.cachedStatement(
                sql: "UPDATE outbox SET delivered = ?, attempts = attempts + 1 WHERE id = ? AND delivered IS NULL")
            for id in ids { try update.execute(arguments: [now, id]) }
        }
    }
}

extension StoreReader {
    /// Requests that are neither filled nor given up, by number.
    package func openBackfills() throws -> [BackfillRequest] {
        try self.pool.read { try BackfillRows.read($0, where: "resolved IS NULL ORDER BY id", arguments: []) }
    }

    /// All that was asked of a station, newest first.
    package func backfills(of station: Station, limit: Int) throws -> [BackfillRequest] {
        try self.pool.read {
            try BackfillRows.read(
                $0, where: "station = ? ORDER BY id DESC LIMIT ?", arguments: [station.number, limit])
        }
    }

    /// The accounts of one station; nil when it has none.
    package func accountsWithHoles(of station: Int32) -> StationAccounts? {
        self.head.withState { state in
            guard Int(station) < state.stations.count, !state.stations[Int(station)].accounts.isEmpty else {
                return nil
            }
            let part = state.stations[Int(station)]
            return StationAccounts(
                station: station, accounts: part.accounts, heardMilliseconds: part.lastReceivedMilliseconds)
        }
    }

    /// Stations with numbers missing, and those of `also`.
    package func accountsWithHoles(also: Set<Int32> = []) -> [StationAccounts] {
        self.head.withState { state in
            state.stations.indices.compactMap { index in
                let part = state.stations[index]
                guard part.isKnown,
                    part.accounts.contains(where: { !$0.gaps.isEmpty }) || also.contains(Int32(index))
                else { return nil }
                return StationAccounts(
                    station: Int32(index), accounts: part.accounts, heardMilliseconds: part.lastReceivedMilliseconds)
            }
        }
    }
}

extension HeadState {
    mutating func declareLost(_ lost: LostNumbers) {
        guard Int(lost.station) < self.stations.count else { return }
        let station = Int(lost.station)
        guard let index = self.stations[station].accounts.lastIndex(where: { $0.boot == lost.boot }) else { return }
        self.stations[station].giveUp(self.stations[station].accounts[index].declareLost(lost.numbers))
        self.stations[station].accountsChanged = true
    }
}

/// Requests as rows.
enum BackfillRows {
    static func read(
        _ database: Database, where condition: String, arguments: StatementArguments
    ) throws -> [BackfillRequest] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT id, station, boot, seq_from, seq_to, from_time, to_time, noticed, asked, attempts, due, state,
                answer, resolved FROM backfill WHERE \(condition)
                """, arguments: arguments
        ).map { row in
            let from: Int64? = row[5]
            let to: Int64? = row[6]
            return BackfillRequest(
                id: row[0], station: row[1], boot: Array(row[2] as Data),
                numbers: (row[3] as Int64)...max(row[3] as Int64, row[4] as Int64),
                times: from.flatMap { from in to.map { from...max(from, $0) } }, noticedMilliseconds: row[7],
                askedMilliseconds: row[8], attempts: row[9], dueMilliseconds: row[10],
                state: BackfillRequest.State(rawValue: row[11]) ?? .asked, answer: row[12],
                resolvedMilliseconds: row[13])
        }
    }

    static func write(_ database: Database, _ change: BackfillChange, nowMilliseconds now: Int64) throws {
        let insert = try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO backfill (id, station, boot, seq_from, seq_to, from_time, to_time, noticed,
                asked, attempts, due, state, answer, resolved) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        for request in change.requests {
            try insert.execute(arguments: [
                request.id, request.station, Data(request.boot), request.numbers.lowerBound,
                request.numbers.upperBound, request.times?.lowerBound, request.times?.upperBound,
                request.noticedMilliseconds, request.askedMilliseconds, request.attempts, request.dueMilliseconds,
                request.state.rawValue, request.answer, request.resolvedMilliseconds,
            ])
            guard request.resolvedMilliseconds != nil else { continue }
            // A command that still waits for the broker is of no use any more.
            try database.cachedStatement(
                sql: """
                    UPDATE outbox SET delivered = ?, last_error = 'no longer needed'
                    WHERE delivered IS NULL AND key >= ? AND key < ?
                    """
            ).execute(arguments: [now, "backfill/\(request.id)/", "backfill/\(request.id)0"])
            try database.cachedStatement(
                sql: """
                    DELETE FROM backfill WHERE resolved IS NOT NULL AND station = ?1 AND id < (SELECT id FROM backfill
                    WHERE station = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
                    """
            ).execute(arguments: [request.station, StoreLimits.backfillRowsPerStationMax])
        }
        for command in change.commands { try EffectRows.write(database, command) }
    }
}
