extension Schema {
    /// The device account: when we did not read, between which times numbers are missing, what was refused when.
    static let version2 = """
        -- When we were not reading; `ended` is null while it lasts.
        CREATE TABLE outage (
            id INTEGER PRIMARY KEY, began INTEGER NOT NULL, ended INTEGER, cause TEXT NOT NULL, detail TEXT NOT NULL,
            session_lost INTEGER NOT NULL, version_before TEXT, version_after TEXT) STRICT;
        CREATE UNIQUE INDEX outage_open ON outage (ended IS NULL) WHERE ended IS NULL;
        -- One row: the service that runs, or ran last; `alive` at most a minute old while it runs.
        CREATE TABLE service_run (
            id INTEGER PRIMARY KEY CHECK (id = 1), version TEXT NOT NULL, started INTEGER NOT NULL,
            alive INTEGER NOT NULL, stopped INTEGER) STRICT;

        -- Device times around the gaps of an account; pairs, as in `gaps`.
        ALTER TABLE account ADD COLUMN gap_times BLOB NOT NULL DEFAULT x'';
        ALTER TABLE account ADD COLUMN first_time INTEGER;
        ALTER TABLE account ADD COLUMN through_time INTEGER;
        -- Holes of the numbering that no account remembers any more.
        CREATE TABLE hole (
            station INTEGER NOT NULL, boot BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
            before_time INTEGER NOT NULL, after_time INTEGER NOT NULL, PRIMARY KEY (station, boot, first)
        ) STRICT, WITHOUT ROWID;

        CREATE INDEX dead_letter_by_station ON dead_letter (station, received);
        CREATE INDEX quarantine_by_time ON quarantine (station, time);
        """
}
