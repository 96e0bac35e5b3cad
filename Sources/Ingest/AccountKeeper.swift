import Alerting
import Logging
import Monitoring
import TimeSeriesStore

/// Writes when we were not reading, and checks that the ledgers balance: what a station's account rests on.
final class AccountKeeper {
    private let writer: StoreWriter
    private let metrics: ServiceMetrics
    private let logger: Logger
    private var outages: OutageState
    /// What could not be written yet: the store may be the one that failed.
    private var unwritten = OutageChange()
    private var isFailing = false
    private var sessionWasLost = false
    private var ledgers: LedgerWatch
    private var nextLook: Int64 = 0
    private var outageCountedMilliseconds: Int64

    init(
        version: String, writer: StoreWriter, metrics: ServiceMetrics, logger: Logger, nowMilliseconds now: Int64
    ) throws {
        self.writer = writer
        self.metrics = metrics
        self.logger = logger
        self.outages = OutageState(version: version, nowMilliseconds: now)
        self.ledgers = try LedgerWatch(writer)
        let before = try writer.reader.serviceRun()
        let open = try writer.reader.openOutage()
        let change = self.outages.start(
            after: before, open: open, newestReceivedMilliseconds: writer.newestReceivedMilliseconds,
            nowMilliseconds: now)
        self.outageCountedMilliseconds = self.outages.open?.beganMilliseconds ?? now
        self.write(change)
    }

    /// The broker had forgotten our session.
    func lostSession() { self.sessionWasLost = true }

    /// The loop has gone round.
    func work(_ now: Int64, loop: IngestLoop) {
        let isOpen = loop.outage?.toMilliseconds == .max
        let isTime = now >= self.nextLook || now < self.nextLook - IngestLimits.upkeepMilliseconds
        // Between two batches of a flood there is nothing to see; a store that failed is not asked all the time.
        guard isTime || (isOpen != (self.outages.open != nil) && !self.isFailing) else { return }
        let hadOutage = self.outages.open != nil
        self.write(
            self.outages.observe(
                loop.outage, standstill: isOpen ? loop.standstill : nil, sessionWasLost: self.sessionWasLost,
                nowMilliseconds: now))
        if !isOpen { self.sessionWasLost = false }
        self.countOutage(hadOutage || self.outages.open != nil, now)
        guard isTime else { return }
        self.nextLook = now + IngestLimits.upkeepMilliseconds
        loop.attempt("checking the ledgers") { try self.ledgers.look(now, writer: self.writer, metrics: self.metrics) }
    }

    /// The loop has ended.
    func finish(_ now: Int64) { self.write(self.outages.stop(nowMilliseconds: now)) }

    private func write(_ change: OutageChange) {
        self.unwritten.append(change)
        guard !self.unwritten.isEmpty else { return }
        do {
            try self.writer.record(self.unwritten)
            self.unwritten = OutageChange()
            self.isFailing = false
        } catch {
            if !self.isFailing {
                self.logger.error("When we were not reading could not be noted", metadata: ["error": "\(error)"])
            }
            self.isFailing = true
        }
    }

    private func countOutage(_ isOutage: Bool, _ now: Int64) {
        guard isOutage else {
            self.outageCountedMilliseconds = now
            return
        }
        let seconds = max(0, now - self.outageCountedMilliseconds) / 1_000
        guard seconds > 0 else { return }
        self.metrics.outageSeconds.add(Int(seconds))
        self.outageCountedMilliseconds += seconds * 1_000
    }
}

extension IngestLoop {
    /// What keeps us from reading; nil when nothing does, or nothing is known of it yet.
    var standstill: Standstill? {
        if let standstill = self.upkeep.standstill { return standstill }
        let state = self.board.current
        guard !state.isConnected, let reason = state.reasons.first else { return nil }
        return Standstill(cause: .broker, detail: reason)
    }
}
