import GRDB

/// The ledger as rows.
enum LedgerRows {
    static func load(_ database: Database) throws -> [LedgerKey: LedgerCounts] {
        var ledger: [LedgerKey: LedgerCounts] = [:]
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM ledger")
        while let row = try rows.next() {
            ledger[LedgerKey(station: row["station"], day: row["day"])] = self.counts(row)
        }
        return ledger
    }

    /// A station's rows of some days, by day.
    static func load(
        _ database: Database, station: Int32, fromDay: Int64, throughDay: Int64 = .max
    ) throws -> [Int64: LedgerCounts] {
        var days: [Int64: LedgerCounts] = [:]
        let rows = try Row.fetchCursor(
            database.cachedStatement(sql: "SELECT * FROM ledger WHERE station = ? AND day >= ? AND day <= ?"),
            arguments: [station, fromDay, throughDay])
        while let row = try rows.next() { days[row["day"]] = self.counts(row) }
        return days
    }

    private static func counts(_ row: Row) -> LedgerCounts {
        var counts = LedgerCounts()
        counts.received = row["received"]
        counts.decoded = row["decoded"]
        counts.deadLettered = row["dead_lettered"]
        counts.repeated = row["repeated"]
        counts.qos0 = row["qos0"]
        counts.readings = row["readings"]
        counts.quarantined = row["quarantined"]
        counts.stored = row["stored"]
        counts.duplicate = row["duplicate"]
        counts.revised = row["revised"]
        return counts
    }

    static func add(_ database: Database, _ key: LedgerKey, _ counts: LedgerCounts) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (station, day) DO UPDATE SET
                received = received + excluded.received, decoded = decoded + excluded.decoded,
                dead_lettered = dead_lettered + excluded.dead_lettered, repeated = repeated + excluded.repeated,
                qos0 = qos0 + excluded.qos0, readings = readings + excluded.readings,
                quarantined = quarantined + excluded.quarantined, stored = stored + excluded.stored,
                duplicate = duplicate + excluded.duplicate, revised = revised + excluded.revised
                """
        ).execute(arguments: [
            key.station, key.day, counts.received, counts.decoded, counts.deadLettered, counts.repeated, counts.qos0,
            counts.readings, counts.quarantined, counts.stored, counts.duplicate, counts.revised,
        ])
    }
}
