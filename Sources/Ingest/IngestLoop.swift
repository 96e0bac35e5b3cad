import Alerting
import CMosquitto
import FieldFormats
import Logging
import Monitoring
import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The way from the socket to the commit, on one thread (invariant I1).
///
/// `poll` → read a batch, PUBACKs withheld → decode and judge → one transaction with one fsync → let the PUBACKs go.
/// Merges, folds and everybody else's writes happen between two batches. If the commit fails nothing was acknowledged:
/// the connection is cut, and the broker delivers all of it again.
final class IngestLoop {
    let configuration: IngestConfiguration
    let writer: StoreWriter
    let board: IngestStateBoard
    let metrics: ServiceMetrics
    let logger: Logger
    let clock: @Sendable () -> Int64
    let mailbox: WriterMailbox
    let wake: WakeUp
    let onOutbox: @Sendable () -> Void
    /// Told when another service has our session and we never had it.
    let onRefused: @Sendable (SessionInUse) -> Void
    let incoming: BrokerClient
    let outgoing: OutgoingClient
    let claim: SessionClaim
    let batch: BatchBuilder
    let upkeep: Upkeep
    var backOff = BackOff()
    private var isSubscribed = false
    /// Subscriptions the broker has not granted yet; the marker must not be sent before the last one.
    private var subscriptionsPending = 0
    private var deliveredCount = 0
    private var connectionIsLost = false
    /// How long reading had to wait for the last commit, and for what was done before this batch.
    private var lastCommit = Duration.zero
    private var lastUpkeep = Duration.zero
    /// The last time in which we may have missed what was live (I10); `to` is `.max` until we are caught up.
    var outage: Outage?

    init(
        _ configuration: IngestConfiguration, writer: StoreWriter, ruleSet: RuleSet, board: IngestStateBoard,
        metrics: ServiceMetrics, logger: Logger, clock: @escaping @Sendable () -> Int64, mailbox: WriterMailbox,
        wake: WakeUp, onOutbox: @escaping @Sendable () -> Void, onRefused: @escaping @Sendable (SessionInUse) -> Void
    ) throws {
        self.configuration = configuration
        self.writer = writer
        self.board = board
        self.metrics = metrics
        self.logger = logger
        self.clock = clock
        self.mailbox = mailbox
        self.wake = wake
        self.onOutbox = onOutbox
        self.onRefused = onRefused
        let broker = configuration.broker
        self.incoming = try BrokerClient(
            broker, clientID: broker.clientID, cleanSession: false, withholdsAcknowledgements: true)
        self.claim = SessionClaim(broker, store: writer.files.database)
        self.outgoing = try OutgoingClient(broker, holder: self.claim.holder, logger: logger)
        let book = try AlertRecovery.book(writer: writer, ruleSet: ruleSet)
        let clockIncidents = try writer.reader.incidents(openOnly: true).filter { $0.rule == "quantrac.clock" }
        self.batch = BatchBuilder(
            topicPrefix: broker.topicPrefix, markerTopic: broker.markerTopic, bounds: configuration.timeBounds,
            directory: StationDirectory(registry: writer.registry), alerts: book,
            stationsWithClockOff: Set(clockIncidents.compactMap { Int32($0.subject.dropFirst("station:".count)) }),
            reserveIncident: { [unowned writer] in writer.reserveIncident() })
        self.upkeep = try Upkeep(configuration, writer: writer, metrics: metrics, logger: logger)
        // Since the last frame we know nothing of what was live.
        let last = writer.newestReceivedMilliseconds
        self.outage = Outage(fromMilliseconds: last > 0 ? last : clock())
        self.incoming.delegate = self
    }

    /// Runs until `isStopping` says so; then commits, acknowledges and says goodbye.
    func run(until isStopping: () -> Bool) {
        self.upkeep.start(nowMilliseconds: self.clock())
        while !isStopping() { self.turn() }
        self.finish()
    }

