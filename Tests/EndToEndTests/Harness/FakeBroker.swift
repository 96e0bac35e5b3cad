import Foundation
import Synchronization

/// As much of an MQTT 3.1.1 broker as a test of the acknowledgements needs, byte by byte.
///
/// It keeps what is not acknowledged and delivers it again to every new session, as a broker must.
final class FakeBroker: Sendable {
    /// Which of the service's two reading sessions a message goes to.
    enum Session: CaseIterable {
        case live
        case history
    }

    private struct Unacknowledged {
        let session: Session
        let packet: [UInt8]
    }

    private struct State {
        /// Messages without a PUBACK; identifiers grow in the order of their first sending.
        var unacknowledged: [UInt16: Unacknowledged] = [:]
        /// Identifiers of test messages (not of markers) that were acknowledged.
        var acknowledged: [UInt16] = []
        var markers: Set<UInt16> = []
        var nextIdentifier: UInt16 = 1
        var sessions: [Session: Connection] = [:]
        var subscribed: Set<Session> = []
        /// What the live session no longer wants.
        var unsubscribed: [String] = []
        var connections: [Connection] = []
    }

    let port: Int
    private let listener: Listener
    private let state = Mutex(State())
    private let onAcknowledgement = Mutex<(@Sendable () -> Void)?>(nil)

    init() throws {
        let listener = try Listener()
        self.listener = listener
        self.port = listener.port
        Thread.detachNewThread { [weak self] in
            while let connection = listener.next() {
                guard let broker = self else { return connection.close() }
                Thread.detachNewThread { broker.serve(connection) }
            }
        }
    }

    /// Ends its threads: they hold it until then.
    func stop() {
        self.listener.close()
        for connection in self.state.withLock({ $0.connections }) { connection.close() }
    }

    /// Called, on the thread that reads the socket, for every PUBACK of a test message.
    func whenAcknowledged(_ body: (@Sendable () -> Void)?) { self.onAcknowledgement.withLock { $0 = body } }

    var isSubscribed: Bool { self.state.withLock { $0.subscribed.contains(.live) } }
    var isHistorySubscribed: Bool { self.state.withLock { $0.subscribed.contains(.history) } }
    /// Topics that were unsubscribed from.
    var unsubscribed: [String] { self.state.withLock { $0.unsubscribed } }
    var acknowledged: [UInt16] { self.state.withLock { $0.acknowledged } }
    var unacknowledgedCount: Int {
        self.state.withLock { state in state.unacknowledged.keys.count { !state.markers.contains($0) } }
    }

    /// Sends messages at QoS 1 in one go; their identifiers.
    func deliver(_ topic: String, _ payloads: [String], to session: Session = .live) -> [UInt16] {
        self.state.withLock { state in
            var all: [UInt8] = []
            let identifiers = payloads.map { payload in
                let (identifier, packet) = Self.publish(topic, Array(payload.utf8), session, &state)
                all += packet
                return identifier
            }
            if state.subscribed.contains(session) { state.sessions[session]?.write(all) }
            return identifiers
        }
    }

    /// Ends a session's connection; what it has not acknowledged waits for the next.
    func cut(_ session: Session) { self.state.withLock { $0.sessions[session] }?.close() }

    private static func publish(
        _ topic: String, _ payload: [UInt8], _ session: Session, _ state: inout State
    ) -> (UInt16, [UInt8]) {
        let identifier = state.nextIdentifier
        state.nextIdentifier += 1
        let name = Array(topic.utf8)
        let body = [UInt8(name.count >> 8), UInt8(name.count & 0xff)] + name + self.bytes(identifier) + payload
        let packet = [0x32] + self.length(body.count) + body
        state.unacknowledged[identifier] = Unacknowledged(session: session, packet: packet)
        return (identifier, packet)
    }

    private static func bytes(_ identifier: UInt16) -> [UInt8] { [UInt8(identifier >> 8), UInt8(identifier & 0xff)] }

