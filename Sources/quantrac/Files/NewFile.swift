import FoundationEssentials

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A file that is written under a temporary name and appears whole, or not at all.
struct NewFile: ~Copyable {
    let path: String
    let temporaryPath: String
    let descriptor: Int32

    /// Begins beside the final name, so that the rename stays within one file system.
    init(path: String, mode: mode_t) throws(VerbFailure) {
        self.path = path
        self.temporaryPath = "\(path).tmp-\(getpid())"
        unlink(self.temporaryPath)
        self.descriptor = open(self.temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard self.descriptor >= 0 else {
            throw .usage("\(self.temporaryPath): \(String(cString: strerror(errno)))")
        }
    }

    /// Gives the new file the owner and permissions of the one it replaces, as far as we may.
    borrowing func adoptAttributes() {
        var info = stat()
        guard stat(self.path, &info) == 0 else { return }
        _ = fchown(self.descriptor, info.st_uid, info.st_gid)
        _ = fchmod(self.descriptor, info.st_mode & 0o777)
    }

    /// Appends bytes.
    borrowing func write(_ bytes: [UInt8]) throws(VerbFailure) {
        try FileDescriptorWriter.write(bytes, to: self.descriptor, name: self.temporaryPath)
    }

    /// Makes it durable and gives it its name.
    consuming func finish() throws(VerbFailure) {
        guard fsync(self.descriptor) == 0, rename(self.temporaryPath, self.path) == 0 else {
            throw .failed("\(self.path): \(String(cString: strerror(errno)))")
        }
        // The name is durable when its folder is.
        let folder = open(Self.folder(of: self.path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// What did not get its name goes.
    deinit {
        close(self.descriptor)
        unlink(self.temporaryPath)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Writes a whole file; what was there before stays until the new one is durable.
    static func write(_ text: String, to path: String, mode: mode_t) throws(VerbFailure) {
        let file = try NewFile(path: path, mode: mode)
        file.adoptAttributes()
        try file.write(Array(text.utf8))
        try file.finish()
    }
}

/// Whole writes to a descriptor.
enum FileDescriptorWriter {
    static func write(_ bytes: [UInt8], to descriptor: Int32, name: String) throws(VerbFailure) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
                #else
                Darwin.write(descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
                #endif
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .failed("\(name): \(String(cString: strerror(errno)))") }
            written += count
        }
    }
}
