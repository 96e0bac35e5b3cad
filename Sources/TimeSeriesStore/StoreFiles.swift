import Foundation
import GRDB

/// The files of a store, all named here: the database and its companions.
package struct StoreFiles: Sendable, Hashable {
    /// The SQLite file; SQLite adds `-wal` and `-shm`.
    package let database: String

    package init(database: String) { self.database = database }

    package var writeAheadLog: String { self.database + "-wal" }
    /// Held by the one process that writes (invariant I16).
    package var lock: String { self.database + ".lock" }
    /// Where the running service takes requests.
    package var socket: String { self.database + ".sock" }
    /// Given up when the disk is full, so that the journal can still be trimmed.
    package var ballast: String { self.database + ".ballast" }

    func bytes(_ path: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? NSNumber)?.intValue ?? 0
    }

    var databaseBytes: Int { self.bytes(self.database) }
    package var writeAheadLogBytes: Int { self.bytes(self.writeAheadLog) }
}

/// How connections are opened.
enum Connections {
    /// Bytes of a page.
    ///
    /// Bigger pages write more per commit, smaller ones waste more on chunks (measured: ARCHITECTURE.md).
    static let pageBytes = 4_096

    static func configuration(readonly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readonly
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 3
        configuration.label = "quantrac.store"
        configuration.prepareDatabase { database in
            // All but the cache size only matter on the connection that writes; the first two only in a new file.
            // A pool's own readers are read-only whatever was asked for.
            if !database.configuration.readonly {
                try database.execute(sql: "PRAGMA page_size = \(self.pageBytes); PRAGMA auto_vacuum = INCREMENTAL")
                // Debian builds SQLite with SECURE_DELETE: every trimmed frame would be overwritten with zeros first.
                try database.execute(sql: "PRAGMA secure_delete = OFF; PRAGMA wal_autocheckpoint = 0")
                // After a slow reader held it open, the log's file gets its usual size back when it starts again.
                try database.execute(sql: "PRAGMA journal_size_limit = \(StoreLimits.walBytesRestart)")
            }
            // The writer comes back to the same pages; a reader walks from one end of a range to the other.
            let cacheKiB = database.configuration.readonly ? 2_048 : 16_384
            try database.execute(sql: "PRAGMA cache_size = -\(cacheKiB); PRAGMA temp_store = MEMORY")
        }
        return configuration
    }
}
