import Foundation
import GRDB
import Monitoring

/// Writes a batch's effects as rows of its transaction.
enum EffectRows {
    /// - Parameter reserveIncident: Numbers for incidents that are found necessary only here.
    static func write(
        _ database: Database, _ effects: BatchEffects, at nowMilliseconds: Int64, reserveIncident: () -> Int64
    ) throws {
        for letter in effects.deadLetters { try self.write(database, letter, reserveIncident: reserveIncident) }
        for value in effects.quarantined { try self.write(database, value) }
        for change in effects.incidents { try self.write(database, change) }
        for message in effects.outbox { try self.write(database, message) }
        for item in effects.presence {
            try database.cachedStatement(
                sql: """
                    INSERT INTO device VALUES (?, ?, ?, ?) ON CONFLICT (station) DO UPDATE SET
                    online = excluded.online, detail = excluded.detail, changed = excluded.changed
                    """
            ).execute(arguments: [item.station, item.online, item.detail, nowMilliseconds])
        }
        for event in effects.events {
            try database.cachedStatement(sql: "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?)")
                .execute(arguments: [event.station, event.kind, event.id, nowMilliseconds, event.payload])
        }
    }

    /// Keeps at most so many of a topic and day: beyond that the newest replaces the last one kept, and an incident
    /// says so until the topic's next dead letter of another day.
    private static func write(_ database: Database, _ letter: DeadLetter, reserveIncident: () -> Int64) throws {
        let dayStart = letter.receivedMilliseconds - letter.receivedMilliseconds % Civil.millisecondsPerDay
        let kept =
            try Int.fetchOne(
                database.cachedStatement(sql: "SELECT count(*) FROM dead_letter WHERE topic = ? AND received >= ?"),
                arguments: [letter.topic, dayStart]) ?? 0
        let rule = "quantrac.dead-letters"
        let subject = "topic:\(letter.topic)"
        if kept == 0 {
            try self.write(
                database, .cleared(rule: rule, subject: subject, atMilliseconds: letter.receivedMilliseconds))
        }
        if kept >= StoreLimits.deadLettersPerTopicAndDayMax {
            try self.write(
                database,
                .open(
                    id: reserveIncident(), name: "\(rule)/\(letter.topic)/\(letter.receivedMilliseconds)", rule: rule,
                    subject: subject, series: nil, station: nil, severity: "warning",
                    openedMilliseconds: letter.receivedMilliseconds, sinceMilliseconds: letter.receivedMilliseconds,
                    value: nil, bound: Double(StoreLimits.deadLettersPerTopicAndDayMax), foundLate: false,
                    detail:
                        "More than \(StoreLimits.deadLettersPerTopicAndDayMax) dead letters of \(letter.topic) in a "
                        + "day: "
                        + "the rest is counted, and only the last is kept"))
            try database.cachedStatement(
                sql: """
                    DELETE FROM dead_letter WHERE id = (SELECT id FROM dead_letter WHERE topic = ? AND received >= ?
                    ORDER BY received DESC, id DESC LIMIT 1)
                    """
            ).execute(arguments: [letter.topic, dayStart])
        }
        try database.cachedStatement(
            sql: """
                INSERT INTO dead_letter (received, topic, station, reason, detail, bytes, payload, sha256)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            letter.receivedMilliseconds, letter.topic, letter.station, letter.reason.rawValue, letter.detail,
            letter.byteCount, Data(letter.payload), letter.sha256,
        ])
    }

    private static func write(_ database: Database, _ value: QuarantinedValue) throws {
        let dayStart = value.receivedMilliseconds - value.receivedMilliseconds % Civil.millisecondsPerDay
        let kept =
            try Int.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT count(*) FROM (SELECT 1 FROM quarantine WHERE station = ? AND received >= ? LIMIT ?)
                        """),
                arguments: [value.station, dayStart, StoreLimits.quarantineRowsPerStationAndDayMax]) ?? 0
        // Beyond the bound the value is only counted in the ledger; the service raises an incident on the station.
        guard kept < StoreLimits.quarantineRowsPerStationAndDayMax else { return }
        try database.cachedStatement(
            sql: """
                INSERT INTO quarantine (received, station, parameter, time, value, text, status, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            value.receivedMilliseconds, value.station, value.parameter, value.timeMilliseconds, value.value,
            value.text, value.status, value.reason.label,
        ])
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
                    ON CONFLICT (rule, subject) WHERE cleared IS NULL DO NOTHING
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