    private func finish() {
        self.mailbox.run(on: self.writer)
        self.mailbox.close()
        if self.incoming.socket >= 0 { self.incoming.disconnect() }
        self.outgoing.stop()
        self.attempt("fold at the end") {
            try self.writer.foldLedger(alertSnapshot: self.batch.alerts.snapshot().encoded)
        }
    }

    /// One turn of the loop: what is due, sleep until something happens, read, commit, acknowledge.
    private func turn() {
        let now = self.clock()
        self.mailbox.run(on: self.writer)
        self.adoptRegistry(now)
        self.lastUpkeep = ContinuousClock().measure {
            self.attempt("upkeep") { try self.upkeep.run(now, loop: self) }
        }
        if self.incoming.socket < 0 { self.connect(now) }
        self.outgoing.work(now, mayConnect: self.isSubscribed || (self.claim.wasOurs && !self.upkeep.mayRead))
        self.waitForEvents(milliseconds: self.upkeep.hasMore ? 0 : IngestLimits.idleMillisecondsMax)
    }

    private func waitForEvents(milliseconds: Int64) {
        func interest(_ client: BrokerClient) -> Int16 { Int16(POLLIN) | (client.wantsWrite ? Int16(POLLOUT) : 0) }
        var descriptors = [
            pollfd(fd: self.wake.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: self.upkeep.mayRead ? self.incoming.socket : -1, events: interest(self.incoming), revents: 0),
            pollfd(fd: self.outgoing.socket, events: interest(self.outgoing.client), revents: 0),
        ]
        guard poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds)) >= 0 else { return }
        if descriptors[0].revents != 0 { self.wake.drain() }
        if descriptors[2].revents != 0 { self.outgoing.socketIsReady() }
        guard self.incoming.socket >= 0, self.upkeep.mayRead else { return }
        if descriptors[1].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            self.readBatch()
        } else {
            // Nothing is withheld: PINGREQ may leave.
            _ = self.incoming.flush()
            _ = self.incoming.keepAlive()
        }
    }

    // MARK: Batch

    private func readBatch() {
        self.batch.begin(receivedMilliseconds: self.clock(), outage: self.outage)
        self.connectionIsLost = false
        let started = ContinuousClock.now
        let timeToRead = min(
            max(.milliseconds(IngestLimits.batchMillisecondsMin), (self.lastCommit + self.lastUpkeep) * 2),
            .milliseconds(IngestLimits.batchMillisecondsMax))
        var packets = 0
        while !self.batch.isFull {
            let before = self.deliveredCount
            guard self.incoming.readPacket() else {
                self.connectionIsLost = true
                break
            }
            // A call that delivered nothing found the socket dry, in the middle of a packet, or at a packet that is no
            // message; in each case a batch that is worth it is committed now. (`errno` cannot be asked: it lies after
            // 277 withheld messages.)
            if self.deliveredCount == before {
                guard self.waitsForMore(since: started) else { break }
                continue
            }
            packets += 1
            if packets % IngestLimits.packetsPerClockRead == 0,
                started.duration(to: .now) >= timeToRead
            {
                break
            }
        }
        let mayAcknowledge = self.batch.isEmpty || self.commitBatch()
        guard mayAcknowledge else { return }
        if self.connectionIsLost || !self.incoming.flush() || !self.incoming.keepAlive() { self.lostConnection() }
        if self.batch.markerReturned { self.caughtUp() }
    }

    /// Sleeps a little when the batch is too small for an fsync of its own; false when it is to be committed.
    private func waitsForMore(since started: ContinuousClock.Instant) -> Bool {
        guard (1..<IngestLimits.lingerMessagesMax).contains(self.batch.frame.messageCount),
            started.duration(to: .now) < .milliseconds(IngestLimits.lingerMillisecondsMax)
        else { return false }
        // Who wants the loop's thread does not wait. The socket is not asked: it would wake us for every message.
        var descriptor = pollfd(fd: self.wake.readEnd, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, IngestLimits.lingerNapMilliseconds) == 0
    }

    /// Writes the batch; false when it could not be written, and then nothing of it is acknowledged.
    private func commitBatch() -> Bool {
        self.batch.finish()
        let started = ContinuousClock.now
        do {
            let committed = try self.writer.commit(self.batch.frame, self.batch.header, self.batch.effects)
            self.batch.commit()
            self.lastCommit = started.duration(to: .now)
            self.count(committed, self.lastCommit)
            self.outgoing.storedIsDue(self.batch.numberedStations)
            if !self.batch.effects.outbox.isEmpty { self.onOutbox() }
            return true
        } catch {
            self.batch.rollBack()
            self.upkeep.commitFailed(error, nowMilliseconds: self.clock())
            self.board.update {
                $0.canWrite = false
                $0.reasons = ["store: \(error)"]
            }
            self.lostConnection()
            self.logger.error(
                "The batch could not be written; the broker will deliver it again",
                metadata: [
                    "messages": "\(self.batch.frame.messageCount)", "error": "\(error)",
                ])
            return false
        }
    }

    private func count(_ committed: CommittedFrame, _ duration: Duration) {
        self.metrics.commitSeconds.record(duration)
        self.metrics.messagesReceived.add(committed.messages)
        self.metrics.messagesQoS0.add(committed.messagesQoS0)
        self.metrics.deadLetters.add(committed.deadLetters)
        self.metrics.readingsStored.add(committed.fresh)
        self.metrics.readingsQuarantined.add(committed.quarantined)
        let now = self.clock()
        self.board.update {
            $0.canWrite = true
            $0.lastCommitMilliseconds = now
        }
    }

    // MARK: Connection

    private func connect(_ now: Int64) {
        guard self.upkeep.mayRead, self.backOff.isDue(now) else { return }
        do {
            try self.claim.check()
            try self.incoming.connect()
            // The threaded mode queues CONNECT, too.
            _ = self.incoming.flush()
        } catch {
            self.backOff.failed(now)
            self.logger.warning("No connection to the broker; trying again", metadata: ["error": "\(error)"])
            self.board.update { $0.reasons = ["broker: \(error)"] }
            if let refusal = error as? SessionInUse, !self.claim.wasOurs { self.onRefused(refusal) }
        }
    }

    private func lostConnection() {
        let now = self.clock()
        if self.outage == nil || self.outage?.toMilliseconds != .max {
            self.outage = Outage(fromMilliseconds: now)
        }
        self.isSubscribed = false
        self.backOff.failed(now)
        self.metrics.brokerConnected.set(false)
        self.metrics.caughtUp.set(false)
        self.board.update {
            $0.isConnected = false
            $0.isCaughtUp = false
            if $0.reasons.isEmpty { $0.reasons = ["broker: the connection was lost"] }
        }
        if self.incoming.socket >= 0 { self.incoming.cut() }
        self.logger.warning("The connection to the broker was lost")
    }

    private func caughtUp() {
        let now = self.clock()
        self.upkeep.markerReturned(now)
        guard !self.board.current.isCaughtUp else { return }
        if let open = self.outage, open.toMilliseconds == .max {
            self.outage = Outage(fromMilliseconds: open.fromMilliseconds, toMilliseconds: now)
        }
        self.metrics.caughtUp.set(true)
        self.board.update { $0.isCaughtUp = true }
        self.logger.info("Caught up with the broker")
    }

    /// Cuts a session that stands and delivers nothing: the next one asks the broker again.
    func reconnectSilentSession() {
        self.logger.error("The session is connected but our own marker does not come back: connecting anew")
        self.incoming.cut()
        self.lostConnection()
    }

    // MARK: Registry and rules

    private func adoptRegistry(_ now: Int64) {
        guard self.writer.registry !== self.batch.directory.registry else { return }
        self.batch.adopt(StationDirectory(registry: self.writer.registry))
        self.rebind(self.batch.alerts.bindings.ruleSet, now)
    }

    /// Puts the rules' states onto other rules or another registry, and ends the incidents nobody watches any more.
    func rebind(_ ruleSet: RuleSet, _ now: Int64) {
        let registry = self.writer.registry
        let head = self.writer.head
        let (book, ended) = self.batch.alerts.rebound(
            to: ruleSet.bindings(registry), nowMilliseconds: now,
            newestMilliseconds: { AlertRecovery.newest(head, registry.series[$0]) })
        self.batch.alerts = book
        var effects = BatchEffects()
        for item in ended {
            AlertEffects.append(
                item.transition, rule: item.rule, series: item.series, registry: registry, to: &effects,
                nowMilliseconds: now, reserveIncident: self.writer.reserveIncident)
        }
        self.attempt("rules") {
            try self.writer.apply(effects, atMilliseconds: now)
            // The journal's frames were judged by the rules before: what follows starts from here.
            try self.writer.foldLedger(alertSnapshot: self.batch.alerts.snapshot().encoded)
        }
    }

    func attempt(_ what: String, _ body: () throws -> Void) {
        do { try body() } catch {
            self.logger.error("\(what) failed", metadata: ["error": "\(error)"])
            self.upkeep.commitFailed(error, nowMilliseconds: self.clock())
        }
    }
}

