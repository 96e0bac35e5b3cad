extension Schema {
    /// Asking devices again for what is missing, and when each was last heard.
    static let version3 = """
        -- What was asked of a station about missing numbers; open until `resolved` is set.
        CREATE TABLE backfill (
            id INTEGER PRIMARY KEY, station INTEGER NOT NULL, boot BLOB NOT NULL, seq_from INTEGER NOT NULL,
            seq_to INTEGER NOT NULL, from_time INTEGER, to_time INTEGER, noticed INTEGER NOT NULL,
            asked INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL,
            answer TEXT, resolved INTEGER) STRICT;
        CREATE INDEX backfill_by_station ON backfill (station, resolved);
        CREATE INDEX backfill_open ON backfill (id) WHERE resolved IS NULL;
        -- Numbers that were declared lost; pairs, as in `gaps`. Should one come after all, it is new.
        ALTER TABLE account ADD COLUMN lost_ranges BLOB NOT NULL DEFAULT x'';
        -- When the last message of a station was received.
        CREATE TABLE heard (station INTEGER PRIMARY KEY, received INTEGER NOT NULL) STRICT;
        """
}
