import Alerting
import Monitoring
import TimeSeriesStore

/// What keeps the ingest from reading, as the loop sees it at one moment.
struct Standstill: Equatable {
    let cause: OutageCause
    let detail: String
}

/// Which outage is open after another observation; a value, so that every order of events can be tried.
///
/// An outage has one cause. When the cause changes, the outage ends and the next begins at the same moment. What keeps
/// us from reading although the broker is there (disk, clock, store) is the cause until we have caught up again: the
/// connection that we cut ourselves is not the broker's doing.
struct OutageState {
    /// The outage that is open in the table.
    private(set) var open: OutageRow?
    private let version: String
    private(set) var run: ServiceRun

    init(version: String, nowMilliseconds now: Int64) {
        self.version = version
        self.run = ServiceRun(version: version, startedMilliseconds: now, aliveMilliseconds: now)
    }

    /// The service starts.
    ///
    /// - Parameters:
    ///   - before: What the service before it left behind; nil when none ever noted itself.
    ///   - open: The outage it left open.
    ///   - newestReceivedMilliseconds: When it read for the last time; 0 in a new store.
    mutating func start(
        after before: ServiceRun?, open: OutageRow?, newestReceivedMilliseconds: Int64, nowMilliseconds now: Int64
    ) -> OutageChange {
        self.open = open
        var change = OutageChange()
        change.run = self.run
        guard before != nil || newestReceivedMilliseconds > 0 else { return change }
        // Of a service older than this record nobody knows how it ended; an upgrade stops it.
        let stopped = before.map { $0.stoppedMilliseconds } ?? newestReceivedMilliseconds
        let cause: OutageCause = stopped == nil ? .crashed : .stopped
        let last = stopped ?? max(before?.aliveMilliseconds ?? 0, newestReceivedMilliseconds)
        // One that crashed before it had caught up goes on with the outage it found, if that was a crash, too.
        if open?.cause == cause { return change }
        self.begin(
            cause, at: min(last, now),
            detail: cause == .stopped ? "The service was stopped" : "The service ended without a word",
            versionBefore: before?.version, into: &change)
        return change
    }

    /// The loop has gone round.
    ///
    /// - Parameters:
    ///   - outage: The loop's own: open as long as it is not caught up.
    ///   - standstill: What keeps it from reading; nil when nothing does, or nothing is known yet.
    mutating func observe(
        _ outage: Outage?, standstill: Standstill?, sessionWasLost: Bool, nowMilliseconds now: Int64
    ) -> OutageChange {
        var change = OutageChange()
        let isOpen = outage?.toMilliseconds == .max
        if isOpen, let outage, let standstill, self.isReplaced(by: standstill.cause) {
            self.begin(
                standstill.cause, at: self.open == nil ? min(outage.fromMilliseconds, now) : now,
                detail: standstill.detail, versionBefore: self.version, into: &change)
        }
        if sessionWasLost, let open = self.open, !open.sessionWasLost {
            self.open = open.withSessionLost
            if change.opening != nil { change.opening = self.open } else { change.sessionWasLost = true }
        }
        if !isOpen, self.open != nil {
            change.closing = .init(atMilliseconds: min(outage?.toMilliseconds ?? now, now), version: self.version)
            self.open = nil
        }
        if now - self.run.aliveMilliseconds >= IngestLimits.aliveMilliseconds || now < self.run.aliveMilliseconds {
            self.run.aliveMilliseconds = now
            change.run = self.run
        }
        return change
    }

    /// The service says goodbye.
    mutating func stop(nowMilliseconds now: Int64) -> OutageChange {
        var change = OutageChange()
        if self.open?.cause != .stopped {
            self.begin(
                .stopped, at: now, detail: "The service was stopped", versionBefore: self.version, into: &change)
        }
        self.run.aliveMilliseconds = now
        self.run.stoppedMilliseconds = now
        change.run = self.run
        return change
    }

    private func isReplaced(by cause: OutageCause) -> Bool {
        guard let open = self.open else { return true }
        return open.cause != cause && (open.cause.isOfProcess || cause != .broker)
    }

    private mutating func begin(
        _ cause: OutageCause, at milliseconds: Int64, detail: String, versionBefore: String?,
        into change: inout OutageChange
    ) {
        if let open = self.open {
            change.closing = .init(
                atMilliseconds: max(milliseconds, open.beganMilliseconds), version: versionBefore ?? self.version)
        }
        let row = OutageRow(
            beganMilliseconds: max(milliseconds, self.open?.beganMilliseconds ?? milliseconds), endedMilliseconds: nil,
            cause: cause, detail: detail, versionBefore: versionBefore, versionAfter: nil)
        change.opening = row
        self.open = row
    }
}

extension OutageRow {
    fileprivate var withSessionLost: OutageRow {
        OutageRow(
            beganMilliseconds: self.beganMilliseconds, endedMilliseconds: self.endedMilliseconds, cause: self.cause,
            detail: self.detail, sessionWasLost: true, versionBefore: self.versionBefore,
            versionAfter: self.versionAfter)
    }

    fileprivate func ended(_ end: OutageChange.End) -> OutageRow {
        OutageRow(
            beganMilliseconds: self.beganMilliseconds,
            endedMilliseconds: max(end.atMilliseconds, self.beganMilliseconds), cause: self.cause,
            detail: self.detail, sessionWasLost: self.sessionWasLost, versionBefore: self.versionBefore,
            versionAfter: end.version)
    }

    fileprivate func beginning(at milliseconds: Int64) -> OutageRow {
        OutageRow(
            beganMilliseconds: milliseconds, endedMilliseconds: self.endedMilliseconds, cause: self.cause,
            detail: self.detail, sessionWasLost: self.sessionWasLost, versionBefore: self.versionBefore,
            versionAfter: self.versionAfter)
    }
}

extension OutageChange {
    /// Takes what happened next, when this could not be written yet: however long that lasts, it stays one change.
    ///
    /// An outage that was never written and is followed by another becomes part of it.
    mutating func append(_ next: OutageChange) {
        if next.sessionWasLost {
            if let row = self.opening { self.opening = row.withSessionLost } else { self.sessionWasLost = true }
        }
        if let end = next.closing {
            if let row = self.opening, row.endedMilliseconds == nil {
                self.opening = row.ended(end)
            } else if self.opening == nil {
                self.closing = self.closing ?? end
            }
        }
        if let row = next.opening {
            self.opening = row.beginning(at: self.opening?.beganMilliseconds ?? row.beganMilliseconds)
        }
        self.run = next.run ?? self.run
    }
}
