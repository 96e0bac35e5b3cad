import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The clocks of the machine.
enum SystemClock {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    static func wallMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Milliseconds of a clock that nobody sets.
    static func monotonicMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// Ctrl-C and SIGTERM, as a flag that the loops look at.
enum StopSignal {
    private static let raised = Atomic<Int>(0)

    static var isRaised: Bool { self.raised.load(ordering: .relaxed) > 0 }

    static func raise() { self.raised.add(1, ordering: .relaxed) }

    /// From now on both signals only raise the flag; a third one ends the process at once.
    static func install() {
        var action = sigaction()
        // Without SA_RESTART, so that a connect or poll under way returns.
        action.sa_flags = 0
        #if canImport(Glibc)
        action.__sigaction_handler.sa_handler = stopSignalHandler
        #else
        action.__sigaction_u.__sa_handler = stopSignalHandler
        #endif
        sigaction(SIGINT, &action, nil)
        sigaction(SIGTERM, &action, nil)
        // A broker that goes away shows as EPIPE, not as the end of the process.
        signal(SIGPIPE, SIG_IGN)
    }

    fileprivate static func received() {
        if self.raised.add(1, ordering: .relaxed).newValue >= 3 { _exit(130) }
    }
}

@c private func stopSignalHandler(_ number: Int32) { StopSignal.received() }

/// Standard error, where people read; standard output stays empty.
enum Console {
    static let isTerminal = isatty(STDERR_FILENO) == 1

    static func say(_ line: String) { self.write("quantrac-sim: \(line)\n") }

    static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                #if canImport(Glibc)
                let written = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
                #else
                let written = Darwin.write(STDERR_FILENO, rest.baseAddress, rest.count)
                #endif
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }
}

/// Something about a file that went wrong.
struct FileError: Error, CustomStringConvertible {
    let description: String

    init(_ doing: String, _ path: String) {
        self.description = "cannot \(doing) \(path): \(String(cString: strerror(errno)))"
    }

    init(description: String) { self.description = description }
}

/// A file being written, buffered.
final class OutputFile {
    private let path: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []

    init(path: String) throws(FileError) {
        self.path = path
        self.descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
        guard self.descriptor >= 0 else { throw FileError("write", path) }
    }

    deinit { close(self.descriptor) }

    /// Appends through `body` and writes when the buffer is full.
    func append(_ body: (inout [UInt8]) -> Void) throws(FileError) {
        body(&self.buffer)
        if self.buffer.count >= Limits.truthBufferBytesMax { try self.flush() }
    }

    func flush() throws(FileError) {
        var offset = 0
        while offset < self.buffer.count {
            let written = self.buffer.withUnsafeBytes {
                write(self.descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw FileError("write", self.path) }
            offset += written
        }
        self.buffer.removeAll(keepingCapacity: true)
    }
}

/// The first line of a small file: a password.
func firstLine(ofFile path: String) throws(FileError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileError("read", path) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw FileError("read", path) }
    let line = bytes[0..<count].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    return String(decoding: line, as: UTF8.self)
}
