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
/// A batch is of one session, and nothing is withheld in the other meanwhile. Merges, folds and everybody else's writes
/// happen between two batches. If the commit fails nothing was acknowledged: both connections are cut, and the broker
/// delivers all of it again.
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
    /// What happens now, and the backlog; the latter is nil when no topic of it is subscribed.
    let live: IngestSession
    let history: IngestSession?
    let outgoing: OutgoingClient
    let claim: SessionClaim
    let batch: BatchBuilder
    let upkeep: Upkeep
    let backfill: BackfillKeeper
    let life: LifeKeeper
    let account: AccountKeeper
    var pace = HistoryPace()
    /// How long reading had to wait for what was done before this batch.
    private(set) var lastUpkeep = Duration.zero
    private let started = ContinuousClock.now
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
        self.live = try IngestSession(.live, broker)
        self.history = broker.historySubscriptions.isEmpty ? nil : try IngestSession(.history, broker)
        self.claim = SessionClaim(broker, store: writer.files.database)
        self.outgoing = try OutgoingClient(broker, holder: self.claim.holder, logger: logger)
        let book = try AlertRecovery.book(writer: writer, ruleSet: ruleSet)
        let clockIncidents = try writer.reader.incidents(openOnly: true).filter { $0.rule == "quantrac.clock" }
        self.batch = BatchBuilder(
            topicPrefix: broker.topicPrefix, markerStation: broker.markerStation, bounds: configuration.timeBounds,
            directory: StationDirectory(registry: writer.registry), alerts: book,
            stationsWithClockOff: Set(clockIncidents.compactMap { Int32($0.subject.dropFirst("station:".count)) }),
            reserveIncident: { [unowned writer] in writer.reserveIncident() })
        self.batch.latenessBook = try LatenessBook(writer)
        self.upkeep = try Upkeep(configuration, writer: writer, metrics: metrics, logger: logger)
        self.backfill = try BackfillKeeper(writer: writer, metrics: metrics, logger: logger)
        self.life = try LifeKeeper(writer: writer, metrics: metrics)
        // Since the last frame we know nothing of what was live.
        let last = writer.newestReceivedMilliseconds
        self.outage = Outage(fromMilliseconds: last > 0 ? last : clock())
        self.account = try AccountKeeper(
            version: configuration.version, writer: writer, metrics: metrics, logger: logger, nowMilliseconds: clock())
        self.live.delegate = self
        self.history?.delegate = self
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
        for session in self.sessions { session.disconnect() }
        self.outgoing.stop()
        self.attempt("fold at the end") {
            try self.writer.foldLedger(alertSnapshot: self.batch.alerts.snapshot().encoded)
        }
        self.account.finish(self.clock())
    }

    /// One turn of the loop: what is due, sleep until something happens, read, commit, acknowledge.
    private func turn() {
        let now = self.clock()
        self.mailbox.run(on: self.writer)
        self.adoptRegistry(now)
        self.lastUpkeep = ContinuousClock().measure {
            self.attempt("upkeep") { try self.upkeep.run(now, loop: self) }
        }
        self.connect(now)
        self.outgoing.work(now, mayConnect: self.live.isSubscribed || (self.claim.wasOurs && !self.upkeep.mayRead))
        self.waitForEvents(milliseconds: self.upkeep.hasMore ? 0 : IngestLimits.idleMillisecondsMax)
        self.account.work(self.clock(), loop: self)
    }

    /// Both reading sessions, the live one first.
    var sessions: [IngestSession] { [self.live] + (self.history.map { [$0] } ?? []) }

    /// Everything the broker had queued for us before this moment was read; nil while we are not caught up.
    var readThroughMilliseconds: Int64? {
        guard self.sessions.allSatisfy(\.isCaughtUp) else { return nil }
        return self.sessions.map(\.readThroughMilliseconds).min()
    }

    /// A clock that does not jump.
    var elapsed: Duration { self.started.duration(to: .now) }

    private func waitForEvents(milliseconds: Int64) {
        let rest = self.pace.rest(at: self.elapsed)
        let readsHistory = rest == .zero && self.upkeep.mayReadHistory
        let mayRead = self.upkeep.mayRead
        func interest(_ client: BrokerClient, reads: Bool = true) -> Int16 {
            (reads ? Int16(POLLIN) : 0) | (client.wantsWrite ? Int16(POLLOUT) : 0)
        }
        var descriptors = [
            pollfd(fd: self.wake.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.outgoing.socket, events: interest(self.outgoing.client), revents: 0),
            pollfd(fd: mayRead ? self.live.socket : -1, events: interest(self.live.client), revents: 0),
        ]
        if let history = self.history {
            descriptors.append(
                pollfd(
                    fd: mayRead ? history.socket : -1, events: interest(history.client, reads: readsHistory),
                    revents: 0))
        }
        let sleep = rest == .zero ? milliseconds : min(milliseconds, rest.millisecondsRoundedUp)
        guard poll(&descriptors, nfds_t(descriptors.count), Int32(sleep)) >= 0 else { return }
        if descriptors[0].revents != 0 { self.wake.drain() }
        if descriptors[1].revents != 0 { self.outgoing.socketIsReady() }
        guard mayRead else { return }
        self.serve(self.live, descriptors[2].revents)
        if let history = self.history { self.serve(history, descriptors[3].revents) }
    }

    /// Reads what a session has, or keeps it alive.
    private func serve(_ session: IngestSession, _ events: Int16) {
        guard session.socket >= 0 else { return }
        if events & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
            self.readBatch(session)
        } else {
            // Nothing is withheld: PINGREQ may leave.
            if !session.release() { self.lostConnection(session) }
        }
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

extension Duration {
    fileprivate var millisecondsRoundedUp: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
