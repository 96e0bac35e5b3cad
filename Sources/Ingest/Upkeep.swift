import Alerting
import Logging
import Monitoring
import TimeSeriesStore

/// What is done between two batches: merging, folding, trimming, checkpoints, the disk, the watchdog, the stations'
/// accounts.
final class Upkeep {
    private let configuration: IngestConfiguration
    private let writer: StoreWriter
    private let metrics: ServiceMetrics
    private let logger: Logger
    private let checkpointer: Checkpointer
    private let disk: DiskGuard
    private var nextFold: Int64 = 0
    private var foldedBytes = 0
    private var nextLook: Int64 = 0
    private var writeBackOff = BackOff()
    private var cannotWrite = false
    private var pause: String?
    private var pauseCause = OutageCause.disk
    private var drops: DropWatch
    /// The last frame there was when we started: what is damaged shows when it is merged.
    private let sequenceAtStart: Int64
    private var damageTold: String?
    /// There is more to do at once: do not sleep.
    private(set) var hasMore = false

    /// Whether anything may be read from the sockets now.
    var mayRead: Bool { self.pause == nil && !self.cannotWrite }
    /// Whether the backlog may be: it waits for merging before live has to.
    var mayReadHistory: Bool {
        self.mayRead && !(self.hasMore && self.writer.mustMergeBeforeBacklog(self.configuration.mergePolicy))
    }
    /// What keeps us from reading although the broker is there.
    var standstill: Standstill? {
        self.pause.map { Standstill(cause: self.pauseCause, detail: $0) }
            ?? (self.cannotWrite ? Standstill(cause: .store, detail: "the store takes no writes") : nil)
    }

    init(
        _ configuration: IngestConfiguration, writer: StoreWriter, metrics: ServiceMetrics, logger: Logger
    ) throws {
        self.configuration = configuration
        self.writer = writer
        self.metrics = metrics
        self.logger = logger
        self.checkpointer = try Checkpointer(files: writer.files)
        self.drops = DropWatch(total: try writer.brokerDropped())
        self.sequenceAtStart = writer.sequence
        self.disk = DiskGuard(files: writer.files, reserveBytes: configuration.reserveBytes)
        // Those an earlier run left open are ours to clear.
        self.openSelfIncidents = Set(
            try writer.reader.incidents(openOnly: true).filter { $0.subject == "service" }.map(\.rule))
    }

    func start(nowMilliseconds now: Int64) {
        self.nextFold = now + IngestLimits.foldMilliseconds
        for damage in self.writer.damagedFrames {
            self.logger.error("A journal frame is damaged; its readings are lost", metadata: ["frame": "\(damage)"])
        }
    }

    /// A transaction failed: nothing is read until a probe succeeds.
    func commitFailed(_ error: any Error, nowMilliseconds now: Int64) {
        self.cannotWrite = true
        self.writeBackOff.failed(now)
        self.disk.dropBallast()
    }

    func run(_ now: Int64, loop: IngestLoop) throws {
        self.hasMore = false
        if self.cannotWrite { guard self.probe(now, loop) else { return } }
        try self.merge(now)
        if now >= self.nextFold || now < self.nextFold - IngestLimits.foldMilliseconds
            || self.writer.committedBytes - self.foldedBytes > IngestLimits.foldJournalBytes
        {
            self.nextFold = now + IngestLimits.foldMilliseconds
            self.foldedBytes = self.writer.committedBytes
            try self.writer.foldLedger(alertSnapshot: loop.batch.alerts.snapshot().encoded)
        }
        if try self.writer.trimJournal() { self.hasMore = true }
        loop.outgoing.publishStored(now, registry: self.writer.registry, head: self.writer.head)
        guard now >= self.nextLook || now < self.nextLook - IngestLimits.upkeepMilliseconds else { return }
        self.nextLook = now + IngestLimits.upkeepMilliseconds
        try self.look(now, loop)
    }

    private func probe(_ now: Int64, _ loop: IngestLoop) -> Bool {
        guard self.writeBackOff.isDue(now) else { return false }
        do {
            try self.writer.probe()
            self.cannotWrite = false
            self.writeBackOff.succeeded()
            loop.board.update {
                $0.canWrite = true
                $0.reasons = []
            }
            self.logger.info("The store takes writes again")
            return true
        } catch {
            self.writeBackOff.failed(now)
            loop.board.update { $0.reasons = ["store: \(error)"] }
            return false
        }
    }

    private func merge(_ now: Int64) throws {
        let policy = self.configuration.mergePolicy
        // One slice a turn; more only when merging cannot keep up, and then the socket waits.
        repeat {
            guard let slice = try self.writer.mergeSlice(policy, nowMilliseconds: now) else { return }
            self.hasMore = true
            self.metrics.readingsStored.add(slice.stored - slice.fresh)
            self.metrics.readingsDuplicate.add(slice.duplicate)
            self.metrics.readingsRevised.add(slice.revised)
        } while self.writer.mustMergeBeforeReading(policy)
    }

