import GRDB

/// Why we were not reading.
package enum OutageCause: String, Sendable, Hashable, CaseIterable {
    /// Somebody stopped the service.
    case stopped
    /// The service ended without a word, or the machine did.
    case crashed
    /// There was no connection to the broker.
    case broker
    /// Reading was paused: the disk was nearly full.
    case disk
    /// Reading was paused: our own clock was behind what we had received.
    case clock
    /// The store took no writes.
    case store

    /// Whether the process was not there.
    package var isOfProcess: Bool { self == .stopped || self == .crashed }
}

/// A time in which we were not reading, with the program's version before and after it.
package struct OutageRow: Sendable, Hashable {
    package let beganMilliseconds: Int64
    /// Nil while it lasts.
    package let endedMilliseconds: Int64?
    package let cause: OutageCause
    package let detail: String
    /// The broker had forgotten us: what it had queued is gone.
    package let sessionWasLost: Bool
    package let versionBefore: String?
    package let versionAfter: String?

    package init(
        beganMilliseconds: Int64, endedMilliseconds: Int64?, cause: OutageCause, detail: String,
        sessionWasLost: Bool = false, versionBefore: String?, versionAfter: String?
    ) {
        self.beganMilliseconds = beganMilliseconds
        self.endedMilliseconds = endedMilliseconds
        self.cause = cause
        self.detail = detail
        self.sessionWasLost = sessionWasLost
        self.versionBefore = versionBefore
        self.versionAfter = versionAfter
    }
}

/// The service that runs, or ran last.
package struct ServiceRun: Sendable, Hashable {
    package var version: String
    package var startedMilliseconds: Int64
    /// The last moment it is known to have lived; while it runs at most a minute ago.
    package var aliveMilliseconds: Int64
    /// When it was stopped; nil while it runs, and when it never said goodbye.
    package var stoppedMilliseconds: Int64?

    package init(
        version: String, startedMilliseconds: Int64, aliveMilliseconds: Int64, stoppedMilliseconds: Int64? = nil
    ) {
        self.version = version
        self.startedMilliseconds = startedMilliseconds
        self.aliveMilliseconds = aliveMilliseconds
        self.stoppedMilliseconds = stoppedMilliseconds
    }
}

/// What is to be written about outages, in one transaction: how the open one ends, which one begins, how the service
/// is.
package struct OutageChange: Sendable, Hashable {
    /// How an outage ended.
    package struct End: Sendable, Hashable {
        package var atMilliseconds: Int64
        package var version: String

        package init(atMilliseconds: Int64, version: String) {
            self.atMilliseconds = atMilliseconds
            self.version = version
        }
    }

    package var closing: End?
    package var opening: OutageRow?
    /// The open outage cost us the session.
    package var sessionWasLost = false
    package var run: ServiceRun?

    package init() {}

    package var isEmpty: Bool {
        self.closing == nil && self.opening == nil && !self.sessionWasLost && self.run == nil
    }
}

extension StoreWriter {
    /// Writes what changed about outages; at most one is open, which the table's index keeps.
    package func record(_ change: OutageChange) throws {
        try self.transaction(.ordered) { database in
            if change.sessionWasLost {
                try database.execute(sql: "UPDATE outage SET session_lost = 1 WHERE ended IS NULL")
            }
            if let closing = change.closing {
                try database.execute(
                    sql: "UPDATE outage SET ended = max(began, ?), version_after = ? WHERE ended IS NULL",
                    arguments: [closing.atMilliseconds, closing.version])
            }
            if let row = change.opening {
                try database.execute(
                    sql: """
                        INSERT INTO outage (began, ended, cause, detail, session_lost, version_before, version_after)
                        VALUES (?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        row.beganMilliseconds, row.endedMilliseconds, row.cause.rawValue, row.detail,
                        row.sessionWasLost, row.versionBefore, row.versionAfter,
                    ])
                try database.execute(
                    sql: "DELETE FROM outage WHERE id <= (SELECT max(id) FROM outage) - ?",
                    arguments: [StoreLimits.outageRowsMax])
            }
            if let run = change.run {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO service_run VALUES (1, ?, ?, ?, ?)",
                    arguments: [
                        run.version, run.startedMilliseconds, run.aliveMilliseconds, run.stoppedMilliseconds,
                    ])
            }
        }
    }
}

extension StoreReader {
    /// Outages of ours that touch a time, the first one first.
    package func outages(from: Int64, to: Int64) throws -> [OutageRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM outage WHERE began < ? AND (ended IS NULL OR ended > ?) ORDER BY began, id
                    """,
                arguments: [to, from]
            ).map { OutageRow($0) }
        }
    }

    /// The outage that lasts.
    package func openOutage() throws -> OutageRow? {
        try self.pool.read {
            try Row.fetchOne($0, sql: "SELECT * FROM outage WHERE ended IS NULL").map { OutageRow($0) }
        }
    }

    /// The service that runs, or ran last; nil when none ever noted itself.
    package func serviceRun() throws -> ServiceRun? {
        try self.pool.read {
            try Row.fetchOne($0, sql: "SELECT version, started, alive, stopped FROM service_run").map {
                ServiceRun(
                    version: $0[0], startedMilliseconds: $0[1], aliveMilliseconds: $0[2], stoppedMilliseconds: $0[3])
            }
        }
    }
}

extension OutageRow {
    fileprivate init(_ row: Row) {
        self.init(
            beganMilliseconds: row["began"], endedMilliseconds: row["ended"],
            cause: OutageCause(rawValue: row["cause"]) ?? .crashed, detail: row["detail"],
            sessionWasLost: row["session_lost"], versionBefore: row["version_before"],
            versionAfter: row["version_after"])
    }
}
