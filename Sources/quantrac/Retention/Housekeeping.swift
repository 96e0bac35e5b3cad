import Dispatch
import Logging
import Monitoring
import ServiceLifecycle
import Synchronization
import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the service does once a day, and looks at once a minute: retention, free space, how long the disk lasts.
///
/// On a thread of its own, in short pieces on the writer: between two of them the ingest reads its socket.
struct Housekeeping: Service {
    let settings: Settings
    let reader: StoreReader
    let mailbox: WriterMailbox
    let metrics: ServiceMetrics
    let isCaughtUp: @Sendable () -> Bool
    let clock: any WallClock
    let logger: Logger

    private static let queue = DispatchQueue(label: "quantrac.housekeeping")

    func run() async throws {
        let round = HousekeepingRound(self)
        await cancelWhenGracefulShutdown {
            await withTaskCancellationHandler {
                while true {
                    let next = self.clock.nowMilliseconds + HousekeepingLimits.lookMilliseconds
                    await withCheckedContinuation { done in
                        Self.queue.async {
                            round.run()
                            done.resume()
                        }
                    }
                    do { try await self.clock.sleep(untilMilliseconds: next) } catch { return }
                }
            } onCancel: {
                round.stop()
            }
        }
    }
}

/// Bounds of the housekeeping.
enum HousekeepingLimits {
    /// How often it looks whether there is something to do.
    static let lookMilliseconds: Int64 = 5_000
    /// Retention runs this long after midnight, when the lake has published the day.
    static let afterMidnightMilliseconds: Int64 = Civil.millisecondsPerHour
    /// The writer is left alone for so long between two pieces.
    static let pauseMicroseconds: UInt32 = 15_000
    static let fileSizeMilliseconds: Int64 = 10 * Civil.millisecondsPerMinute
    /// Days before the disk is full at which people are told.
    static let fullInDaysMin = 14.0
}

/// One look after the other, on one thread at a time.
private final class HousekeepingRound: @unchecked Sendable {
    // Unchecked: all but the flag belongs to whoever runs on the queue.
    private let context: Housekeeping
    private let isStopping = Atomic(false)
    private var lastRunDay: Int64?
    private var nextFileSize: Int64 = 0
    private var failure: String?

    init(_ context: Housekeeping) { self.context = context }

    func stop() { self.isStopping.store(true, ordering: .releasing) }

    func run() {
        guard !self.isStopping.load(ordering: .acquiring) else { return }
        do {
            try self.look(self.context.clock.nowMilliseconds)
            self.failure = nil
        } catch {
            let text = "\(error)"
            if self.failure != text, !self.isStopping.load(ordering: .acquiring) {
                self.context.logger.error("Housekeeping failed; trying again", metadata: ["error": "\(text)"])
            }
            self.failure = text
        }
    }

    private func look(_ now: Int64) throws {
        if now >= self.nextFileSize {
            self.nextFileSize = now + HousekeepingLimits.fileSizeMilliseconds
            try self.noteFileSize(now)
        }
        let store = ServedStore(reader: self.context.reader, mailbox: self.context.mailbox)
        let clock = self.context.clock
        var work = RetentionRun(settings: self.context.settings, clock: { clock.nowMilliseconds })
        work.isStopping = { self.isStopping.load(ordering: .acquiring) }
        work.pause = { usleep(HousekeepingLimits.pauseMicroseconds) }
        if self.isRetentionDue(now) {
            self.lastRunDay = self.context.settings.localZone.localDay(at: now)
            self.tell(try work.perform(on: store))
        } else {
            try work.giveBackSpace(on: store)
        }
    }

    /// Once a local day, an hour after it began; after a start as soon as the broker's backlog is read.
    private func isRetentionDue(_ now: Int64) -> Bool {
        guard self.context.isCaughtUp() else { return false }
        let zone = self.context.settings.localZone
        let today = zone.localDay(at: now)
        guard let last = self.lastRunDay else { return true }
        return last != today
            && now >= zone.start(ofLocalDay: today) + HousekeepingLimits.afterMidnightMilliseconds
    }

    private func tell(_ report: RetentionReport) {
        self.context.metrics.readingsExpired.add(Int(report.rawReadings))
        let logger = self.context.logger
        if !report.deleted.isEmpty || !report.rows.isEmpty {
            logger.info(
                "Retention",
                metadata: [
                    "rawReadings": "\(report.rawReadings)",
                    "stations": "\(Set(report.deleted.map(\.station)).count)",
                    "rows": "\(report.rows.values.reduce(0, +))",
                ])
        }
        if let hold = report.heldBack.first {
            logger.notice(
                "Retention is held back",
                metadata: ["stations": "\(report.heldBack.count)", "reason": "\(hold.reason)"])
        }
        for problem in report.problems { logger.error("Retention left out a series: \(problem)") }
    }

    // MARK: The disk

    private func noteFileSize(_ now: Int64) throws {
        let day = self.context.settings.localZone.localDay(at: now)
        let bytes = try self.context.reader.filePages().usedBytes
        try self.context.mailbox.submitAndWait { try $0.note(FileSize(day: day, bytes: bytes)) }
        let measured = try FullDisk.measured(self.context.settings, reader: self.context.reader, nowMilliseconds: now)
        let days = measured?.days
        self.context.metrics.diskFullInDays.set(days.map { Int64(min($0, 1e6)) } ?? -1)
        var problem: String?
        if let days, let growth = measured?.growthBytesPerDay, days < HousekeepingLimits.fullInDaysMin {
            problem =
                "The disk of \(self.context.reader.files.database) is full in about \(Int(days)) days: the store grows "
                + "by \(ByteText.text(Int64(growth))) a day. Make room, or keep less (retention.raw)"
        }
        try self.noteIncident("quantrac.disk-filling", problem, now)
    }

    private func noteIncident(_ rule: String, _ problem: String?, _ now: Int64) throws {
        let isOpen = try self.context.reader.incidents(openOnly: true).contains { $0.rule == rule }
        guard isOpen != (problem != nil) else { return }
        try self.context.mailbox.submitAndWait { writer in
            var effects = BatchEffects()
            if let problem {
                effects.incidents.append(
                    .open(
                        id: writer.reserveIncident(), name: "\(rule)/\(now)", rule: rule, subject: "service",
                        series: nil, station: nil, severity: "warning", openedMilliseconds: now,
                        sinceMilliseconds: now, value: nil, bound: nil, foundLate: false, detail: problem))
            } else {
                effects.incidents.append(.cleared(rule: rule, subject: "service", atMilliseconds: now))
            }
            try writer.apply(effects, atMilliseconds: now)
        }
    }
}
