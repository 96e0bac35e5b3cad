import Foundation
import GRDB
import Monitoring

extension StoreWriter {
    /// Folds the ledger and the accounts into their tables, keeps the alert state of now, and trims the journal.
    ///
    /// One transaction with one cursor each, so that a crash never counts twice (invariant I5).
    ///
    /// - Parameter alertSnapshot: the alerting's state after the last frame committed; the store does not look into it.
    package func foldLedger(alertSnapshot: [UInt8]) throws {
        let through = self.sequence
        // Nothing came and nothing changed since the last fold: an idle service writes nothing.
        if through == self.alertsThrough, self.foldedSnapshot == alertSnapshot { return }
        try self.foldCounts { database in
            try database.cachedStatement(
                sql:
                    "INSERT INTO meta VALUES ('alert_snapshot', ?) ON CONFLICT (key) DO UPDATE SET value = "
                    + "excluded.value"
            ).execute(arguments: [Data(alertSnapshot)])
            try Meta.set(database, .alertsThrough, through)
        }
        self.alertsThrough = through
        self.foldedSnapshot = alertSnapshot
    }

    /// Folds the ledger and the accounts, with what else belongs to the transaction.
    func foldCounts(also: (Database) throws -> Void = { _ in }) throws {
        let through = self.sequence
        let (ledger, accounts) = self.head.withState { state in
            (
                state.ledger,
                state.stations.enumerated().filter { $0.element.accountsChanged }
                    .map { (Int32($0.offset), $0.element.accounts, $0.element.holesGivenUp) }
            )
        }
        let heard = self.head.withState { state in
            state.stations.enumerated().filter { $0.element.lastReceivedMilliseconds != $0.element.heardFolded }
                .map { (Int32($0.offset), $0.element.lastReceivedMilliseconds) }
        }
        try self.transaction(.ordered) { database in
            for (key, counts) in ledger {
                try LedgerRows.add(database, key, counts)
                self.ledgerChecks.touch(key.station, day: key.day)
            }
            for (station, list, givenUp) in accounts {
                try AccountRows.save(database, station: station, list)
                try AccountRows.saveGivenUp(database, station: station, givenUp)
            }
            for (station, received) in heard {
                try database.cachedStatement(sql: "INSERT OR REPLACE INTO heard VALUES (?, ?)")
                    .execute(arguments: [station, received])
            }
            try Meta.set(database, .ledgerThrough, through)
            try Meta.set(database, .newestReceived, self.newestReceivedMilliseconds)
            try also(database)
        }
        self.head.withState { state in
            state.ledger = [:]
            state.ledgerThrough = through
            for index in state.stations.indices {
                state.stations[index].accountsChanged = false
                if !state.stations[index].holesGivenUp.isEmpty { state.stations[index].holesGivenUp = [] }
            }
            for (station, received) in heard { state.stations[Int(station)].heardFolded = received }
        }
    }

    /// The alerting's state of the last fold; nil in a new store.
    package func alertSnapshot() throws -> [UInt8]? {
        try self.pool.read { database in
            try Data.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'alert_snapshot'").map { Array($0) }
        }
    }

    /// Hands over the frames behind a sequence, in order; damaged ones are left out.
    package func forEachFrame(after sequence: Int64, _ body: (consuming FrameReader) throws -> Void) throws {
        try withoutActuallyEscaping(body) { body in
            let body = UncheckedBox(body)
            try self.pool.read { database in
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT seq, frame FROM journal WHERE seq > ? ORDER BY seq", arguments: [sequence])
                while let row = try rows.next() {
                    let number: Int64 = row[0]
                    try row.withUnsafeData(atIndex: 1) { data in
                        try (data ?? Data()).withUnsafeBytes { bytes in
                            guard let reader = try? FrameReader(bytes, sequence: number) else { return }
                            try body.value(reader)
                        }
                    }
                }
            }
        }
    }

    /// Deletes frames that are merged, folded and in the alert snapshot; a bounded number at a time.
    ///
    /// - Returns: whether there may be more to delete.
    package func trimJournal() throws -> Bool {
        // Asked between any two batches: most often there is nothing to do, and that must cost nothing.
        let folded = min(self.alertsThrough, self.sequence)
        guard folded > self.trimmedThrough else { return false }
        let through = self.head.withState { state in
            var through = min(folded, state.ledgerThrough)
            for index in state.stations.indices {
                if let oldest = state.stations[index].oldestSequence { through = min(through, oldest - 1) }
            }
            return through
        }
        guard through > self.trimmedThrough else { return false }
        let upTo = min(through, self.trimmedThrough + Int64(StoreLimits.trimRowsMax))
        let (frames, bytes) = try self.transaction(.ordered) { database in
            let row = try Row.fetchOne(
                database.cachedStatement(sql: "SELECT count(*), total(length(frame)) FROM journal WHERE seq <= ?"),
                arguments: [upTo])
            try database.cachedStatement(sql: "DELETE FROM journal WHERE seq <= ?").execute(arguments: [upTo])
            try Meta.set(database, .trimmedThrough, upTo)
            return (row?[0] as Int? ?? 0, Int(row?[1] as Double? ?? 0))
        }
        self.trimmedThrough = upTo
        self.journalFrames -= frames
        self.journalBytes -= bytes
        return upTo < through
    }

    /// The first frame that holds something unmerged; nil when everything is merged.
    package var oldestUnmergedSequence: Int64? {
        self.head.withState { state in state.stations.compactMap(\.oldestSequence).min() }
    }

    /// The broker's running total of dropped messages as it was noted last; nil when it never was.
    package func brokerDropped() throws -> Int64? { try self.pool.read { try Meta.integer($0, .brokerDropped) } }

    package func note(brokerDropped total: Int64) throws {
        try self.transaction(.ordered) { try Meta.set($0, .brokerDropped, total) }
    }
}
