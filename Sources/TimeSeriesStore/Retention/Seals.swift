import GRDB
import Monitoring

/// What is sealed of a station (invariant I8).
struct Seal: Equatable {
    /// Nothing that was measured before this is taken any more.
    var beforeMilliseconds: Int64 = 0
    /// Raw readings before this are deleted, or being deleted and served no more.
    var rawBeforeMilliseconds: Int64 = 0
}

/// The seals as rows.
enum SealRows {
    static func all(_ database: Database) throws -> [Int32: Seal] {
        let rows = try Row.fetchAll(database, sql: "SELECT station, before, raw_before FROM seal")
        return Dictionary(
            rows.map { ($0[0] as Int32, Seal(beforeMilliseconds: $0[1], rawBeforeMilliseconds: $0[2])) },
            uniquingKeysWith: { $1 })
    }

    /// From when on a station's raw readings are there, as this transaction sees it.
    static func rawBefore(_ database: Database, station: Int32) throws -> Int64 {
        try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT raw_before FROM seal WHERE station = ?"), arguments: [station]) ?? 0
    }

    /// A seal only ever moves on.
    static func move(_ database: Database, station: Int32, to seal: Seal, change: Int64) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO seal VALUES (?, ?, ?, ?) ON CONFLICT (station) DO UPDATE SET
                before = max(before, excluded.before), raw_before = max(raw_before, excluded.raw_before),
                change = excluded.change
                """
        ).execute(arguments: [station, seal.beforeMilliseconds, seal.rawBeforeMilliseconds, change])
    }
}
