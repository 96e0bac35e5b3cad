import Foundation
import GRDB
import Monitoring

/// Writes a batch's effects as rows of its transaction.
enum EffectRows {
    /// - Parameters:
    ///   - bounds: How much of dead letters and quarantined values is kept.
    ///   - reserveIncident: Numbers for incidents that are found necessary only here.
    static func write(
        _ database: Database, _ effects: BatchEffects, at nowMilliseconds: Int64, bounds: FateBounds,
        reserveIncident: () -> Int64
    ) throws {
        try bounds.write(
            database, effects.deadLetters, effects.quarantined, reserveIncident: reserveIncident)
        for change in effects.incidents { try self.write(database, change) }
        for message in effects.outbox { try self.write(database, message) }
        for item in effects.presence {
            try database.cachedStatement(
                sql: """
                    INSERT INTO device VALUES (?, ?, ?, ?) ON CONFLICT (station) DO UPDATE SET
                    changed = CASE WHEN online IS excluded.online THEN changed ELSE excluded.changed END,
                    online = excluded.online, detail = excluded.detail
                    """
            ).execute(arguments: [item.station, item.online, item.detail, nowMilliseconds])
        }
        for event in effects.events {
            try database.cachedStatement(sql: "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)")
                .execute(arguments: [event.station, event.kind, event.id, nowMilliseconds, event.payload])
        }
    }

    static func write(_ database: Database, _ change: IncidentChange) throws {
        switch change {
        case .open(
            let id, let name, let rule, let subject, let series, let station, let severity, let opened, let since,
            let value,
            let bound, let foundLate, let detail):
            try database.cachedStatement(
                sql: """
                    INSERT INTO incident (id, name, rule, subject, series, station, severity, opened, since, value,
                    bound,
                    found_late, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (rule, subject) WHERE cleared IS NULL DO UPDATE SET detail = excluded.detail
                    """
            ).execute(arguments: [
                id, name, rule, subject, series, station, severity, opened, since, value, bound, foundLate, detail,
            ])
        case .reopened(let name):
            try database.cachedStatement(
                sql: "UPDATE incident SET cleared = NULL WHERE id = (SELECT max(id) FROM incident WHERE name = ?)"
            ).execute(arguments: [name])
        case .paged(let rule, let subject, let at):
            try database.cachedStatement(
                sql: "UPDATE incident SET paged = ? WHERE rule = ? AND subject = ? AND cleared IS NULL"
            ).execute(arguments: [at, rule, subject])
        case .cleared(let rule, let subject, let at):
            try database.cachedStatement(
                sql: "UPDATE incident SET cleared = ? WHERE rule = ? AND subject = ? AND cleared IS NULL"
            ).execute(arguments: [at, rule, subject])
        }
    }

    static func write(_ database: Database, _ message: OutboxMessage) throws {
        try database.cachedStatement(
            sql: "INSERT OR IGNORE INTO outbox (key, channel, body, created, due) VALUES (?, ?, ?, ?, ?)"
        ).execute(arguments: [
            message.key, message.channel, message.body, message.createdMilliseconds, message.createdMilliseconds,
        ])
    }
}
