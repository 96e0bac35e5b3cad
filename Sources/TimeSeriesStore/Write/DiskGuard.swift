import Foundation
import Monitoring

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Keeps us from filling the disk: we stop taking readings while there is still room to say so and to clean up.
package struct DiskGuard {
    private let files: StoreFiles
    /// The room that is left alone.
    package let reserveBytes: Int64

    /// - Parameter reserveBytes: the room that must be left; at most 5 % of the disk, on small ones.
    package init(files: StoreFiles, reserveBytes: Int64) {
        self.files = files
        self.reserveBytes = min(reserveBytes, (DiskSpace.totalBytes(files.database) ?? .max) / 20)
    }

    /// Room left, bytes; nil when the system does not say.
    package var freeBytes: Int64? { DiskSpace.freeBytes(self.files.database) }

    /// Nil while there is room; else what to tell people.
    package func shortage() -> String? {
        guard let free = self.freeBytes, free < self.reserveBytes else { return nil }
        return "\(free >> 20) MiB free on the disk of \(self.files.database), the reserve is "
            + "\(self.reserveBytes >> 20) MiB (store.reserveBytes): reading from the broker has stopped; free some "
            + "space"
    }

    /// Makes the ballast file when there is room to spare.
    package func keepBallast() {
        guard !FileManager.default.fileExists(atPath: self.files.ballast), let free = self.freeBytes,
            free > self.reserveBytes + 2 * Int64(StoreLimits.ballastBytes)
        else { return }
        let descriptor = open(self.files.ballast, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if posix_fallocate(descriptor, 0, off_t(StoreLimits.ballastBytes)) != 0 { unlink(self.files.ballast) }
    }

    /// Gives the ballast up, so that the journal can be merged and trimmed on a full disk.
    package func dropBallast() { unlink(self.files.ballast) }
}

extension DiskSpace {
    /// Size of the disk a file is on, bytes.
    package static func totalBytes(_ path: String) -> Int64? {
        var info = statvfs()
        let folder = (path as NSString).deletingLastPathComponent
        guard statvfs(folder.isEmpty ? "." : folder, &info) == 0 else { return nil }
        return Int64(info.f_blocks) * Int64(info.f_frsize)
    }
}
