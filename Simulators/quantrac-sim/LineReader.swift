#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads a text file line by line; a file ending in `.xz` through the program `xz`.
final class LineReader {
    private let path: String
    private let descriptor: Int32
    private var child: pid_t?
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    /// The number of the line last returned, from 1.
    private(set) var lineNumber = 0

    init(path: String) throws(FileError) {
        self.path = path
        guard path.hasSuffix(".xz") else {
            self.descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard self.descriptor >= 0 else { throw FileError("read", path) }
            return
        }
        // xz itself would say it less clearly.
        guard access(path, R_OK) == 0 else { throw FileError("read", path) }
        (self.descriptor, self.child) = try Self.spawnXZ(path)
    }

    deinit {
        close(self.descriptor)
        if let child = self.child {
            kill(child, SIGTERM)
            waitpid(child, nil, 0)
        }
    }

    /// The next line without its end, or nil after the last one.
    func next() throws(FileError) -> ArraySlice<UInt8>? {
        while true {
            if let end = self.buffer[self.position...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = self.buffer[self.position..<end]
                self.position = end + 1
                self.lineNumber += 1
                return self.lineNumber == 1 ? withoutByteOrderMark(line) : line
            }
            if self.isAtEnd {
                guard self.position < self.buffer.count else { return nil }
                let line = self.buffer[self.position...]
                self.position = self.buffer.count
                self.lineNumber += 1
                return line
            }
            guard self.buffer.count - self.position < Limits.lineBytesMax else {
                throw FileError(description: "\(self.path): line \(self.lineNumber + 1) is longer than 1 MiB")
            }
            try self.readMore()
        }
    }

    private func readMore() throws(FileError) {
        self.buffer.removeFirst(self.position)
        self.position = 0
        let old = self.buffer.count
        let more = 64 << 10
        self.buffer.append(contentsOf: repeatElement(0, count: more))
        var count: Int
        repeat {
            count = self.buffer.withUnsafeMutableBytes {
                read(self.descriptor, $0.baseAddress?.advanced(by: old), more)
            }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw FileError("read", self.path) }
        self.buffer.removeLast(more - count)
        guard count == 0 else { return }
        self.isAtEnd = true
        try self.finishChild()
    }

    /// A damaged archive must not look like a short file.
    private func finishChild() throws(FileError) {
        guard let child = self.child else { return }
        self.child = nil
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw FileError(description: "xz could not unpack \(self.path)") }
    }

    private static func spawnXZ(_ path: String) throws(FileError) -> (Int32, pid_t) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileError("open a pipe for", path) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_addclose(&actions, ends[0])
        posix_spawn_file_actions_addclose(&actions, ends[1])
        let words: [String] = ["xz", "--decompress", "--stdout", "--", path]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let status = posix_spawnp(&child, "xz", &actions, nil, &arguments, environ)
        close(ends[1])
        guard status == 0 else {
            close(ends[0])
            throw FileError(description: "cannot start xz to unpack \(path): \(String(cString: strerror(status)))")
        }
        return (ends[0], child)
    }
}

private func withoutByteOrderMark(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
}
