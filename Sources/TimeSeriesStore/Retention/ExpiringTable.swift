import GRDB
import Monitoring

/// Tables whose rows go when they are old, a page at a time.
package enum ExpiringTable: String, Sendable, Hashable, CaseIterable {
    case events
    case incidents
    case messages
    case deadLetters = "dead-letters"
    case quarantine

    func kept(_ policy: RetentionPolicy) -> Int64 {
        switch self {
        case .events: policy.eventsMilliseconds
        case .incidents, .messages: policy.incidentsMilliseconds
        case .deadLetters, .quarantine: policy.setAsideMilliseconds
        }
    }

    private var name: String {
        switch self {
        case .events: "event"
        case .incidents: "incident"
        case .messages: "outbox"
        case .deadLetters: "dead_letter"
        case .quarantine: "quarantine"
        }
    }

    /// Whether a row may go, once it is older than `?`.
    ///
    /// An incident that is open, or that nobody acknowledged or closed, stays; so does a message nobody has taken.
    private var condition: String {
        switch self {
        case .events, .deadLetters, .quarantine: "received < ?"
        case .incidents: "cleared < ? AND (acknowledged IS NOT NULL OR closed IS NOT NULL)"
        case .messages: "delivered < ?"
        }
    }

    /// When a row was made: it grows with `id`.
    private var made: String {
        switch self {
        case .events, .deadLetters, .quarantine: "received"
        case .incidents: "opened"
        case .messages: "created"
        }
    }

    func count(_ database: Database, before: Int64) throws -> Int {
        try Int.fetchOne(
            database, sql: "SELECT count(*) FROM \(self.name) WHERE \(self.condition)", arguments: [before]) ?? 0
    }

    /// Deletes what may go of the page behind `cursor`, which moves on; nil at the end.
    func deletePage(_ database: Database, before: Int64, cursor: inout Int64) throws -> Int? {
        let limit = StoreLimits.retentionRowsMax
        if self == .events {
            try database.execute(
                sql: """
                    DELETE FROM event WHERE (station, kind, id) IN
                    (SELECT station, kind, id FROM event WHERE received < ? ORDER BY received LIMIT ?)
                    """,
                arguments: [before, limit])
            return database.changesCount > 0 ? database.changesCount : nil
        }
        // In the order of their numbers, which is that of time: a page that ends with a newer row is the last one.
        let page = try Row.fetchAll(
            database, sql: "SELECT id, \(self.made) FROM \(self.name) WHERE id > ? ORDER BY id LIMIT ?",
            arguments: [cursor, limit])
        guard let first = page.first, let last = page.last, (first[1] as Int64) < before else { return nil }
        try database.execute(
            sql: "DELETE FROM \(self.name) WHERE id > ? AND id <= ? AND \(self.condition)",
            arguments: [cursor, last[0] as Int64, before])
        cursor = last[0]
        return database.changesCount
    }
}
