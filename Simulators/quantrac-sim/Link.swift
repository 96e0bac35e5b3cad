import Monitoring
import Simulation

/// What was sent and acknowledged, over all links.
struct Tally {
    var messagesSent = 0
    var messagesAcknowledged = 0
    var readingsAcknowledged = 0
    var reconnects = 0
    var resent = 0
    /// Messages the link lost without a word.
    var messagesLost = 0
    /// Requests of the service that were answered.
    var commands = 0
}

/// One client of the broker that outlives its connections: sends its messages in order and again after every break.
final class Link {
    /// A message that is not acknowledged yet.
    private struct Entry {
        let message: OutgoingMessage
        let station: SimulatedStation
        let lines: [UInt8]
        var identifier: Int32 = 0
        var isSent = false
        var isAcknowledged = false
    }

    private let identity: ClientIdentity
    private let host: String
    private let port: Int
    private let window: Int
    /// The one station that this client is; nil when it speaks for many.
    private let ownStation: SimulatedStation?
    private let truth: TruthRecorder?
    private let troubles: TroubleBoard

    private var connection: BrokerConnection?
    private var isUp = false
    private var openedMilliseconds: Int64 = 0
    private var nextAttemptMilliseconds: Int64 = 0
    private var backOffMilliseconds = Limits.backOffMillisecondsMin
    private var hasBeenUp = false

    private var entries = Fifo<Entry>()
    /// So many entries from the front on were handed to the present connection.
    private var handedOver = 0
    /// Which entry is likely the next to be acknowledged.
    private var expectedAcknowledgement = 0
    private var scratch: [UInt8] = []
    private var ready = Fifo<SimulatedStation>()
    private(set) var tally = Tally()

    init(
        identity: ClientIdentity, host: String, port: Int, window: Int, ownStation: SimulatedStation?,
        truth: TruthRecorder?, troubles: TroubleBoard
    ) {
        self.identity = identity
        self.host = host
        self.port = port
        self.window = window
        self.ownStation = ownStation
        self.truth = truth
        self.troubles = troubles
    }

    /// Connected and accepted.
    var isConnected: Bool { self.isUp }
    var room: Int { max(self.window - self.entries.count, 0) }
    var isIdle: Bool { self.entries.isEmpty && self.ready.isEmpty }
    var unacknowledged: Int { self.entries.count }
    var socket: Int32? { self.connection?.socket }
    var wantsToWrite: Bool { self.connection?.wantsToWrite ?? false }

    /// A link cut on purpose: the connection breaks without a goodbye, and is not tried again while this is set.
    var isCut = false {
        didSet {
            guard self.isCut, self.connection != nil else { return }
            self.forgetConnection()
            self.nextAttemptMilliseconds = 0
        }
    }

    /// When it next wants to try to connect; nil while it has a connection.
    var wakeMilliseconds: Int64? { self.connection == nil && !self.isCut ? self.nextAttemptMilliseconds : nil }

    /// Puts a station with something to send into the queue.
    func enqueue(_ station: SimulatedStation) {
        guard !station.isQueued else { return }
        station.isQueued = true
        self.ready.append(station)
    }

    /// Takes messages from the stations that wait, as far as the window allows.
    func fill(nowMilliseconds: Int64, isEnding: Bool) {
        guard self.isUp else { return }
        while self.room > 0, let station = self.ready.popFirst() {
            station.isQueued = false
            if station.sampleFaults.isOffline, !isEnding { continue }
            if let message = station.logger.nextMessage(nowMilliseconds: nowMilliseconds) {
                if station.wireFaults.isActive {
                    for leaving in station.wireFaults.process(message, format: station.format) {
                        self.submit(leaving, station: station)
                    }
                    for seq in station.wireFaults.takeLost() {
                        self.tally.messagesLost += 1
                        station.logger.acknowledged(seq: seq)
                    }
                } else {
                    self.submit(message, station: station)
                }
            } else if isEnding {
                for held in station.wireFaults.flush() { self.submit(held, station: station) }
            }
            if station.logger.hasWork || (isEnding && station.wireFaults.holdsMessages) { self.enqueue(station) }
        }
    }

    /// Takes over a message; from here on it is sent until it is acknowledged.
    func submit(_ message: OutgoingMessage, station: SimulatedStation) {
        let lines = self.truth?.begin(message, station: station) ?? []
        self.entries.append(Entry(message: message, station: station, lines: lines))
    }

    /// Connects when it is time, hands messages to the connection, writes.
    func send(nowMilliseconds: Int64, monotonicMilliseconds: Int64) {
        guard let connection = self.connection else {
            if !self.isCut, monotonicMilliseconds >= self.nextAttemptMilliseconds { self.open(monotonicMilliseconds) }
            return
        }
        do throws(BrokerError) {
            if self.isUp {
                try self.handOver(connection, nowMilliseconds: nowMilliseconds)
            } else if monotonicMilliseconds - self.openedMilliseconds > Limits.connectMillisecondsMax {
                throw BrokerError(description: "the broker does not answer CONNECT")
            }
            try connection.flush()
            try connection.tick()
        } catch {
            self.broken(error, monotonicMilliseconds)
        }
    }

    /// Reads what has arrived.
    func receive(monotonicMilliseconds: Int64) throws(FileError) {
        guard let connection = self.connection else { return }
        var trouble: BrokerError?
        do { try connection.receive() } catch { trouble = error }
        try self.takeAcknowledged(from: connection)
        for (topic, payload) in connection.takeArrived() {
            do throws(BrokerError) { try self.take(topic, payload, connection) } catch { trouble = error }
        }
        if let refusal = connection.refusal {
            trouble = BrokerError(
                description: "\(self.host):\(self.port) refuses '\(self.identity.username ?? "anonymous")': \(refusal)")
        }
        if let trouble {
            self.broken(trouble, monotonicMilliseconds)
        } else if connection.isAccepted, !self.isUp {
            do { try self.accepted(connection) } catch { self.broken(error, monotonicMilliseconds) }
        }
    }

