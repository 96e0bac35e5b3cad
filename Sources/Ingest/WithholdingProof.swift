import CMosquitto

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Proves with the libmosquitto installed here that acknowledgements wait until we let them go (invariant I1).
///
/// Its behaviour is read and measured, but not promised: another version could send them at once, and what is not on
/// disk yet would be acknowledged. So we play broker to ourselves over the loopback, and count bytes.
package enum WithholdingProof {
    /// What was seen.
    package struct Outcome: Sendable, Hashable {
        /// Of the library.
        package let version: String
        package let messages: Int
        /// Before anything was let go; must be 0.
        package let acknowledgedBefore: Int
        /// Afterwards; must be all of them.
        package let acknowledgedAfter: Int

        package var holds: Bool { self.acknowledgedBefore == 0 && self.acknowledgedAfter == self.messages }
    }

    /// More than the 277 withheld messages beyond which `errno` lies.
    static let messagesCount = 600

    package static func run() throws -> Outcome { try self.run(withholds: true) }

    /// - Parameter withholds: False to see that the proof can fail.
    static func run(withholds: Bool) throws -> Outcome {
        let listener = try LoopbackBroker()
        let witness = Witness()
        let settings = BrokerSettings(host: "127.0.0.1", port: listener.port, clientID: "quantrac-doctor")
        let client = try BrokerClient(
            settings, clientID: settings.clientID, cleanSession: true, withholdsAcknowledgements: withholds)
        client.delegate = witness
        try client.connect()
        let broker = try listener.accept()
        try self.await("a CONNECT") {
            _ = client.flush()
            return broker.received.first == 0x10
        }
        broker.send([0x20, 2, 0, 0])
        broker.startCounting()
        // Identifiers from 1: what comes back must be exactly these.
        for identifier in 1...self.messagesCount {
            let number = [UInt8(identifier >> 8), UInt8(identifier & 0xff)]
            broker.send([0x32, 6, 0, 1, UInt8(ascii: "t")] + number + [UInt8(ascii: "x")])
        }
        try self.await("\(self.messagesCount) messages") {
            guard client.readPacket() else { throw Self.failure("the connection ended") }
            return witness.count == self.messagesCount
        }
        broker.rest()
        let before = broker.acknowledgedIdentifiers.count
        try self.await("the acknowledgements") {
            guard client.flush() else { throw Self.failure("the connection ended") }
            return broker.acknowledgedIdentifiers.count >= self.messagesCount
        }
        let isComplete = broker.acknowledgedIdentifiers == Array(1...self.messagesCount)
        return Outcome(
            version: self.libraryVersion, messages: self.messagesCount, acknowledgedBefore: before,
            acknowledgedAfter: isComplete ? self.messagesCount : 0)
    }

    private static var libraryVersion: String {
        var numbers: (Int32, Int32, Int32) = (0, 0, 0)
        mosquitto_lib_version(&numbers.0, &numbers.1, &numbers.2)
        return "\(numbers.0).\(numbers.1).\(numbers.2)"
    }

    private static func await(_ what: String, _ condition: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .milliseconds(IngestLimits.proofMillisecondsMax)
        while try !condition() {
            guard ContinuousClock.now < deadline else { throw self.failure("\(what) did not come") }
        }
    }

    fileprivate static func failure(_ detail: String) -> BrokerError {
        BrokerError(call: "proof of withheld acknowledgements", code: errno, detail: detail)
    }
}

/// Counts what the session delivers.
private final class Witness: BrokerClientDelegate {
    private(set) var count = 0

    func brokerClient(_ client: BrokerClient, connected reasonCode: Int32, sessionPresent: Bool) {}
    func brokerClient(_ client: BrokerClient, subscribed granted: UnsafeBufferPointer<Int32>) {}
    func brokerClient(_ client: BrokerClient, received message: UnsafePointer<mosquitto_message>) { self.count += 1 }
    func brokerClient(_ client: BrokerClient, disconnected reasonCode: Int32) {}
}

/// As much of a broker as the proof needs: a listener on the loopback, then one connection whose bytes are counted.
private final class LoopbackBroker {
    private let descriptor: Int32
    let port: Int

    init() throws {
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0
                    ? getsockname(descriptor, $0, &size) : -1
            }
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        guard code == 0 else { throw WithholdingProof.failure(String(cString: strerror(errno))) }
    }

    deinit { close(self.descriptor) }

    /// The connection that was opened last; it is there, because `connect` has returned.
    func accept() throws -> CountedConnection {
        var waiting = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Int32(IngestLimits.proofMillisecondsMax)) == 1 else {
            throw WithholdingProof.failure("nobody connected")
        }
        let connection = acceptSocket(self.descriptor)
        guard connection >= 0 else { throw WithholdingProof.failure(String(cString: strerror(errno))) }
        return CountedConnection(connection)
    }
}

private func acceptSocket(_ descriptor: Int32) -> Int32 { accept(descriptor, nil, nil) }
private func sendBytes(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Int {
    #if canImport(Glibc)
    let flags = Int32(MSG_NOSIGNAL)
    #else
    let flags: Int32 = 0
    #endif
    return bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, flags) }
}

/// The broker's end of the connection.
private final class CountedConnection {
    private let descriptor: Int32
    private var bytes: [UInt8] = []

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }

    /// Everything that has come; does not wait.
    var received: [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let count = recv(self.descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
            self.bytes += buffer[..<count]
        }
        return self.bytes
    }

    /// Forgets what came until now.
    func startCounting() {
        _ = self.received
        self.bytes = []
    }

    /// Gives what is on its way the time to arrive; over the loopback that is nothing.
    func rest() {
        var descriptor = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, IngestLimits.proofRestMilliseconds)
    }

    func send(_ packet: [UInt8]) {
        var rest = packet[...]
        while !rest.isEmpty, case let count = sendBytes(self.descriptor, rest), count > 0 {
            rest = rest.dropFirst(count)
        }
    }

    /// Of every PUBACK, in order.
    var acknowledgedIdentifiers: [Int] {
        let bytes = self.received
        return stride(from: 0, to: bytes.count - 3, by: 4).compactMap { index in
            guard bytes[index] == 0x40, bytes[index + 1] == 2 else { return nil }
            return Int(bytes[index + 2]) << 8 | Int(bytes[index + 3])
        }
    }
}
