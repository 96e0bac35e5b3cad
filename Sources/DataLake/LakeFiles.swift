import Crypto
import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the lake does with files: everything is on the disk before the next step relies on it.
enum LakeFiles {
    static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw LakeError(.destination, "lake.destination: \(path) cannot be made: \(error)")
        }
    }

    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Names in a folder, sorted; none when it is not there.
    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw self.failure("remove", path) }
    }

    /// Waits until a file or a folder is on the disk.
    static func sync(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw self.failure("open", path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw self.failure("sync", path) }
    }

    /// Gives a finished file its name; the name is on the disk when this returns.
    static func rename(_ unfinished: String, to path: String) throws {
        guard Self.systemRename(unfinished, path) == 0 else { throw self.failure("rename", path) }
        try self.sync((path as NSString).deletingLastPathComponent)
    }

    static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path))
        } catch {
            throw LakeError(.destination, "lake.destination: \(path) cannot be written: \(error)")
        }
        try self.sync(path)
    }

    /// A small file's bytes; nil when it is not there.
    static func read(_ path: String, bytesMax: Int) throws -> Data? {
        guard self.exists(path) else { return nil }
        guard let handle = FileHandle(forReadingAtPath: path) else { throw self.failure("open", path) }
        defer { try? handle.close() }
        let data = try handle.read(upToCount: bytesMax + 1) ?? Data()
        guard data.count <= bytesMax else {
            throw LakeError(.destination, "\(path): longer than the \(bytesMax) bytes a manifest may have")
        }
        return data
    }

    /// SHA-256 in hexadecimal, read in pieces.
    static func sha256(_ path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else { throw self.failure("open", path) }
        defer { try? handle.close() }
        var hash = SHA256()
        while let piece = try handle.read(upToCount: LakeLimits.pieceBytes), !piece.isEmpty { hash.update(data: piece) }
        return hash.finalize().hexadecimal
    }

    private static func systemRename(_ old: String, _ new: String) -> Int32 {
        #if canImport(Glibc)
        Glibc.rename(old, new)
        #else
        Darwin.rename(old, new)
        #endif
    }

    private static func failure(_ action: String, _ path: String) -> LakeError {
        LakeError(.destination, "lake.destination: cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}

extension SHA256.Digest {
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