    /// Does what the service says to the station.
    private func take(_ topic: String, _ payload: [UInt8], _ connection: BrokerConnection) throws(BrokerError) {
        guard let station = self.ownStation else { return }
        if topic == station.storedTopic, let account = payload.withUnsafeBytes({ StoredAccount(json: $0) }) {
            station.logger.stored(account)
        } else if topic == station.commandTopic, let command = payload.withUnsafeBytes({ BackfillCommand(json: $0) }) {
            self.tally.commands += 1
            let answer = station.logger.backfill(command)
            // Lost with the connection: then the service asks again.
            _ = try connection.publish(topic: station.responseTopic, payload: Array(answer.json.utf8), retain: false)
        }
        if station.logger.hasWork { self.enqueue(station) }
    }

    /// Ends the connection in good order.
    func close() {
        guard let connection = self.connection, self.isUp else { return }
        if let station = self.ownStation {
            _ = try? self.publishStatus(of: station, isOnline: false, on: connection)
        }
        connection.disconnect()
    }

    /// Writes the truth about what was never acknowledged.
    func writeUnfinished() throws(FileError) {
        while let entry = self.entries.popFirst() {
            try self.truth?.finish(entry.lines, acknowledged: entry.isAcknowledged)
        }
    }

    private func open(_ monotonicMilliseconds: Int64) {
        self.openedMilliseconds = monotonicMilliseconds
        do throws(BrokerError) {
            let connection = try BrokerConnection(self.identity)
            try connection.open(host: self.host, port: self.port)
            self.connection = connection
        } catch {
            self.broken(error, monotonicMilliseconds)
        }
    }

    private func accepted(_ connection: BrokerConnection) throws(BrokerError) {
        self.isUp = true
        self.backOffMilliseconds = Limits.backOffMillisecondsMin
        self.troubles.ended(client: self.identity.clientID)
        if self.hasBeenUp { self.tally.reconnects += 1 }
        self.hasBeenUp = true
        guard let station = self.ownStation else { return }
        try connection.subscribe(station.storedTopic)
        try connection.subscribe(station.commandTopic)
        try self.publishStatus(of: station, isOnline: true, on: connection)
    }

    private func publishStatus(of station: SimulatedStation, isOnline: Bool, on connection: BrokerConnection)
        throws(BrokerError)
    {
        let payload = Array(StatusMessage.text(isOnline: isOnline, boot: station.logger.boot).utf8)
        _ = try connection.publish(topic: Array(station.statusTopic.utf8CString), payload: payload, retain: true)
    }

    private func handOver(_ connection: BrokerConnection, nowMilliseconds: Int64) throws(BrokerError) {
        while var entry = self.entries[self.handedOver] {
            if !entry.isAcknowledged {
                let topic = entry.station.render(entry.message, nowMilliseconds: nowMilliseconds, into: &self.scratch)
                entry.identifier = try connection.publish(topic: topic, payload: self.scratch, retain: false)
                if entry.isSent { self.tally.resent += 1 } else { self.tally.messagesSent += 1 }
                entry.isSent = true
                self.entries[self.handedOver] = entry
            }
            self.handedOver += 1
        }
    }

    private func takeAcknowledged(from connection: BrokerConnection) throws(FileError) {
        for identifier in connection.acknowledged { self.markAcknowledged(identifier) }
        connection.forgetAcknowledged()
        while let front = self.entries.first, front.isAcknowledged, self.handedOver > 0 {
            _ = self.entries.popFirst()
            self.handedOver -= 1
            self.expectedAcknowledgement = max(self.expectedAcknowledgement - 1, 0)
            try self.truth?.finish(front.lines, acknowledged: true)
            self.tally.messagesAcknowledged += 1
            if case .samples(let samples) = front.message.body {
                for sample in samples { self.tally.readingsAcknowledged += sample.values.count }
            }
            if let seq = front.message.seq, !front.message.isCopy { front.station.logger.acknowledged(seq: seq) }
        }
    }

    /// Brokers acknowledge in order, so the search, begun where the last one ended, ends at once.
    private func markAcknowledged(_ identifier: Int32) {
        for step in 0..<self.handedOver {
            let offset = (self.expectedAcknowledgement + step) % self.handedOver
            guard var entry = self.entries[offset], entry.identifier == identifier, !entry.isAcknowledged else {
                continue
            }
            entry.isAcknowledged = true
            self.entries[offset] = entry
            self.expectedAcknowledgement = offset + 1
            return
        }
    }

    /// What was handed over and not acknowledged is handed over again next time.
    private func forgetConnection() {
        self.connection = nil
        self.isUp = false
        self.handedOver = 0
        self.expectedAcknowledgement = 0
    }

    private func broken(_ error: BrokerError, _ monotonicMilliseconds: Int64) {
        self.forgetConnection()
        self.nextAttemptMilliseconds = monotonicMilliseconds + self.backOffMilliseconds
        self.backOffMilliseconds = min(self.backOffMilliseconds * 2, Limits.backOffMillisecondsMax)
        self.troubles.began(error.description, client: self.identity.clientID)
    }
}

/// The retained word about a station being there.
enum StatusMessage {
    static func text(isOnline: Bool, boot: String) -> String {
        "{\"online\":\(isOnline),\"boot\":\"\(boot)\",\"firmware\":\"quantrac-sim 1\"}"
    }
}
