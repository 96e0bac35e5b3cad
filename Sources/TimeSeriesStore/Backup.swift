import Foundation
import GRDB

extension StoreReader {
    /// Copies the store to a new file with SQLite's backup API: one consistent moment, while the service goes on.
    ///
    /// The copy is made under a temporary name, checked, and then renamed, so that a file with the final name is whole.
    ///
    /// - Returns: bytes of the copy.
    package func backup(to destination: String, progress: @escaping (Int, Int) -> Void = { _, _ in }) throws -> Int {
        guard !FileManager.default.fileExists(atPath: destination) else {
            throw StoreError(.refused, "\(destination) is there already; name a new file")
        }
        let temporary = destination + ".partial"
        try? FileManager.default.removeItem(atPath: temporary)
        do {
            let copy = try DatabaseQueue(path: temporary)
            try self.pool.backup(to: copy, pagesPerStep: 1_000) { step in
                progress(step.completedPageCount, step.totalPageCount)
            }
            let verdict = try copy.read { try String.fetchOne($0, sql: "PRAGMA quick_check") }
            guard verdict == "ok" else {
                throw StoreError(.damaged, "the copy does not pass SQLite's check: \(verdict ?? "no answer")")
            }
            try copy.close()
            try FileManager.default.moveItem(atPath: temporary, toPath: destination)
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw error
        }
        return self.files.bytes(destination)
    }
}
