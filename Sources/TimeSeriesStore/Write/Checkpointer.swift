import Foundation
import GRDB
import Synchronization

/// Moves the write-ahead log into the database file on a thread of its own: PASSIVE, which waits for nobody.
///
/// PASSIVE alone never starts the log again under load (800 MB in 6 s, measured), so between two batches the writer
/// asks for RESTART when the log is long.
package final class Checkpointer: Sendable {
    private let files: StoreFiles
    private let queue = DispatchQueue(label: "quantrac.store.checkpoint")
    private let database: DatabaseQueue
    private let isRunning = Atomic(false)

    package init(files: StoreFiles) throws {
        self.files = files
        self.database = try DatabaseQueue(
            path: files.database, configuration: Connections.configuration(readonly: false))
    }

    /// Starts a passive checkpoint unless one is under way; returns at once.
    package func poke() {
        guard self.isRunning.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        self.queue.async {
            // A checkpoint that fails is tried again a second later; the log keeps everything until then.
            _ = try? self.database.writeWithoutTransaction { try $0.checkpoint(.passive) }
            self.isRunning.store(false, ordering: .releasing)
        }
    }
}

extension StoreWriter {
    /// Lets the log start again from its beginning when it is long and no reader needs it; never waits.
    ///
    /// - Returns: whether it did.
    @discardableResult
    package func restartLogIfLong() throws -> Bool {
        guard self.files.writeAheadLogBytes > StoreLimits.walBytesRestart else { return false }
        return try self.pool.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA busy_timeout = 0")
            defer { try? database.execute(sql: "PRAGMA busy_timeout = 5000") }
            do { return try database.checkpoint(.restart).walFrameCount >= 0 } catch is DatabaseError { return false }
        }
    }
}
