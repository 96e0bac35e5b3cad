import Synchronization

/// What the service counts about itself, written by whoever does the work and read by `/metrics`.
///
/// Every member is an atomic of its own: adding to one takes a few nanoseconds, never waits and never allocates, so the
/// ingest thread may do it per batch. A reader may see one counter a moment before another.
package final class ServiceMetrics: Sendable {
    /// Messages handed to us by the broker, of every quality of service.
    package let messagesReceived = Counter()
    /// Messages that were sent without a delivery guarantee.
    package let messagesQoS0 = Counter()
    /// Messages that came through the session for the backlog.
    package let messagesHistory = Counter()
    /// Readings committed; those not yet merged may still turn out to be duplicates or revisions.
    package let readingsStored = Counter()
    package let readingsDuplicate = Counter()
    package let readingsRevised = Counter()
    package let readingsQuarantined = Counter()
    package let deadLetters = Counter()
    /// Commands that asked a device for what is missing.
    package let backfillCommands = Counter()
    package let backfillsFilled = Counter()
    /// Numbered messages that were declared lost.
    package let messagesLost = Counter()
    /// Answers of devices that fit no command, or could not be read.
    package let responsesIgnored = Counter()
    /// Raw readings that retention deleted.
    package let readingsExpired = Counter()
    /// From the first statement of a batch to the end of its fsync.
    package let commitSeconds = DurationHistogram()
    /// Readings whose fate the merge has not decided yet.
    package let readingsUndecided = Gauge()
    package let headReadings = Gauge()
    package let headBytes = Gauge()
    package let journalBytes = Gauge()
    package let walBytes = Gauge()
    /// 1 while the ingest session stands.
    package let brokerConnected = Gauge()
    /// 1 once our own marker has come back through the ingest session.
    package let caughtUp = Gauge()
    /// 1 while the session for the backlog stands.
    package let historyConnected = Gauge()
    /// 1 once its marker has come back: no backlog waits at the broker.
    package let historyCaughtUp = Gauge()
    /// Stations whose link is down, that are silent, that send without some parameter.
    package let stationsOffline = Gauge()
    package let stationsSilent = Gauge()
    package let stationsStale = Gauge()
    /// Requests for missing messages that are not settled.
    package let backfillsOpen = Gauge()
    package let diskFreeBytes = Gauge()
    /// Whole days until the disk is full; -1 when nothing says that it will be.
    package let diskFullInDays = Gauge()
    /// Stations whose ledgers do not add up.
    package let ledgerUnbalanced = Gauge()
    /// Numbered messages that were expected and never came.
    package let sequenceMissing = Gauge()
    /// Whole seconds in which nothing was read from the broker, the time before this start included.
    package let outageSeconds = Counter()

    package init() {}

    /// All counters with the names they are published under.
    package func forEachCounter(_ body: (_ name: StaticString, _ help: StaticString, _ value: Int64) -> Void) {
        body("quantrac_messages_received_total", "Messages received from the broker.", self.messagesReceived.value)
        body("quantrac_messages_qos0_total", "Messages received without delivery guarantee.", self.messagesQoS0.value)
        body("quantrac_messages_history_total", "Messages of backlog received.", self.messagesHistory.value)
        body("quantrac_readings_stored_total", "Readings committed to the store.", self.readingsStored.value)
        body("quantrac_readings_duplicate_total", "Readings that were already known.", self.readingsDuplicate.value)
        body("quantrac_readings_revised_total", "Readings that replaced another value.", self.readingsRevised.value)
        body("quantrac_readings_quarantined_total", "Values set aside.", self.readingsQuarantined.value)
        body("quantrac_dead_letters_total", "Messages that could not be read.", self.deadLetters.value)
        body("quantrac_backfill_commands_total", "Requests for missing messages.", self.backfillCommands.value)
        body("quantrac_backfills_filled_total", "Requests that were filled.", self.backfillsFilled.value)
        body("quantrac_messages_lost_total", "Numbered messages declared lost.", self.messagesLost.value)
        body("quantrac_responses_ignored_total", "Answers that fit no command.", self.responsesIgnored.value)
        body("quantrac_readings_expired_total", "Raw readings deleted by retention.", self.readingsExpired.value)
        body("quantrac_outage_seconds_total", "Time in which nothing was read.", self.outageSeconds.value)
    }

    /// All gauges with the names they are published under.
    package func forEachGauge(_ body: (_ name: StaticString, _ help: StaticString, _ value: Int64) -> Void) {
        body("quantrac_readings_undecided", "Readings committed but not yet merged.", self.readingsUndecided.value)
        body("quantrac_head_readings", "Readings held in memory until merged.", self.headReadings.value)
        body("quantrac_head_bytes", "Memory taken by readings not yet merged.", self.headBytes.value)
        body("quantrac_journal_bytes", "Size of the journal.", self.journalBytes.value)
        body("quantrac_wal_bytes", "Size of the write-ahead log.", self.walBytes.value)
        body("quantrac_broker_connected", "1 while the broker session stands.", self.brokerConnected.value)
        body("quantrac_caught_up", "1 once the broker's backlog has been read.", self.caughtUp.value)
        body("quantrac_history_connected", "1 while the session for the backlog stands.", self.historyConnected.value)
        body("quantrac_history_caught_up", "1 once no backlog waits at the broker.", self.historyCaughtUp.value)
        body("quantrac_stations_offline", "Stations whose link is down.", self.stationsOffline.value)
        body("quantrac_stations_silent", "Stations nothing comes of.", self.stationsSilent.value)
        body("quantrac_stations_stale", "Stations that send without some parameter.", self.stationsStale.value)
        body("quantrac_backfills_open", "Requests for missing messages not settled.", self.backfillsOpen.value)
        body("quantrac_disk_free_bytes", "Free space where the store lies.", self.diskFreeBytes.value)
        body("quantrac_disk_full_in_days", "Days until the disk is full; -1: unknown.", self.diskFullInDays.value)
        body("quantrac_ledger_unbalanced", "Stations whose ledgers do not add up.", self.ledgerUnbalanced.value)
        body("quantrac_seq_missing", "Numbered messages that never came.", self.sequenceMissing.value)
    }

    /// A number that only grows.
    package struct Counter: ~Copyable, Sendable {
        private let storage = Atomic<Int64>(0)
        package init() {}
        package var value: Int64 { self.storage.load(ordering: .relaxed) }
        package func add(_ count: Int = 1) { self.storage.wrappingAdd(Int64(count), ordering: .relaxed) }
    }

    /// A number that goes up and down.
    package struct Gauge: ~Copyable, Sendable {
        private let storage = Atomic<Int64>(0)
        package init() {}
        package var value: Int64 { self.storage.load(ordering: .relaxed) }
        package func set(_ value: Int64) { self.storage.store(value, ordering: .relaxed) }
        package func set(_ value: Int) { self.set(Int64(value)) }
        package func set(_ value: Bool) { self.set(value ? Int64(1) : 0) }
    }
}

