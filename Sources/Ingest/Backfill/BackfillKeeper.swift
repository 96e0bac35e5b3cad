import Logging
import Monitoring
import TimeSeriesStore

/// Asks devices for what is missing, and keeps in the store what was asked, answered, filled and given up.
final class BackfillKeeper {
    private let writer: StoreWriter
    private let metrics: ServiceMetrics
    private let logger: Logger
    private(set) var book: BackfillBook
    /// What devices said and nobody has looked at yet.
    private var responses: [DeviceMessage] = []
    /// Commands may lie in the outbox.
    private var mayHaveCommands = true

    init(
        writer: StoreWriter, metrics: ServiceMetrics, logger: Logger, schedule: BackfillSchedule = .usual
    ) throws {
        self.writer = writer
        self.metrics = metrics
        self.logger = logger
        self.book = BackfillBook(schedule: schedule, open: try writer.reader.openBackfills())
    }

    /// Takes what devices said in a batch; looked at later, not on the way to the commit.
    ///
    /// What a crash takes away before that is asked for again.
    func take(_ responses: [DeviceMessage]) {
        let room = IngestLimits.responsesWaitingMax - self.responses.count
        self.responses += responses.prefix(max(0, room))
        self.metrics.responsesIgnored.add(max(0, responses.count - max(0, room)))
    }

    /// Looks at all stations with something missing.
    ///
    /// - Parameter readThroughMilliseconds: What the broker had queued for us before has been read; nil while we are
    ///   not caught up.
    /// - Returns: Stations that may be told that numbers are no longer expected.
    func look(nowMilliseconds now: Int64, readThroughMilliseconds: Int64?) throws -> Set<Int32> {
        var told = try self.takeAnswers(now)
        var step = BackfillBook.Step()
        var commandsLeft = self.book.schedule.commandsPerLookMax
        let stations = self.writer.reader.accountsWithHoles(also: self.book.stations)
        self.book.forget(except: Set(stations.map(\.station)))
        for item in stations {
            guard let station = self.station(item) else { continue }
            step += self.book.look(
                at: station, nowMilliseconds: now, readThroughMilliseconds: readThroughMilliseconds,
                commandsLeft: &commandsLeft, reserve: self.writer.reserveBackfill)
        }
        told.formUnion(try self.write(step, now))
        self.metrics.backfillsOpen.set(self.book.open.count)
        return told
    }

    private func takeAnswers(_ now: Int64) throws -> Set<Int32> {
        guard !self.responses.isEmpty else { return [] }
        let responses = self.responses
        self.responses = []
        var told: Set<Int32> = []
        for message in responses {
            guard let response = DeviceResponse(message.payload),
                let item = self.writer.reader.accountsWithHoles(of: message.station),
                let station = self.station(item),
                let step = self.book.answered(response, by: station, nowMilliseconds: now)
            else {
                self.metrics.responsesIgnored.add()
                continue
            }
            told.formUnion(try self.write(step, now))
        }
        return told
    }

    private func write(_ step: BackfillBook.Step, _ now: Int64) throws -> Set<Int32> {
        try self.writer.apply(step.change, nowMilliseconds: now)
        self.book.commit(step.change)
        if !step.change.commands.isEmpty { self.mayHaveCommands = true }
        self.metrics.backfillCommands.add(step.change.commands.count)
        self.metrics.backfillsFilled.add(step.filled)
        self.metrics.messagesLost.add(Int(clamping: step.lostNumbers))
        for lost in step.change.lost {
            self.logger.warning(
                "Numbers of a station are declared lost",
                metadata: [
                    "station": "\(self.name(lost.station))", "boot": "\(String(decoding: lost.boot, as: UTF8.self))",
                    "from": "\(lost.numbers.lowerBound)", "to": "\(lost.numbers.upperBound)",
                ])
        }
        return Set(step.change.lost.map(\.station))
    }

    private func name(_ station: Int32) -> String {
        self.writer.registry.stationIndex(number: station).map { self.writer.registry.stations[$0].id.text }
            ?? "\(station)"
    }

    private func station(_ item: StationAccounts) -> BackfillStation? {
        let registry = self.writer.registry
        guard let index = registry.stationIndex(number: item.station) else { return nil }
        let station = registry.stations[index]
        return BackfillStation(
            number: item.station, id: station.id.text,
            graceMilliseconds: self.book.schedule.graceMilliseconds(
                intervalMilliseconds: station.intervalMilliseconds.latest),
            heardMilliseconds: item.heardMilliseconds, boots: Set(item.accounts.map(\.boot)),
            missing: item.accounts.flatMap { account in
                account.gaps.map { MissingNumbers(boot: account.boot, numbers: $0, times: nil) }
            })
    }

    /// Whether a hole waits for a marker.
    func takeMarkerWish() -> Bool { self.book.takeMarkerWish() }

    // MARK: Commands

    /// Hands commands to the client that publishes, and marks those that the broker has.
    func deliver(by outgoing: OutgoingClient, nowMilliseconds now: Int64) throws {
        try self.writer.markDelivered(outbox: outgoing.takeDelivered(), atMilliseconds: now)
        guard self.mayHaveCommands, outgoing.isConnected else { return }
        let rows = try self.writer.reader.pendingCommands(after: 0, limit: IngestLimits.commandsInFlightMax)
        self.mayHaveCommands = !rows.isEmpty
        for row in rows {
            guard let station = OutboxChannel.station(of: row.channel) else { continue }
            outgoing.send(row.body, to: station, outbox: row.id, nowMilliseconds: now)
        }
    }
}
