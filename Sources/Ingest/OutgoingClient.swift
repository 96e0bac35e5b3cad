import CMosquitto
import Logging
import Monitoring
import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Publishes everything that is ours: the marker, what each station may forget, and who holds the session.
///
/// A session of its own, because the ingest session must not
/// send anything while a batch is withheld.
final class OutgoingClient {
    let client: BrokerClient
    private static let droppedTopic = "$SYS/broker/publish/messages/dropped"
    private let settings: BrokerSettings
    private let holder: SessionHolder
    private let logger: Logger
    private(set) var isConnected = false
    /// Commands on their way: their number in the outbox by packet, and when each was handed over.
    private var commandOfPacket: [Int32: Int64] = [:]
    private var handedOver: [Int64: Int64] = [:]
    /// Commands that the broker has.
    private var delivered: [Int64] = []
    /// Topics of the markers to send as soon as there is a connection.
    private var markersDue: Set<String> = []
    private var backOff = BackOff()
    private var markerSentMilliseconds: Int64 = 0
    /// Stations whose account changed since it was published.
    private var due: Set<Int32> = []
    private var lastPublished: [Int32: Int64] = [:]
    /// Messages the broker says it dropped for want of room, as `$SYS` tells; nil until it does.
    private(set) var droppedByBroker: Int64?

    init(_ settings: BrokerSettings, holder: SessionHolder, logger: Logger) throws {
        self.settings = settings
        self.holder = holder
        self.logger = logger
        self.client = try BrokerClient(
            settings, clientID: "\(settings.clientID)-out", cleanSession: true, withholdsAcknowledgements: false)
        // Whatever ends us takes our record away.
        try self.client.setWill(topic: settings.markerTopic, payload: "")
        self.client.delegate = self
    }

    var socket: Int32 { self.client.socket }

    /// Connects when needed and publishes what waits.
    ///
    /// - Parameter mayConnect: Whether the session is ours: this client's name belongs to it, and another service's
    ///   would be thrown out.
    func work(_ now: Int64, mayConnect: Bool) {
        if self.socket < 0 {
            self.isConnected = false
            guard mayConnect, self.backOff.isDue(now) else { return }
            self.backOff.failed(now)
            // The ingest session tells people about a broker that is away.
            _ = try? self.client.connect()
        }
        guard self.isConnected else { return }
        _ = self.client.keepAlive()
        if now - self.markerSentMilliseconds >= IngestLimits.markerMilliseconds || now < self.markerSentMilliseconds {
            self.sendMarker(self.settings.markerTopic)
            if !self.settings.historySubscriptions.isEmpty { self.sendMarker(self.settings.historyMarkerTopic) }
            self.markerSentMilliseconds = now
        }
        for topic in self.markersDue where self.publish(topic, Array("\(now)".utf8), retain: false) {
            self.markersDue.remove(topic)
        }
    }

    /// Sends a marker as soon as there is a connection.
    func sendMarker(_ topic: String) { self.markersDue.insert(topic) }

    func socketIsReady() {
        // More than one: under TLS `poll` does not see what OpenSSL has buffered.
        var isAlive = true
        for _ in 0..<IngestLimits.outgoingPacketsMax where isAlive { isAlive = self.client.readPacket() }
        if !isAlive || !self.client.flush() { self.isConnected = false }
    }

    // MARK: …/command

    /// Publishes a command, unless it is on its way; not retained: it is of no use to who comes later.
    func send(_ body: String, to station: String, outbox id: Int64, nowMilliseconds now: Int64) {
        if let since = self.handedOver[id] {
            // The library sends again after a lost connection; should it have forgotten, we do.
            guard now - since > IngestLimits.commandUnansweredMilliseconds || now < since else { return }
            self.commandOfPacket = self.commandOfPacket.filter { $0.value != id }
        }
        let topic = "\(self.settings.topicPrefix)/\(station)/command"
        guard let packet = try? self.client.publish(topic: topic, payload: Array(body.utf8), retain: false) else {
            return
        }
        self.commandOfPacket[packet] = id
        self.handedOver[id] = now
    }

    /// Commands that the broker has taken since this was last asked.
    func takeDelivered() -> [Int64] {
        defer { self.delivered = [] }
        return self.delivered
    }

