import Foundation
import GRDB
import Monitoring

/// An incident as people see it.
package struct IncidentRow: Sendable, Hashable, Codable {
    package let id: Int64
    /// What notices call it: rule, station, parameter and when it began.
    package let name: String
    package let rule: String
    /// `series:12`, `station:3` or `service`.
    package let subject: String
    package let station: String?
    package let parameter: String?
    package let severity: String
    package let openedMilliseconds: Int64
    package let sinceMilliseconds: Int64
    package let value: Double?
    package let bound: Double?
    package let clearedMilliseconds: Int64?
    package let foundLate: Bool
    /// When people were told; nil when they were not.
    package let pagedMilliseconds: Int64?
    package let detail: String
    package let acknowledgedMilliseconds: Int64?
    package let acknowledgedBy: String?
    package let acknowledgedWhy: String?
    package let acknowledgedUntilMilliseconds: Int64?
    package let closedMilliseconds: Int64?
}

/// A message waiting to be delivered.
package struct OutboxRow: Sendable, Hashable {
    package let id: Int64
    package let key: String
    package let channel: String
    package let body: String
    package let createdMilliseconds: Int64
    /// Deliveries tried before.
    package let attempts: Int
}

extension StoreReader {
    /// Incidents, newest first; with `openOnly` those whose machine track is not cleared.
    package func incidents(openOnly: Bool, limit: Int = 10_000) throws -> [IncidentRow] {
        let registry = self.registry
        return try self.pool.read { database in
            let condition = openOnly ? "WHERE cleared IS NULL" : ""
            return try Row.fetchAll(
                database, sql: "SELECT * FROM incident \(condition) ORDER BY id DESC LIMIT ?", arguments: [limit]
            ).map { row in
                let series = (row["series"] as Int32?).flatMap { registry.seriesIndex(number: $0) }
                    .map { registry.series[$0] }
                let station = (row["station"] as Int32?).flatMap { registry.stationIndex(number: $0) }
                    .map { registry.stations[$0] }
                return IncidentRow(
                    id: row["id"], name: row["name"], rule: row["rule"], subject: row["subject"],
                    station: (series.map { registry.station(of: $0) } ?? station)?.id.text,
                    parameter: series?.parameter.text, severity: row["severity"],
                    openedMilliseconds: row["opened"], sinceMilliseconds: row["since"], value: row["value"],
                    bound: row["bound"], clearedMilliseconds: row["cleared"], foundLate: row["found_late"],
                    pagedMilliseconds: row["paged"], detail: row["detail"],
                    acknowledgedMilliseconds: row["acknowledged"], acknowledgedBy: row["acknowledged_by"],
                    acknowledgedWhy: row["acknowledged_why"],
                    acknowledgedUntilMilliseconds: row["acknowledged_until"], closedMilliseconds: row["closed"])
            }
        }
    }

    package func openIncidentCount() throws -> Int {
        try self.pool.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM incident WHERE cleared IS NULL") ?? 0
        }
    }

    /// Messages due at a moment, oldest first.
    package func dueOutbox(nowMilliseconds: Int64, limit: Int) throws -> [OutboxRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, key, channel, body, created, attempts FROM outbox
                    WHERE delivered IS NULL AND due <= ? ORDER BY due, id LIMIT ?
                    """,
                arguments: [nowMilliseconds, limit]
            ).map {
                OutboxRow(
                    id: $0[0], key: $0[1], channel: $0[2], body: $0[3], createdMilliseconds: $0[4], attempts: $0[5])
            }
        }
    }
}

extension StoreWriter {
    /// Marks a message as delivered; the second time changes nothing.
    package func markDelivered(outbox id: Int64, atMilliseconds: Int64) throws {
        try self.transaction(.full) { database in
            try database.execute(
                sql: """
                    UPDATE outbox SET delivered = ?, attempts = attempts + 1, last_error = NULL
                    WHERE id = ? AND delivered IS NULL
                    """,
                arguments: [atMilliseconds, id])
        }
    }

    /// Notes a delivery that failed and when to try again.
    package func markFailed(outbox id: Int64, error: String, nextMilliseconds: Int64) throws {
        try self.transaction(.ordered) { database in
            try database.execute(
                sql: "UPDATE outbox SET attempts = attempts + 1, last_error = ?, due = ? WHERE id = ?",
                arguments: [error, nextMilliseconds, id])
        }
    }

    /// Somebody took an incident on: who, why, and until when it may stay quiet.
    package func acknowledge(
        incident id: Int64, by who: String, why: String, untilMilliseconds: Int64?, atMilliseconds: Int64
    ) throws {
        try self.transaction(.full) { database in
            try database.execute(
                sql: """
                    UPDATE incident SET acknowledged = ?, acknowledged_by = ?, acknowledged_why = ?,
                    acknowledged_until = ? WHERE id = ?
                    """,
                arguments: [atMilliseconds, who, why, untilMilliseconds, id])
            guard database.changesCount == 1 else { throw StoreError(.refused, "there is no incident \(id)") }
        }
    }

    /// Writes what has no frame: an incident of the service on itself, or what a change of the rules ended.
    package func apply(_ effects: BatchEffects, atMilliseconds: Int64) throws {
        guard !effects.isEmpty else { return }
        try self.transaction(.full) {
            try EffectRows.write(
                $0, effects, at: atMilliseconds, bounds: self.fateBounds, reserveIncident: self.reserveIncident)
        }
        self.fateBounds.confirm()
    }

    /// Keeps a version of the rules; the same text again is no new version.
    ///
    /// - Returns: the version in force.
    @discardableResult
    package func saveRules(text: String, source: String, atMilliseconds: Int64) throws -> Int64 {
        try self.transaction(.full) { database in
            let last = try Row.fetchOne(
                database, sql: "SELECT version, text FROM rule_set ORDER BY version DESC LIMIT 1")
            if let last, last[1] as String == text { return last[0] }
            try database.execute(
                sql: "INSERT INTO rule_set (loaded, source, text) VALUES (?, ?, ?)",
                arguments: [atMilliseconds, source, text])
            return database.lastInsertedRowID
        }
    }
}

extension StoreReader {
    /// The rules in force, as they were written; nil when none were ever loaded.
    package func rulesText() throws -> (version: Int64, source: String, text: String)? {
        try self.pool.read { database in
            try Row.fetchOne(
                database, sql: "SELECT version, source, text FROM rule_set ORDER BY version DESC LIMIT 1"
            ).map { ($0[0], $0[1], $0[2]) }
        }
    }
}
