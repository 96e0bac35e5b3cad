import Foundation
import GRDB
import Monitoring

/// A dead letter as it was kept.
package struct DeadLetterRow: Sendable, Hashable {
    package let id: Int64
    package let receivedMilliseconds: Int64
    package let topic: String
    package let station: String?
    package let reason: String
    package let detail: String
    package let byteCount: Int
    package let payload: [UInt8]
    package let sha256: String?
}

/// A quarantined value as it was kept.
package struct QuarantineRow: Sendable, Hashable {
    package let id: Int64
    package let receivedMilliseconds: Int64
    package let station: String
    package let parameter: String
    package let timeMilliseconds: Int64
    package let value: Double?
    package let text: String?
    package let status: String
    package let reason: String
}

extension StoreReader {
    /// Dead letters, newest first, before an id; ask on from the last one.
    package func deadLetters(beforeID: Int64 = .max, limit: Int) throws -> [DeadLetterRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, received, topic, station, reason, detail, bytes, payload, sha256 FROM dead_letter
                    WHERE id < ? ORDER BY id DESC LIMIT ?
                    """,
                arguments: [beforeID, limit]
            ).map {
                DeadLetterRow(
                    id: $0[0], receivedMilliseconds: $0[1], topic: $0[2], station: $0[3], reason: $0[4],
                    detail: $0[5], byteCount: $0[6], payload: Array($0[7] as Data), sha256: $0[8])
            }
        }
    }

    /// Quarantined values, newest first, before an id; ask on from the last one.
    package func quarantined(beforeID: Int64 = .max, limit: Int) throws -> [QuarantineRow] {
        try self.pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT id, received, station, parameter, time, value, text, status, reason FROM quarantine
                    WHERE id < ? ORDER BY id DESC LIMIT ?
                    """,
                arguments: [beforeID, limit]
            ).map {
                QuarantineRow(
                    id: $0[0], receivedMilliseconds: $0[1], station: $0[2], parameter: $0[3],
                    timeMilliseconds: $0[4], value: $0[5], text: $0[6], status: $0[7], reason: $0[8])
            }
        }
    }
}

extension StoreWriter {
    /// Removes dead letters or quarantined values that were brought back, in the frame's own transaction.
    package func commitReleased(
        _ frame: FrameWriter, _ header: FrameHeader, _ effects: BatchEffects, deadLetters: [Int64],
        quarantined: [Int64]
    ) throws -> CommittedFrame {
        try self.commit(frame, header, effects) { database in
            let letter = try database.cachedStatement(sql: "DELETE FROM dead_letter WHERE id = ?")
            for id in deadLetters { try letter.execute(arguments: [id]) }
            let value = try database.cachedStatement(sql: "DELETE FROM quarantine WHERE id = ?")
            for id in quarantined { try value.execute(arguments: [id]) }
        }
    }
}