    // MARK: …/stored

    func storedIsDue(_ stations: Set<Int32>) {
        if !stations.isEmpty { self.due.formUnion(stations) }
    }

    /// Publishes accounts, at most one a second and station.
    func publishStored(_ now: Int64, registry: Registry, head: Head) {
        guard self.isConnected, !self.due.isEmpty else { return }
        for number in self.due {
            if let last = self.lastPublished[number], now - last < IngestLimits.storedMilliseconds, now >= last {
                continue
            }
            guard let index = registry.stationIndex(number: number) else {
                self.due.remove(number)
                continue
            }
            let payload = StoredPayload.bytes(head.accounts(station: number), nowMilliseconds: now)
            guard
                self.publish(
                    "\(self.settings.topicPrefix)/\(registry.stations[index].id)/stored", payload, retain: true)
            else { return }
            self.lastPublished[number] = now
            self.due.remove(number)
        }
    }

    private func publish(_ topic: String, _ payload: [UInt8], retain: Bool) -> Bool {
        do {
            try self.client.publish(topic: topic, payload: payload, retain: retain)
            return true
        } catch {
            self.logger.debug("Publishing failed", metadata: ["topic": "\(topic)", "error": "\(error)"])
            return false
        }
    }

    func stop() {
        guard self.socket >= 0 else { return }
        _ = self.publish(self.settings.markerTopic, [], retain: true)
        self.client.disconnect()
    }
}

extension OutgoingClient: BrokerClientDelegate {
    func brokerClient(_ client: BrokerClient, connected reasonCode: Int32, sessionPresent: Bool) {
        guard reasonCode == 0 else { return }
        self.isConnected = true
        self.backOff.succeeded()
        _ = try? client.subscribe([Self.droppedTopic, self.settings.markerTopic])
        _ = self.publish(self.settings.markerTopic, ClaimMessage(holder: self.holder).bytes, retain: true)
    }

    func brokerClient(_ client: BrokerClient, subscribed granted: UnsafeBufferPointer<Int32>) {}

    func brokerClient(_ client: BrokerClient, received message: UnsafePointer<mosquitto_message>) {
        let payload = UnsafeRawBufferPointer(
            start: message.pointee.payload, count: Int(message.pointee.payloadlen))
        if strcmp(message.pointee.topic, Self.droppedTopic) == 0 {
            self.droppedByBroker = Int64(String(decoding: payload, as: UTF8.self))
        } else if let question = ClaimMessage(payload), question.holder == nil {
            let answer = ClaimMessage(claim: question.claim, holder: self.holder).bytes
            _ = try? client.publish(topic: self.settings.markerTopic, payload: answer, retain: false, qos: 0)
        }
    }

    func brokerClient(_ client: BrokerClient, published packet: Int32) {
        guard let id = self.commandOfPacket.removeValue(forKey: packet) else { return }
        self.handedOver[id] = nil
        self.delivered.append(id)
    }

    func brokerClient(_ client: BrokerClient, disconnected reasonCode: Int32) { self.isConnected = false }
}

/// The payload of `…/stored`: what a device may forget.
enum StoredPayload {
    /// Gaps of a boot that are told; the device keeps everything in the rest, because `through` ends before them.
    static let gapsMax = 32

    static func bytes(_ accounts: [SequenceAccount], nowMilliseconds: Int64) -> [UInt8] {
        var text = "{\"at\": \(nowMilliseconds), \"boots\": ["
        for (index, account) in accounts.enumerated() {
            if index > 0 { text += ", " }
            // With more gaps than fit, only what lies before the first untold one is confirmed.
            let told = account.gaps.prefix(self.gapsMax)
            let through = account.gaps.count > told.count ? account.gaps[told.count].lowerBound - 1 : account.through
            let gaps = told.map { "[\($0.lowerBound), \($0.upperBound)]" }.joined(separator: ", ")
            text += "{\"boot\": \(JSONText.quoted(account.boot)), \"from\": \(account.first), "
            text += "\"through\": \(through), \"gaps\": [\(gaps)]}"
        }
        return Array((text + "]}").utf8)
    }
}
