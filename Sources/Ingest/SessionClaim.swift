import CMosquitto
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A run of the service that holds, or wants, the broker's session of a client id.
package struct SessionHolder: Codable, Sendable, Hashable {
    /// Drawn at the start: the same process of the same store, restarted, is another run.
    let run: String
    package let host: String
    package let processID: Int32
    /// The store's file, with its folder.
    package let store: String

    /// This process with a store.
    init(store: String) {
        self.run = String(UInt64.random(in: 0 ... .max), radix: 36)
        self.host = Self.ownHost
        self.processID = getpid()
        self.store = Self.withFolder(store)
    }

    /// Whether it is a run of this store, on this machine.
    package func isOf(store: String) -> Bool { self.host == Self.ownHost && self.store == Self.withFolder(store) }

    private static func withFolder(_ store: String) -> String {
        store.hasPrefix("/") ? store : FileManager.default.currentDirectoryPath + "/" + store
    }

    private static var ownHost: String {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Another service uses our client id: connecting would throw it out, and it would throw us out, for ever.
package struct SessionInUse: Error, Sendable, CustomStringConvertible {
    package let clientID: String
    package let holder: SessionHolder

    package var description: String {
        "broker.clientID \(self.clientID) is in use by process \(self.holder.processID) on \(self.holder.host) "
            + "with the store \(self.holder.store): stop that service, or give this one a broker.clientID of its own"
    }
}

/// What is said about the session on our own topic, beside the markers; those are bare numbers.
struct ClaimMessage: Codable {
    /// A question, or the answer to it when there is a holder too.
    var claim: String?
    var holder: SessionHolder?

    init(claim: String? = nil, holder: SessionHolder? = nil) {
        self.claim = claim
        self.holder = holder
    }

    /// Nil when it is none.
    init?(_ payload: UnsafeRawBufferPointer) {
        guard payload.first == UInt8(ascii: "{"), payload.count <= IngestLimits.claimBytesMax,
            let message = try? JSONDecoder().decode(ClaimMessage.self, from: Data(payload))
        else { return nil }
        self = message
    }

    var bytes: [UInt8] { (try? JSONEncoder().encode(self)).map { Array($0) } ?? [] }
}

/// Finds out, before we connect, whether another live service uses our client id.
///
/// The outgoing client of whoever holds the session leaves a retained record of itself, which its last will or its
/// orderly end takes away, and answers questions. So with no record there is nobody to wait for; with one we ask, and
/// only an answer counts: a record left by a power cut locks nobody out. Asked over a session with a name of its own,
/// on the topic that we may read and write anyway. Two that start in the same moment both find nobody; one throws the
/// other out, and that one asks again before it comes back.
final class SessionClaim {
    let holder: SessionHolder
    private let settings: BrokerSettings

    init(_ settings: BrokerSettings, store: String) {
        self.settings = settings
        self.holder = SessionHolder(store: store)
    }

    /// Whether we ever held the session: then a holder is one that threw us out.
    var wasOurs = false

    /// Returns when we may connect; blocks for a fraction of a second, for a few when somebody left a record.
    ///
    /// Throws `SessionInUse`, or what kept us from asking.
    func check() throws {
        if let other = try ClaimProbe(self.settings, ownRun: self.holder.run).run() {
            throw SessionInUse(clientID: self.settings.clientID, holder: other)
        }
    }
}

extension SessionHolder {
    /// Who answers for the session of a client id now; nil when nobody does.
    ///
    /// Throws when the broker cannot be asked.
    package static func current(_ settings: BrokerSettings) throws -> SessionHolder? {
        let probe = try ClaimProbe(settings, ownRun: "")
        let holder = try probe.run()
        if let refusal = probe.refusal {
            throw BrokerError(call: "broker \(settings.host):\(settings.port)", code: 0, detail: refusal)
        }
        return holder
    }
}

/// One question to whoever holds the session.
private final class ClaimProbe: BrokerClientDelegate {
    private let settings: BrokerSettings
    private let ownRun: String
    private let nonce = String(UInt64.random(in: 0 ... .max), radix: 36)
    private let client: BrokerClient
    private var deadline = ContinuousClock.now
    private var other: SessionHolder?
    private var isDone = false
    private var isAnswered = false
    /// What the broker said to our name or password.
    private(set) var refusal: String?

    init(_ settings: BrokerSettings, ownRun: String) throws {
        self.settings = settings
        self.ownRun = ownRun
        self.client = try BrokerClient(
            settings, clientID: "\(settings.clientID)-claim-\(self.nonce)", cleanSession: true,
            withholdsAcknowledgements: false)
        self.client.delegate = self
    }

    func run() throws -> SessionHolder? {
        self.extend(IngestLimits.claimMillisecondsMax)
        try self.client.connect()
        defer { if self.client.socket >= 0 { self.client.disconnect() } }
        while !self.isDone, ContinuousClock.now < self.deadline {
            guard self.client.flush() else { break }
            let events = Int16(POLLIN) | (self.client.wantsWrite ? Int16(POLLOUT) : 0)
            var descriptor = pollfd(fd: self.client.socket, events: events, revents: 0)
            guard poll(&descriptor, 1, IngestLimits.claimNapMilliseconds) >= 0 || errno == EINTR else { break }
            // Asked even when `poll` saw nothing: under TLS a packet may wait in OpenSSL's buffer.
            guard self.client.readPacket() else { break }
        }
        // The session would not come about either: what it was that failed is known here.
        if !self.isAnswered, let problem = self.client.problem {
            throw BrokerError(
                call: "broker \(self.settings.host):\(self.settings.port)", code: 0, detail: problem)
        }
        return self.other
    }

    private func extend(_ milliseconds: Int) { self.deadline = .now + .milliseconds(milliseconds) }

    func brokerClient(_ client: BrokerClient, connected reasonCode: Int32, sessionPresent: Bool) {
        self.isAnswered = true
        do {
            if reasonCode == 0 { return try client.subscribe([self.settings.markerTopic]) }
            // Whoever refuses us now may still take the session, which has another name, or says why then.
            self.refusal = String(cString: mosquitto_connack_string(reasonCode))
            self.isDone = true
        } catch { self.isDone = true }
    }

    func brokerClient(_ client: BrokerClient, subscribed granted: UnsafeBufferPointer<Int32>) {
        // At QoS 0: a question to nobody is not to wait in the session's queue.
        let question = ClaimMessage(claim: self.nonce).bytes
        do {
            try client.publish(topic: self.settings.markerTopic, payload: question, retain: false, qos: 0)
            self.extend(IngestLimits.claimUnansweredMilliseconds)
        } catch { self.isDone = true }
    }

    func brokerClient(_ client: BrokerClient, received message: UnsafePointer<mosquitto_message>) {
        let payload = UnsafeRawBufferPointer(
            start: message.pointee.payload, count: Int(message.pointee.payloadlen))
        guard let holder = ClaimMessage(payload)?.holder else { return }
        if holder.run == self.ownRun {
            // The record is ours: nobody came after us.
            self.isDone = true
        } else if ClaimMessage(payload)?.claim == self.nonce {
            self.other = holder
            self.isDone = true
        } else if message.pointee.retain {
            self.extend(IngestLimits.claimMillisecondsMax)
        }
    }

    func brokerClient(_ client: BrokerClient, disconnected reasonCode: Int32) { self.isDone = true }
}
