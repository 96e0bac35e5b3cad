extension Schema {
    /// Corrections: layers over raw (invariant I7).
    ///
    /// A row is written once, and once more when it is revoked; none is deleted.
    static let version4 = """
        CREATE TABLE correction (
            id INTEGER PRIMARY KEY, series INTEGER NOT NULL, from_time INTEGER NOT NULL, to_time INTEGER NOT NULL,
            -- JSON: kind, and of status, value, factor, offset, endFactor, endOffset, note those that it has.
            what TEXT NOT NULL,
            who TEXT NOT NULL, why TEXT NOT NULL, made INTEGER NOT NULL, change INTEGER NOT NULL,
            revoked INTEGER, revoked_by TEXT, revoked_why TEXT, revoked_change INTEGER) STRICT;
        CREATE INDEX correction_by_series ON correction (series, id);
        """
}