extension IngestLoop: BrokerClientDelegate {
    func brokerClient(_ client: BrokerClient, connected reasonCode: Int32, sessionPresent: Bool) {
        guard reasonCode == 0 else {
            let reason = String(cString: mosquitto_connack_string(reasonCode))
            self.logger.error(
                "The broker refused us",
                metadata: [
                    "broker": "\(self.configuration.broker.host):\(self.configuration.broker.port)",
                    "reason": "\(reason)",
                ])
            self.board.update { $0.reasons = ["broker: \(reason)"] }
            self.connectionIsLost = true
            return
        }
        do {
            // Every time: whether the session was still there does not depend on us.
            self.subscriptionsPending = self.configuration.broker.subscriptions.count
            try client.subscribe(self.configuration.broker.subscriptions)
            if !sessionPresent, self.writer.sequence > 0 {
                self.logger.warning("The broker had no session of ours: what it queued for us is gone")
            }
        } catch { self.logger.error("Subscribing failed", metadata: ["error": "\(error)"]) }
    }

    func brokerClient(_ client: BrokerClient, subscribed granted: UnsafeBufferPointer<Int32>) {
        guard granted.allSatisfy({ $0 == 1 }) else {
            self.logger.error("The broker refused a subscription; check the ACL of our user")
            self.board.update { $0.reasons = ["broker: a subscription was refused"] }
            return
        }
        self.subscriptionsPending -= 1
        guard self.subscriptionsPending == 0, !self.isSubscribed else { return }
        self.isSubscribed = true
        self.claim.wasOurs = true
        self.backOff.succeeded()
        self.metrics.brokerConnected.set(true)
        self.board.update {
            $0.isConnected = true
            $0.reasons = []
        }
        self.upkeep.connected(self.clock())
        self.outgoing.sendMarker()
        self.logger.info(
            "Connected to the broker",
            metadata: [
                "broker": "\(self.configuration.broker.host):\(self.configuration.broker.port)",
                "client": "\(self.configuration.broker.clientID)",
            ])
    }

    func brokerClient(_ client: BrokerClient, received message: UnsafePointer<mosquitto_message>) {
        self.deliveredCount &+= 1
        self.batch.take(message.pointee)
    }

    func brokerClient(_ client: BrokerClient, disconnected reasonCode: Int32) { self.connectionIsLost = true }
}

/// When to try again: 1 s, doubling to 30 s.
struct BackOff {
    private var delayMilliseconds: Int64 = 0
    private var dueMilliseconds: Int64 = 0

    func isDue(_ now: Int64) -> Bool { now >= self.dueMilliseconds }

    mutating func failed(_ now: Int64) {
        self.delayMilliseconds = min(
            max(self.delayMilliseconds * 2, IngestLimits.backOffMillisecondsMin), IngestLimits.backOffMillisecondsMax)
        self.dueMilliseconds = now + self.delayMilliseconds
    }

    mutating func succeeded() {
        self.delayMilliseconds = 0
        self.dueMilliseconds = 0
    }
}
