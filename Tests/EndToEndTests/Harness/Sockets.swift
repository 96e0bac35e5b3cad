#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A listening socket on the loopback.
struct Listener {
    let descriptor: Int32
    let port: Int

    init(port wanted: Int = 0) throws {
        let descriptor = socket(AF_INET, streamType, 0)
        self.descriptor = descriptor
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = loopback(port: wanted)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        guard bound == 0, listen(descriptor, 16) == 0 else {
            throw Trouble("port \(wanted): \(String(cString: strerror(errno)))")
        }
        var length = size
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// The next connection; nil when the listener was closed.
    func next() -> Connection? {
        let descriptor = accept(self.descriptor, nil, nil)
        return descriptor < 0 ? nil : Connection(descriptor: descriptor)
    }

    func close() {
        shutdown(self.descriptor, Int32(SHUT_RDWR))
        _ = closeDescriptor(self.descriptor)
    }
}

/// One end of a TCP connection, with blocking reads and writes.
struct Connection {
    let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    init?(port: Int, timeoutSeconds: Int = 10) {
        self.descriptor = socket(AF_INET, streamType, 0)
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = loopback(port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(self.descriptor, $0, size) }
        }
        guard code == 0 else {
            _ = closeDescriptor(self.descriptor)
            return nil
        }
    }

    /// What has arrived, at least one byte; empty at the end.
    func read() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(self.descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { send(self.descriptor, $0.baseAddress, $0.count, noSignal) }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    func close() {
        shutdown(self.descriptor, Int32(SHUT_RDWR))
        _ = closeDescriptor(self.descriptor)
    }
}

private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

#if canImport(Glibc)
private let streamType = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
private let noSignal = Int32(MSG_NOSIGNAL)
#else
private let streamType = SOCK_STREAM
private let noSignal: Int32 = 0
#endif
