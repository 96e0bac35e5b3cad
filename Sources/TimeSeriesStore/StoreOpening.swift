import Foundation
import GRDB

/// Opening of the one file: header, schema, version.
enum StoreOpening {
    static func pool(_ files: StoreFiles, readonly: Bool) throws -> DatabasePool {
        try self.checkHeader(files.database)
        if !readonly { try self.checkIsOurs(files.database) }
        let pool: DatabasePool
        do {
            pool = try DatabasePool(path: files.database, configuration: Connections.configuration(readonly: readonly))
        } catch let error as DatabaseError {
            throw StoreError(
                .wrongFile,
                "\(files.database): cannot be opened: \(error.message ?? "SQLite error \(error.resultCode)")")
        }
        try pool.read { database in
            let applied = try Schema.migrator.appliedIdentifiers(database)
            guard applied.isSubset(of: Schema.known) else {
                throw StoreError(
                    .tooNew,
                    "\(files.database): written by a newer Quantrac (schema \(applied.compactMap(Int.init).max() ?? 0)"
                        + "); this one knows \(Schema.newest). Install that version again")
            }
            if readonly, applied != Schema.known {
                throw StoreError(
                    .wrongFile, "\(files.database): not a Quantrac store, or one to be upgraded by `quantrac serve`")
            }
        }
        return pool
    }

    /// Another program's database must not become a store; looked at without writing, so that it stays as it is.
    private static func checkIsOurs(_ path: String) throws {
        guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? NSNumber, size.intValue > 0
        else { return }
        let isForeign = try DatabaseQueue(path: path, configuration: Connections.configuration(readonly: true))
            .read { database in
                try !database.tableExists("grdb_migrations")
                    && Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") != 0
            }
        guard !isForeign else {
            throw StoreError(
                .wrongFile, "\(path): another program's database; move it away or set store.path to another file")
        }
    }

    /// A file that is there must be SQLite's; an empty one becomes a store.
    private static func checkHeader(_ path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else { return }
        defer { try? handle.close() }
        let header = try handle.read(upToCount: 16) ?? Data()
        guard header.isEmpty || header == Data("SQLite format 3\0".utf8) else {
            throw StoreError(
                .wrongFile, "\(path): not an SQLite file; move it away or set store.path to another file")
        }
    }
}
