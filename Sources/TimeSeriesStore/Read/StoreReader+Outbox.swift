import GRDB

/// An undelivered message and when to try it.
package struct PendingOutboxRow: Sendable, Hashable {
    package let row: OutboxRow
    package let dueMilliseconds: Int64
}

extension StoreReader {
    /// The oldest undelivered message of every channel: a channel that is stuck hides no other.
    ///
    /// Commands for stations are not among them.
    package func outboxHeads() throws -> [PendingOutboxRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, key, channel, body, created, attempts, due FROM outbox WHERE id IN
                    (SELECT min(id) FROM outbox WHERE delivered IS NULL AND \(OutboxChannel.isNotice) GROUP BY channel)
                    ORDER BY id
                    """
            ).map { PendingOutboxRow($0) }
        }
    }

    /// Commands for stations that are not delivered, oldest first, behind a message that was looked at before.
    package func pendingCommands(after id: Int64, limit: Int) throws -> [OutboxRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database.cachedStatement(
                    sql: """
                        SELECT id, key, channel, body, created, attempts, due FROM outbox
                        WHERE delivered IS NULL AND \(OutboxChannel.isCommand) AND id > ? ORDER BY id LIMIT ?
                        """),
                arguments: [id, limit]
            ).map { PendingOutboxRow($0).row }
        }
    }

    /// Undelivered messages of one channel, oldest first, whether they are due or not.
    package func outbox(channel: String, limit: Int) throws -> [PendingOutboxRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, key, channel, body, created, attempts, due FROM outbox
                    WHERE delivered IS NULL AND channel = ? ORDER BY id LIMIT ?
                    """,
                arguments: [channel, limit]
            ).map { PendingOutboxRow($0) }
        }
    }
}

extension PendingOutboxRow {
    fileprivate init(_ row: Row) {
        self.row = OutboxRow(
            id: row[0], key: row[1], channel: row[2], body: row[3], createdMilliseconds: row[4], attempts: row[5])
        self.dueMilliseconds = row[6]
    }
}
