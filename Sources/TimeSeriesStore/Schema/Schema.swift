import GRDB

/// The one file's tables, as an append-only list of migrations.
///
/// A released migration is never edited, moved or taken away; what changes gets the next number. Each one runs in a
/// transaction of its own, so that one that is interrupted is done again at the next start.
enum Schema {
    /// Every migration in order, by number.
    static let migrations: [(number: Int, sql: String)] = [
        (1, version1),
        (2, version2),
        (3, version3),
        (4, version4),
        (5, version5),
    ]

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for migration in self.migrations {
            migrator.registerMigration("\(migration.number)") { try $0.execute(sql: migration.sql) }
        }
        return migrator
    }

    /// The migrations this program knows; a store that has seen others was written by a newer program.
    static let known = Set(migrations.map { "\($0.number)" })
    /// The newest of them.
    static let newest = migrations.map(\.number).max() ?? 0

    private static let version1 = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

        -- One row per batch; numbered by us, never reused (meta.trimmed_through remembers the numbers trimmed away).
        CREATE TABLE journal (seq INTEGER PRIMARY KEY, frame BLOB NOT NULL) STRICT;

        -- Registry. Nothing is deleted; what may change is a dated fact.
        CREATE TABLE site (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL) STRICT;
        CREATE TABLE station (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, folded TEXT NOT NULL UNIQUE, site INTEGER NOT NULL,
            name TEXT NOT NULL, latitude REAL, longitude REAL, retired INTEGER) STRICT;
        CREATE TABLE series (
            number INTEGER PRIMARY KEY, station INTEGER NOT NULL, position INTEGER NOT NULL, parameter TEXT NOT NULL,
            kind TEXT NOT NULL, direction INTEGER NOT NULL, UNIQUE (station, parameter)) STRICT;
        CREATE TABLE fact (
            subject TEXT NOT NULL, number INTEGER NOT NULL, property TEXT NOT NULL, valid_from INTEGER NOT NULL,
            value TEXT, change INTEGER NOT NULL, PRIMARY KEY (subject, number, property, valid_from)
        ) STRICT, WITHOUT ROWID;

        -- The open end of a series: everything a merge of new readings touches, in one row.
        CREATE TABLE tail (
            series INTEGER PRIMARY KEY, merged_through INTEGER NOT NULL, newest INTEGER NOT NULL,
            readings INTEGER NOT NULL, change INTEGER NOT NULL, raw BLOB NOT NULL, hours BLOB NOT NULL,
            days BLOB NOT NULL) STRICT;
        -- Full chunks; key = (series * 4 + level) << 42 | first time in ms.
        CREATE TABLE chunk (key INTEGER PRIMARY KEY, readings INTEGER NOT NULL, change INTEGER NOT NULL,
            data BLOB NOT NULL) STRICT;
        -- Superseded versions; the served one is in the chunk. Values as bits: SQLite would turn -0.0 into 0.
        CREATE TABLE revision (
            series INTEGER NOT NULL, time INTEGER NOT NULL, version INTEGER NOT NULL, value_bits INTEGER NOT NULL,
            status INTEGER NOT NULL, received INTEGER NOT NULL, change INTEGER NOT NULL,
            PRIMARY KEY (series, time, version)) STRICT, WITHOUT ROWID;
        CREATE TABLE day_change (day INTEGER PRIMARY KEY, change INTEGER NOT NULL) STRICT;

        -- Fates.
        CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY, received INTEGER NOT NULL, topic TEXT NOT NULL, station TEXT, reason TEXT NOT NULL,
            detail TEXT NOT NULL, bytes INTEGER NOT NULL, payload BLOB NOT NULL, sha256 TEXT) STRICT;
        CREATE INDEX dead_letter_by_topic ON dead_letter (topic, received);
        CREATE TABLE quarantine (
            id INTEGER PRIMARY KEY, received INTEGER NOT NULL, station TEXT NOT NULL, parameter TEXT NOT NULL,
            time INTEGER NOT NULL, value REAL, text TEXT, status TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
        CREATE INDEX quarantine_by_station ON quarantine (station, received);
        CREATE TABLE ledger (
            station INTEGER NOT NULL, day INTEGER NOT NULL, received INTEGER NOT NULL, decoded INTEGER NOT NULL,
            dead_lettered INTEGER NOT NULL, repeated INTEGER NOT NULL, qos0 INTEGER NOT NULL,
            readings INTEGER NOT NULL, quarantined INTEGER NOT NULL, stored INTEGER NOT NULL DEFAULT 0,
            duplicate INTEGER NOT NULL DEFAULT 0, revised INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (station, day)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE account (
            station INTEGER NOT NULL, boot BLOB NOT NULL, opened INTEGER NOT NULL, first INTEGER NOT NULL,
            through INTEGER NOT NULL, distinct_count INTEGER NOT NULL, repeated INTEGER NOT NULL,
            lost INTEGER NOT NULL, gaps BLOB NOT NULL, PRIMARY KEY (station, boot)) STRICT, WITHOUT ROWID;
        CREATE TABLE device (
            station INTEGER PRIMARY KEY, online INTEGER, detail TEXT, changed INTEGER NOT NULL) STRICT;
        CREATE TABLE event (
            station INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, received INTEGER NOT NULL,
            payload TEXT NOT NULL, PRIMARY KEY (station, kind, id)) STRICT, WITHOUT ROWID;

        -- Alerts.
        CREATE TABLE rule_set (version INTEGER PRIMARY KEY, loaded INTEGER NOT NULL, source TEXT NOT NULL,
            text TEXT NOT NULL) STRICT;
        CREATE TABLE incident (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL, series INTEGER,
            station INTEGER,
            severity TEXT NOT NULL, opened INTEGER NOT NULL, since INTEGER NOT NULL, value REAL, bound REAL,
            cleared INTEGER, found_late INTEGER NOT NULL, paged INTEGER, detail TEXT NOT NULL,
            acknowledged INTEGER, acknowledged_by TEXT, acknowledged_why TEXT, acknowledged_until INTEGER,
            closed INTEGER) STRICT;
        -- At most one open incident per (rule, series), kept by the database (I9).
        CREATE UNIQUE INDEX incident_open ON incident (rule, subject) WHERE cleared IS NULL;
        CREATE INDEX incident_by_name ON incident (name);
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, body TEXT NOT NULL,
            created INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            delivered INTEGER, last_error TEXT) STRICT;
        CREATE INDEX outbox_due ON outbox (due) WHERE delivered IS NULL;

        CREATE TABLE lake_part (
            day INTEGER NOT NULL, generation INTEGER NOT NULL, change_from INTEGER NOT NULL,
            change_to INTEGER NOT NULL, rows INTEGER NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL,
            rows_hash TEXT NOT NULL, published INTEGER NOT NULL, PRIMARY KEY (day, generation)) STRICT;
        """
}
