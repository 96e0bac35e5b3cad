import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The right to write a store: an advisory lock on `<store>.lock`, gone with the process whatever ends it (invariant
/// I16).
package struct StoreLock: ~Copyable {
    private let descriptor: Int32

    /// Fails with `.locked` when another process holds it.
    package init(_ files: StoreFiles) throws {
        let descriptor = open(files.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw StoreError(.refused, "\(files.lock): cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            var text = [UInt8](repeating: 0, count: 32)
            let count = read(descriptor, &text, text.count)
            let holder = String(decoding: text.prefix(max(0, count)), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            close(descriptor)
            throw StoreError(
                .locked, "\(files.database) is in use by process \(holder.isEmpty ? "?" : holder) (\(files.lock))")
        }
        let holder = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, holder, holder.count, 0)
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }
}
