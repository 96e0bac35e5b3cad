import Foundation
import GRDB
import Monitoring

/// Corrections as rows.
enum CorrectionRows {
    /// Everything in force, by series.
    ///
    /// A row that cannot be read is left out, and named by `verify`: nothing else of the store shall fail with it.
    static func inForce(_ database: Database) throws -> [Int32: SeriesCorrections] {
        let rows = try Row.fetchAll(database, sql: "SELECT * FROM correction WHERE revoked IS NULL ORDER BY id")
        guard !rows.isEmpty else { return [:] }
        let changes = try Row.fetchAll(
            database, sql: "SELECT series, max(max(change), max(ifnull(revoked_change, 0))) FROM correction GROUP BY 1")
        let changeOf = Dictionary(uniqueKeysWithValues: changes.map { ($0[0] as Int32, $0[1] as Int64) })
        return Dictionary(grouping: rows.compactMap { try? self.correction($0) }, by: \.series).reduce(into: [:]) {
            book, entry in
            book[entry.key] = SeriesCorrections(entry.value, change: changeOf[entry.key] ?? 0)
        }
    }

    /// What was in force for a series at an instant; not to be cached.
    static func inForce(_ database: Database, series: Int32, atMilliseconds instant: Int64) throws -> SeriesCorrections
    {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM correction WHERE series = ?1 AND made <= ?2 AND (revoked IS NULL OR revoked > ?2)
                ORDER BY id
                """, arguments: [series, instant])
        return SeriesCorrections(try rows.map(self.correction), change: 0)
    }

    static func all(_ database: Database, includingRevoked: Bool) throws -> [Correction] {
        try Row.fetchAll(
            database,
            sql: "SELECT * FROM correction \(includingRevoked ? "" : "WHERE revoked IS NULL") ORDER BY id"
        ).map(self.correction)
    }

    static func correction(_ database: Database, id: Int64) throws -> Correction? {
        try Row.fetchOne(database, sql: "SELECT * FROM correction WHERE id = ?", arguments: [id])
            .map(self.correction)
    }

    /// What is wrong with corrections: unreadable ones, and those of series that are not there.
    static func problems(_ database: Database, knownSeries: Set<Int32>) throws -> [String] {
        try Row.fetchAll(database, sql: "SELECT * FROM correction ORDER BY id").compactMap { row in
            do {
                let correction = try self.correction(row)
                return knownSeries.contains(correction.series)
                    ? nil : "correction \(correction.id): there is no series \(correction.series)"
            } catch {
                return "\(error)"
            }
        }
    }

    static func insert(_ database: Database, _ correction: Correction) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try database.execute(
            sql: """
                INSERT INTO correction (id, series, from_time, to_time, what, who, why, made, change)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                correction.id, correction.series, correction.fromMilliseconds, correction.toMilliseconds,
                String(decoding: try encoder.encode(CorrectionForm(correction.kind)), as: UTF8.self), correction.who,
                correction.why, correction.madeMilliseconds, correction.change,
            ])
    }

    static func revoke(_ database: Database, id: Int64, _ revocation: Correction.Revocation) throws {
        try database.execute(
            sql: """
                UPDATE correction SET revoked = ?, revoked_by = ?, revoked_why = ?, revoked_change = ?
                WHERE id = ? AND revoked IS NULL
                """,
            arguments: [revocation.atMilliseconds, revocation.who, revocation.why, revocation.change, id])
    }

    private static func correction(_ row: Row) throws -> Correction {
        let id: Int64 = row["id"]
        let text: String = row["what"]
        let kind: Correction.Kind
        do {
            kind = try JSONDecoder().decode(CorrectionForm.self, from: Data(text.utf8)).understood()
        } catch {
            throw StoreError(.damaged, "correction \(id) cannot be read: \(error)")
        }
        let revocation = (row["revoked"] as Int64?).map {
            Correction.Revocation(
                who: row["revoked_by"] ?? "", why: row["revoked_why"] ?? "", atMilliseconds: $0,
                change: row["revoked_change"] ?? 0)
        }
        return Correction(
            id: id, series: row["series"], fromMilliseconds: row["from_time"], toMilliseconds: row["to_time"],
            kind: kind, who: row["who"], why: row["why"], madeMilliseconds: row["made"], change: row["change"],
            revocation: revocation)
    }
}