    private static func length(_ count: Int) -> [UInt8] {
        var rest = count
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    // MARK: Connections

    private func serve(_ connection: Connection) {
        self.state.withLock { $0.connections.append(connection) }
        var buffer: [UInt8] = []
        var session: Session?
        while case let more = connection.read(), !more.isEmpty {
            buffer += more
            var taken = 0
            while let (packet, size) = Self.packet(buffer[taken...]) {
                taken += size
                self.take(packet, connection, &session)
            }
            buffer.removeFirst(taken)
        }
        guard let session else { return }
        self.state.withLock { state in
            guard state.sessions[session]?.descriptor == connection.descriptor else { return }
            state.sessions[session] = nil
            state.subscribed.remove(session)
        }
    }

    private struct Packet {
        let first: UInt8
        let body: [UInt8]
    }

    /// The first whole packet and its size.
    private static func packet(_ bytes: ArraySlice<UInt8>) -> (Packet, Int)? {
        guard let first = bytes.first else { return nil }
        var length = 0
        for (index, byte) in bytes.dropFirst().prefix(4).enumerated() {
            length |= Int(byte & 0x7f) << (7 * index)
            guard byte & 0x80 == 0 else { continue }
            let size = index + 2 + length
            guard bytes.count >= size else { return nil }
            return (Packet(first: first, body: Array(bytes.dropFirst(index + 2).prefix(length))), size)
        }
        return nil
    }

    private func take(_ packet: Packet, _ connection: Connection, _ session: inout Session?) {
        let body = packet.body
        func text(at index: Int) -> (String, Int) {
            let count = Int(body[index]) << 8 | Int(body[index + 1])
            return (String(decoding: body[(index + 2)..<(index + 2 + count)], as: UTF8.self), index + 2 + count)
        }
        switch packet.first >> 4 {
        case 1:
            let client = text(at: text(at: 0).1 + 4).0
            // Those that are to outlive their connection; our other clients start clean.
            let isKept = body[text(at: 0).1 + 1] & 2 == 0
            session = isKept ? (client.hasSuffix("-history") ? .history : .live) : nil
            // With a session of before for those that asked for it.
            connection.write([0x20, 2, session == nil ? 0 : 1, 0])
            if let session { self.state.withLock { $0.sessions[session] = connection } }
        case 8:
            connection.write([0x90, 3, body[0], body[1], 1])
            if let session { self.redeliver(session) }
        case 10:
            let topic = text(at: 2).0
            self.state.withLock { $0.unsubscribed.append(topic) }
            connection.write([0xb0, 2, body[0], body[1]])
        case 3:
            let (topic, end) = text(at: 0)
            guard packet.first & 6 == 2 else { return }
            connection.write([0x40, 2, body[end], body[end + 1]])
            // Their own marker goes back to them.
            if topic.contains("/_") { self.mark(topic, Array(body[(end + 2)...])) }
        case 4: self.acknowledge(UInt16(body[0]) << 8 | UInt16(body[1]))
        case 12: connection.write([0xd0, 0])
        default: break
        }
    }

    /// After the first subscription, what a session before left; marked as sent again.
    private func redeliver(_ session: Session) {
        self.state.withLock { state in
            guard state.subscribed.insert(session).inserted else { return }
            let again = state.unacknowledged.filter { $0.value.session == session }.sorted { $0.key < $1.key }
                .flatMap { [$0.value.packet[0] | 8] + $0.value.packet[1...] }
            if !again.isEmpty { state.sessions[session]?.write(again) }
        }
    }

    private func mark(_ topic: String, _ payload: [UInt8]) {
        self.state.withLock { state in
            let session: Session = topic.hasSuffix("/history") ? .history : .live
            let (identifier, packet) = Self.publish(topic, payload, session, &state)
            state.markers.insert(identifier)
            if state.subscribed.contains(session) { state.sessions[session]?.write(packet) }
        }
    }

    private func acknowledge(_ identifier: UInt16) {
        let isTest = self.state.withLock { state in
            state.unacknowledged[identifier] = nil
            guard !state.markers.contains(identifier) else { return false }
            state.acknowledged.append(identifier)
            return true
        }
        if isTest { self.onAcknowledgement.withLock { $0 }?() }
    }
}
