#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A stream socket of this machine, closed when it goes out of scope.
struct UnixSocket: ~Copyable {
    let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Takes over a descriptor.
    init(owning descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }

    /// Gives the descriptor away; the caller closes it.
    consuming func released() -> Int32 {
        let descriptor = self.descriptor
        discard self
        return descriptor
    }

    /// What a call of the system failed with.
    struct Failure: Error, CustomStringConvertible {
        let call: String
        let code: Int32
        var description: String { "\(self.call): \(String(cString: strerror(self.code)))" }

        init(_ call: String, code: Int32 = errno) {
            self.call = call
            self.code = code
        }
    }

    /// Listens at a path that only this user may open; what was left there by a dead process is removed.
    ///
    /// Only whoever holds the store's lock may do this: then what lies there is nobody's.
    static func listening(at path: String) throws(Failure) -> UnixSocket {
        let listener = UnixSocket(descriptor: socket(AF_UNIX, Self.type, 0))
        guard listener.descriptor >= 0 else { throw Failure("socket") }
        unlink(path)
        try Self.withAddress(path) { address, length throws(Failure) in
            guard bind(listener.descriptor, address, length) == 0 else { throw Failure("bind \(path)") }
        }
        // Nobody can connect before `listen`, so there is no moment at which others may.
        guard chmod(path, 0o600) == 0 else { throw Failure("chmod \(path)") }
        guard listen(listener.descriptor, ControlLimits.backlog) == 0 else { throw Failure("listen") }
        return listener
    }

    /// Takes the next connection; nil when there is none after all.
    borrowing func accepted() -> UnixSocket? {
        let descriptor = accept(self.descriptor, nil, nil)
        guard descriptor >= 0 else { return nil }
        Self.closeOnExec(descriptor)
        return UnixSocket(descriptor: descriptor)
    }

    /// Keeps a descriptor out of the programs this one starts.
    static func closeOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

    /// Connects to a listener.
    static func connected(to path: String) throws(Failure) -> UnixSocket {
        let client = UnixSocket(descriptor: socket(AF_UNIX, Self.type, 0))
        guard client.descriptor >= 0 else { throw Failure("socket") }
        try Self.withAddress(path) { address, length throws(Failure) in
            guard connect(client.descriptor, address, length) == 0 else { throw Failure("connect \(path)") }
        }
        return client
    }

    private static var type: Int32 {
        #if canImport(Glibc)
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
        SOCK_STREAM
        #endif
    }

    /// A socket's path has 107 bytes at most; a longer one is reached through its open folder.
    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Failure) -> Void
    ) throws(Failure) {
        var path = path
        var folder: Int32 = -1
        defer { if folder >= 0 { close(folder) } }
        if path.utf8.count > 107 {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            folder = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard folder >= 0 else { throw Failure("open \(path[..<slash])") }
            path = "/proc/self/fd/\(folder)\(path[slash...])"
            guard path.utf8.count <= 107 else { throw Failure("socket path", code: ENAMETOOLONG) }
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        var failure: Failure?
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                do throws(Failure) {
                    try body(address, socklen_t(MemoryLayout<sockaddr_un>.size))
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    /// Lets reads and writes fail after a while.
    borrowing func setTimeouts(readSeconds: Int, writeSeconds: Int) {
        var read = timeval(tv_sec: readSeconds, tv_usec: 0)
        var write = timeval(tv_sec: writeSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &read, size)
        setsockopt(self.descriptor, SOL_SOCKET, SO_SNDTIMEO, &write, size)
    }

    /// Reads up to a line break; nil at the end of the stream before any byte.
    borrowing func readLine(bytesMax: Int) throws(Failure) -> [UInt8]? {
        var line: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(self.descriptor, &piece, piece.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure("receive") }
            guard count > 0 else {
                if line.isEmpty { return nil }
                throw Failure("receive", code: ECONNRESET)
            }
            if let end = piece[..<count].firstIndex(of: UInt8(ascii: "\n")) {
                line.append(contentsOf: piece[..<end])
                return line
            }
            line.append(contentsOf: piece[..<count])
            guard line.count <= bytesMax else { throw Failure("receive", code: EMSGSIZE) }
        }
    }

    /// Sends a line and waits for one; nil when the peer left without a word.
    borrowing func exchange(_ line: [UInt8], bytesMax: Int) throws(Failure) -> [UInt8]? {
        do throws(Failure) {
            try self.writeLine(line)
        } catch {
            // A peer that is busy answers before it has heard us out; its answer is worth more than the broken pipe.
            if let answer = try? self.readLine(bytesMax: bytesMax) { return answer }
            throw error
        }
        return try self.readLine(bytesMax: bytesMax)
    }

    /// Writes a line and its break.
    ///
    /// A peer that has gone is an error, not a signal.
    borrowing func writeLine(_ line: [UInt8]) throws(Failure) {
        var rest = line[...]
        rest.append(UInt8(ascii: "\n"))
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("send") }
            rest = rest.dropFirst(count)
        }
    }
}
