import CMosquitto

/// What a reading session tells the loop, on the loop's thread.
protocol IngestSessionDelegate: AnyObject {
    /// Every subscription was granted.
    func sessionIsSubscribed(_ session: IngestSession)
    func session(_ session: IngestSession, wasRefused reason: String)
}

/// One persistent session that reads: what it delivers is acknowledged only when the loop says so.
///
/// There are two: the live one, and one for the backlog. A broker delivers in order: in one session what happens now
/// would wait behind everything that an outage left.
final class IngestSession {
    enum Role {
        case live
        case history
    }

    let role: Role
    let clientID: String
    let client: BrokerClient
    weak var delegate: (any IngestSessionDelegate)?
    /// Where our own marker comes back.
    let markerTopic: String
    private let topics: [String]
    private(set) var isSubscribed = false
    /// The broker still had our session when we connected.
    private(set) var wasPresent = false
    /// The connection ended; whoever drives the session has yet to take note of it.
    private(set) var isLost = false
    /// A connection was opened and has not been lost or ended since.
    private(set) var isOpen = false
    /// Our own marker came back on this connection: everything queued before it was read.
    private(set) var isCaughtUp = false
    /// When anything was last heard of it, markers included.
    private(set) var heardMilliseconds: Int64 = 0
    /// When the newest marker that came back was sent: what the broker queued for us before has been read.
    private(set) var readThroughMilliseconds: Int64 = 0
    /// How long reading had to wait for the last commit.
    var lastCommit = Duration.zero
    private(set) var deliveredCount = 0
    private var backOff = BackOff()
    /// Subscriptions the broker has not granted yet; the marker must not be sent before the last one.
    private var subscriptionsPending = 0
    /// What messages go into; outside a batch nothing is taken: what arrives while the connection is cut will be
    /// delivered again.
    private var batch: BatchBuilder?

    init(_ role: Role, _ settings: BrokerSettings) throws {
        self.role = role
        self.clientID = role == .live ? settings.clientID : settings.historyClientID
        self.topics = role == .live ? settings.liveSubscriptions : settings.historySubscriptions
        self.markerTopic = role == .live ? settings.markerTopic : settings.historyMarkerTopic
        self.client = try BrokerClient(
            settings, clientID: self.clientID, cleanSession: false, withholdsAcknowledgements: true)
        self.client.delegate = self
    }

    /// -1 when there is none.
    var socket: Int32 { self.client.socket }
    var mayConnect: Bool { self.client.socket < 0 }

    /// Opens the connection when its time has come; the delegate is told when the session stands.
    ///
    /// - Parameter check: Throws when we may not.
    func connect(_ now: Int64, check: () throws -> Void = {}) throws {
        guard self.backOff.isDue(now) else { return }
        do {
            self.isLost = false
            try check()
            try self.client.connect()
            self.isOpen = true
            // The threaded mode queues CONNECT, too.
            _ = self.client.flush()
        } catch {
            self.backOff.failed(now)
            throw error
        }
    }

    /// Lets messages go into a batch.
    func beginBatch(_ batch: BatchBuilder) {
        self.batch = batch
        self.isLost = false
    }

    /// Reads one packet; nil when the connection is gone, else whether it was a message.
    func readPacket() -> Bool? {
        let before = self.deliveredCount
        guard self.client.readPacket() else {
            self.isLost = true
            return nil
        }
        return self.deliveredCount != before
    }

    /// Ends a batch: what is withheld stays so until `release`.
    func endBatch() { self.batch = nil }

    /// Lets the acknowledgements of a committed batch go; false when the connection is gone.
    func release() -> Bool { !self.isLost && self.client.flush() && self.client.keepAlive() }

    /// Notes that something was heard, and when a marker came back, what has been read.
    func heard(_ now: Int64, markerMilliseconds: Int64?) {
        self.heardMilliseconds = now
        guard let markerMilliseconds else { return }
        self.isCaughtUp = true
        self.readThroughMilliseconds = max(self.readThroughMilliseconds, markerMilliseconds)
    }

    /// The connection is gone: what was withheld will be delivered again.
    func lost(_ now: Int64) {
        self.isOpen = false
        self.isSubscribed = false
        self.isCaughtUp = false
        self.backOff.failed(now)
        if self.socket >= 0 { self.client.cut() }
    }

    /// Says goodbye; only when nothing is withheld.
    func disconnect() {
        self.isOpen = false
        self.isSubscribed = false
        self.isCaughtUp = false
        if self.socket >= 0 { self.client.disconnect() }
    }
}

extension IngestSession: BrokerClientDelegate {
    func brokerClient(_ client: BrokerClient, connected reasonCode: Int32, sessionPresent: Bool) {
        guard reasonCode == 0 else {
            self.isLost = true
            self.delegate?.session(self, wasRefused: String(cString: mosquitto_connack_string(reasonCode)))
            return
        }
        self.wasPresent = sessionPresent
        do {
            // Every time: whether the session was still there does not depend on us.
            self.subscriptionsPending = self.topics.count
            try client.subscribe(self.topics)
        } catch { self.delegate?.session(self, wasRefused: "\(error)") }
    }

    func brokerClient(_ client: BrokerClient, subscribed granted: UnsafeBufferPointer<Int32>) {
        guard granted.allSatisfy({ $0 == 1 }) else {
            self.delegate?.session(self, wasRefused: "a subscription was refused; check the ACL of our user")
            return
        }
        self.subscriptionsPending -= 1
        guard self.subscriptionsPending == 0, !self.isSubscribed else { return }
        self.isSubscribed = true
        self.backOff.succeeded()
        self.delegate?.sessionIsSubscribed(self)
    }

    func brokerClient(_ client: BrokerClient, received message: UnsafePointer<mosquitto_message>) {
        guard let batch = self.batch else { return }
        self.deliveredCount &+= 1
        batch.take(message.pointee)
    }

    func brokerClient(_ client: BrokerClient, disconnected reasonCode: Int32) { self.isLost = true }
}