    /// Once a second: what need not be looked at for every batch.
    private func look(_ now: Int64, _ loop: IngestLoop) throws {
        self.checkpointer.poke()
        try self.writer.restartLogIfLong()
        let head = self.writer.head.size
        self.metrics.readingsUndecided.set(head.readings)
        self.metrics.headReadings.set(head.readings)
        self.metrics.headBytes.set(head.bytes)
        self.metrics.journalBytes.set(self.writer.journalBytes)
        self.metrics.walBytes.set(self.writer.files.writeAheadLogBytes)
        self.metrics.diskFreeBytes.set(self.disk.freeBytes ?? 0)
        try self.pauseOrGoOn(now, loop)
        try self.watchBroker(now, loop)
        loop.outgoing.storedIsDue(
            try loop.backfill.look(nowMilliseconds: now, readThroughMilliseconds: loop.readThroughMilliseconds))
        if loop.backfill.takeMarkerWish() {
            for session in loop.sessions { loop.outgoing.sendMarker(session.markerTopic) }
        }
        try loop.life.look(nowMilliseconds: now, outage: loop.outage)
        try loop.backfill.deliver(by: loop.outgoing, nowMilliseconds: now)
        try self.reportDamage(now)
        try self.writer.endDailyBounds(nowMilliseconds: now)
    }

    private func pauseOrGoOn(_ now: Int64, _ loop: IngestLoop) throws {
        var reason = self.disk.shortage()
        let behind = self.writer.newestReceivedMilliseconds - now
        if behind > IngestLimits.clockBehindMillisecondsMax {
            reason =
                "our clock says \(Civil.formatRFC3339(milliseconds: now)), \(behind / 1_000) s before the newest "
                + "reading we received: reading from the broker has stopped; set the clock"
        }
        let isNoted = self.openSelfIncidents.contains("quantrac.paused")
        guard reason != nil || self.pause != nil || isNoted else { return self.disk.keepBallast() }
        if (reason == nil) != (self.pause == nil) {
            if let reason {
                self.logger.error("\(reason)")
                loop.pauseReading(now)
            } else {
                self.logger.info("Reading from the broker again")
            }
        }
        self.pause = reason
        self.pauseCause = behind > IngestLimits.clockBehindMillisecondsMax ? .clock : .disk
        loop.board.update { $0.reasons = reason.map { [$0] } ?? [] }
        try self.selfIncident("quantrac.paused", reason, now)
    }

    private func watchBroker(_ now: Int64, _ loop: IngestLoop) throws {
        loop.reconnectSilentSessions(now)
        let rule = "quantrac.broker-dropped"
        let before = self.drops.total
        let verdict = self.drops.observe(
            loop.outgoing.droppedByBroker, isOpen: self.openSelfIncidents.contains(rule), now: now)
        if let total = self.drops.total, total != before { try self.writer.note(brokerDropped: total) }
        switch verdict {
        case .dropping(let count):
            let text =
                "The broker dropped \(count) messages for want of room: raise max_queued_messages and "
                + "max_queued_bytes, or find out who does not read"
            self.logger.error("\(text)")
            try self.selfIncident(rule, text, now, tellsAnew: true)
        case .over: try self.selfIncident(rule, nil, now)
        case nil: break
        }
    }

    private func reportDamage(_ now: Int64) throws {
        let rule = "quantrac.damaged"
        guard let (number, detail) = self.writer.unmergeable.min(by: { $0.key < $1.key }) else {
            // Of an earlier run. When all that was there is merged, nothing of it is damaged any more.
            guard self.openSelfIncidents.contains(rule),
                self.writer.oldestUnmergedSequence.map({ $0 > self.sequenceAtStart }) ?? true
            else { return }
            return try self.selfIncident(rule, nil, now)
        }
        let station = self.writer.registry.stationIndex(number: number).map {
            self.writer.registry.stations[$0].id.text
        }
        let others = self.writer.unmergeable.count - 1
        let text =
            "Station \(station ?? "\(number)")\(others > 0 ? " (and \(others) more)" : "") cannot be merged, its new "
            + "readings stay in the journal: \(detail). Run `quantrac verify`, and restore from a backup"
        guard text != self.damageTold else { return }
        self.damageTold = text
        try self.selfIncident(rule, text, now, tellsAnew: true)
    }

    private var openSelfIncidents: Set<String>

    /// Raises or clears an incident of the service on itself.
    ///
    /// - Parameter tellsAnew: Whether one that is open gets the detail, too.
    private func selfIncident(_ rule: String, _ detail: String?, _ now: Int64, tellsAnew: Bool = false) throws {
        let isOpen = self.openSelfIncidents.contains(rule)
        guard (detail != nil) != isOpen || (isOpen && tellsAnew) else { return }
        var effects = BatchEffects()
        if let detail {
            effects.incidents.append(
                .open(
                    id: self.writer.reserveIncident(), name: "\(rule)/\(now)", rule: rule, subject: "service",
                    series: nil, station: nil, severity: "alarm", openedMilliseconds: now, sinceMilliseconds: now,
                    value: nil, bound: nil, foundLate: false, detail: detail))
            self.openSelfIncidents.insert(rule)
        } else {
            effects.incidents.append(.cleared(rule: rule, subject: "service", atMilliseconds: now))
            self.openSelfIncidents.remove(rule)
        }
        try self.writer.apply(effects, atMilliseconds: now)
    }
}
