extension Schema {
    /// Retention and the import of history.
    static let version5 = """
        -- Per station: raw before raw_before is deleted or being deleted; nothing before `before` is taken any more.
        CREATE TABLE seal (
            station INTEGER PRIMARY KEY, before INTEGER NOT NULL, raw_before INTEGER NOT NULL, change INTEGER NOT NULL
        ) STRICT;
        -- Through which change the rows of a published day were found to be those that are published.
        CREATE TABLE lake_examined (day INTEGER PRIMARY KEY, change INTEGER NOT NULL) STRICT;
        -- Bytes of the file in use, free pages left out, as last seen on a local day.
        CREATE TABLE file_size (day INTEGER PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;
        CREATE INDEX event_by_received ON event (received);
        -- How far the import of a file has got; `report` is the verb's own.
        CREATE TABLE import_run (
            id TEXT PRIMARY KEY, file TEXT NOT NULL, started INTEGER NOT NULL, updated INTEGER NOT NULL,
            rows INTEGER NOT NULL, finished INTEGER, report BLOB NOT NULL) STRICT;
        """
}
