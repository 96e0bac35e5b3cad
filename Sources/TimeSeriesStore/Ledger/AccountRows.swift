import Foundation
import GRDB
import Monitoring

/// Accounts of numbered messages as rows.
enum AccountRows {
    static func decode(_ row: Row) throws -> SequenceAccount {
        let gaps = self.pairs(row[8])
        return SequenceAccount(
            boot: Array(row[1] as Data), opened: row[2], first: row[3], through: row[4], distinctCount: row[5],
            repeatedCount: row[6], lostCount: row[7], gaps: gaps.map { $0.0...$0.1 },
            lostRanges: self.pairs(row[12]).map { $0.0...$0.1 },
            gapTimes: self.pairs(row[9]).map { SequenceAccount.GapTimes(before: $0.0, after: $0.1) },
            firstMilliseconds: row[10] ?? SequenceAccount.timeUnknown,
            throughMilliseconds: row[11] ?? SequenceAccount.timeUnknown)
    }

    static func save(_ database: Database, station: Int32, _ accounts: [SequenceAccount]) throws {
        try database.cachedStatement(sql: "DELETE FROM account WHERE station = ?").execute(arguments: [station])
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO account (station, boot, opened, first, through, distinct_count, repeated, lost, gaps,
                gap_times, first_time, through_time, lost_ranges) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        for account in accounts {
            try insert.execute(arguments: [
                station, Data(account.boot), account.opened, account.first, account.through, account.distinctCount,
                account.repeatedCount, account.lostCount,
                self.data(account.gaps.map { ($0.lowerBound, $0.upperBound) }),
                self.data(account.gapTimes.map { ($0.before, $0.after) }), account.firstMilliseconds,
                account.throughMilliseconds, self.data(account.lostRanges.map { ($0.lowerBound, $0.upperBound) }),
            ])
        }
    }

    /// Keeps holes that no account remembers any more; of a station only so many.
    static func saveGivenUp(_ database: Database, station: Int32, _ holes: [SequenceHole]) throws {
        guard !holes.isEmpty else { return }
        let insert = try database.cachedStatement(sql: "INSERT OR REPLACE INTO hole VALUES (?, ?, ?, ?, ?, ?)")
        for hole in holes {
            guard let times = hole.times else { continue }
            try insert.execute(arguments: [
                station, Data(hole.boot), hole.numbers.lowerBound, hole.numbers.upperBound, times.lowerBound,
                times.upperBound,
            ])
        }
        try database.cachedStatement(
            sql: """
                DELETE FROM hole WHERE station = ?1 AND after_time < (SELECT after_time FROM hole WHERE station = ?1
                ORDER BY after_time DESC LIMIT 1 OFFSET ?2)
                """
        ).execute(arguments: [station, StoreLimits.holesKeptMax])
    }

    /// Holes given up that touch a time.
    static func givenUp(_ database: Database, station: Int32, in range: Range<Int64>) throws -> [SequenceHole] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT boot, first, last, before_time, after_time FROM hole
                    WHERE station = ? AND after_time > ? AND before_time < ? ORDER BY before_time LIMIT ?
                    """),
            arguments: [station, range.lowerBound, range.upperBound, StoreLimits.holesKeptMax]
        ).map { row in
            SequenceHole(
                boot: Array(row[0] as Data), numbers: (row[1] as Int64)...(row[2] as Int64),
                times: (row[3] as Int64)...(row[4] as Int64))
        }
    }

    private static func pairs(_ data: Data) -> [(Int64, Int64)] {
        data.withUnsafeBytes { bytes in
            (0..<(bytes.count / 16)).map { index in
                (
                    Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 16, as: Int64.self)),
                    Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 16 + 8, as: Int64.self))
                )
            }
        }
    }

    private static func data(_ pairs: [(Int64, Int64)]) -> Data {
        var data = Data(capacity: pairs.count * 16)
        for pair in pairs {
            withUnsafeBytes(of: pair.0.littleEndian) { data.append(contentsOf: $0) }
            withUnsafeBytes(of: pair.1.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }
}
