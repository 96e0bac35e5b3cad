import Foundation
import GRDB
import Monitoring

/// A local day that holds readings, and the last change that touched it.
package struct LakeDay: Sendable, Hashable {
    /// Days since 1970-01-01 of the sites' local date.
    package let day: Int64
    package let change: Int64
    /// What was published of it last; nil when it never was.
    package let published: LakePart?
    /// The change through which its rows were found to be those that are published; -1 when never looked at.
    package let examinedThrough: Int64
    /// Raw readings of it are deleted: what it says stays as it was published (invariant I8).
    package let isSealed: Bool
}

/// A published part of a day.
package struct LakePart: Sendable, Hashable, Codable {
    package let day: Int64
    package let generation: Int
    package let changeFrom: Int64
    package let changeTo: Int64
    package let rows: Int64
    package let file: String
    /// Of the file.
    package let sha256: String
    /// Over the rows; decides whether two parts say the same.
    package let rowsHash: String
    package let publishedMilliseconds: Int64

    package init(
        day: Int64, generation: Int, changeFrom: Int64, changeTo: Int64, rows: Int64, file: String, sha256: String,
        rowsHash: String, publishedMilliseconds: Int64
    ) {
        self.day = day
        self.generation = generation
        self.changeFrom = changeFrom
        self.changeTo = changeTo
        self.rows = rows
        self.file = file
        self.sha256 = sha256
        self.rowsHash = rowsHash
        self.publishedMilliseconds = publishedMilliseconds
    }
}

extension StoreReader {
    /// Every local day with merged readings, ascending, with what was published of it last.
    package func lakeDays() throws -> [LakeDay] {
        let zone = self.defaultZone
        return try self.pool.read { database in
            let parts = Dictionary(
                try LakeRows.parts(database).map { ($0.day, $0) }, uniquingKeysWith: { $1 })
            let firstWhole = try RegistryRows.load(database, defaultZone: zone).registry.firstWholeDay
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT day_change.day, day_change.change, coalesce(lake_examined.change, -1) FROM day_change
                    LEFT JOIN lake_examined ON lake_examined.day = day_change.day ORDER BY day_change.day
                    """
            ).map {
                LakeDay(
                    day: $0[0], change: $0[1], published: parts[$0[0]], examinedThrough: $0[2],
                    isSealed: ($0[0] as Int64) < firstWhole)
            }
        }
    }

    /// All published parts, by day and generation.
    package func lakeParts() throws -> [LakePart] { try self.pool.read { try LakeRows.parts($0) } }
}

extension StoreWriter {
    /// Notes that a day's rows are those that were published, through a change.
    package func recordExamined(day: Int64, change: Int64) throws {
        try self.transaction(.full) { database in
            try database.execute(
                sql: "INSERT INTO lake_examined VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET change = excluded.change",
                arguments: [day, change])
        }
    }

    /// Notes a part that is published; the same part again changes nothing.
    package func recordPublished(_ part: LakePart) throws {
        try self.transaction(.full) { database in
            try database.execute(
                sql: "INSERT OR IGNORE INTO lake_part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    part.day, part.generation, part.changeFrom, part.changeTo, part.rows, part.file, part.sha256,
                    part.rowsHash, part.publishedMilliseconds,
                ])
        }
    }
}

private enum LakeRows {
    static func parts(_ database: Database) throws -> [LakePart] {
        try Row.fetchAll(database, sql: "SELECT * FROM lake_part ORDER BY day, generation").map {
            LakePart(
                day: $0[0], generation: $0[1], changeFrom: $0[2], changeTo: $0[3], rows: $0[4], file: $0[5],
                sha256: $0[6], rowsHash: $0[7], publishedMilliseconds: $0[8])
        }
    }
}