/// How long something took, as counts below fixed bounds.
package struct DurationHistogram: ~Copyable, Sendable {
    /// Upper bounds in microseconds, ascending; a commit is one fsync, from half a millisecond (SSD) to seconds (a full
    /// disk).
    package static let boundsMicroseconds: [Int64] = [
        500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000,
    ]

    /// One per bound, and one for what is above them all.
    private let counts = (0...Self.boundsMicroseconds.count).map { _ in Cell() }
    private let totalNanoseconds = Atomic<Int64>(0)

    package init() {}

    /// Counts one duration.
    package func record(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.record(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    /// Counts one duration.
    package func record(nanoseconds: Int64) {
        let index = Self.boundsMicroseconds.firstIndex { nanoseconds <= $0 * 1_000 } ?? Self.boundsMicroseconds.count
        self.counts[index].increment()
        self.totalNanoseconds.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// What was recorded: per bound how many were at most that long, then all of them, and their sum.
    package var snapshot: Snapshot {
        var running: Int64 = 0
        let cumulative = self.counts.map { cell in
            running += cell.value
            return running
        }
        return Snapshot(
            cumulative: Array(cumulative.dropLast()), count: running,
            sumNanoseconds: self.totalNanoseconds.load(ordering: .relaxed))
    }

    /// A histogram at one moment.
    package struct Snapshot: Sendable, Hashable {
        /// One per bound of `boundsMicroseconds`.
        package let cumulative: [Int64]
        package let count: Int64
        package let sumNanoseconds: Int64
    }
}

/// An atomic that can be an array's element.
private final class Cell: Sendable {
    private let storage = Atomic<Int64>(0)
    var value: Int64 { self.storage.load(ordering: .relaxed) }
    func increment() { self.storage.wrappingAdd(1, ordering: .relaxed) }
}
