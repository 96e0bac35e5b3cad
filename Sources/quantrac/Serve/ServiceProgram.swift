import Alerting
import DataLake
import FoundationEssentials
import Ingest
import Logging
import Monitoring
import Notifications
import ServiceLifecycle
import Synchronization
import TimeSeriesStore
import UnixSignals
import WebServer

/// The running service: opens the store, starts the ingest thread, then everything that lives beside it.
struct ServiceProgram: Sendable {
    let settings: Settings
    private let logger: Logger
    private let clock = SystemWallClock()

    init(settings: Settings) {
        self.settings = settings
        var logger = Logger(label: "quantrac")
        logger.logLevel = Logger.Level(rawValue: settings.log.level) ?? .info
        self.logger = logger
    }

    func run() async throws {
        let metrics = ServiceMetrics()
        let bell = OutboxBell()
        let (refusals, refuse) = AsyncStream.makeStream(of: SessionInUse.self, bufferingPolicy: .bufferingOldest(1))
        let writer = try StoreWriter(
            path: self.settings.store.path, defaultZone: self.settings.timeZone, isDemo: self.settings.demo)
        let rules = RulesInForce(try self.startingRules(writer))
        let ingest = try IngestService(
            try self.ingestConfiguration(), writer: writer, ruleSet: rules.current, metrics: metrics,
            logger: self.logger, onOutbox: { bell.ring() }, onRefused: { refuse.yield($0) })
        // Whatever ends the service, its last batch is committed and acknowledged.
        defer { ingest.stop() }
        let lake = self.lake(ingest)
        let requests = ServiceRequests(
            settings: self.settings, ingest: ingest, rules: rules, lake: lake, logger: self.logger)
        let control = try ControlServer(path: self.settings.socketPath) { requests.perform($0) }
        defer { control.stop() }
        var services = self.services(
            ingest, metrics: metrics, bell: bell, rules: rules, lake: lake, requests: requests)
        services.append(SessionRefusal(refusals: refusals))
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: self.logger)
        ).run()
    }

    private func services(
        _ ingest: IngestService, metrics: ServiceMetrics, bell: OutboxBell, rules: RulesInForce, lake: LakePublisher?,
        requests: ServiceRequests
    ) -> [any Service] {
        let board = ingest.board
        // Listed in the order they start; they stop in the reverse order.
        var services: [any Service] = [
            OutboxDelivery(
                context: .init(
                    reader: ingest.reader, mailbox: ingest.mailbox, channels: { rules.channels }, bell: bell,
                    heartbeatURL: self.settings.notify.heartbeatURL, isLastCommitGood: { board.current.canWrite },
                    clock: self.clock, logger: self.logger))
        ]
        if let lake { services.append(LakeService(publisher: lake)) }
        services.append(
            Housekeeping(
                settings: self.settings, reader: ingest.reader, mailbox: ingest.mailbox, metrics: metrics,
                isCaughtUp: { board.current.isCaughtUp }, clock: self.clock, logger: self.logger))
        services.append(RulesReload(requests: requests, logger: self.logger))
        services.append(WebServer(context: self.webContext(ingest, metrics: metrics, lake: lake)))
        return services
    }

    private func webContext(_ ingest: IngestService, metrics: ServiceMetrics, lake: LakePublisher?) -> WebContext {
        let reader = ingest.reader
        let board = ingest.board
        let zone = self.settings.localZone
        let clock = self.clock
        var context = WebContext(
            host: self.settings.http.host, port: self.settings.http.port, reader: reader, metrics: metrics,
            health: { Self.health(board.current) }, clock: clock, logger: self.logger)
        if let lake {
            context.lake = {
                try LakeStatus.read(
                    reader, zone: zone, nowMilliseconds: clock.nowMilliseconds, lastError: lake.lastError)
            }
        }
        return context
    }

    private static func health(_ state: IngestState) -> HealthReport {
        var reasons = state.reasons
        if !state.canWrite, reasons.isEmpty { reasons.append("store: the last write failed") }
        if !state.isConnected, reasons.isEmpty { reasons.append("broker: not connected") }
        return HealthReport(
            reasons: reasons, isBrokerConnected: state.isConnected, isCaughtUp: state.isCaughtUp,
            lastCommitMilliseconds: state.lastCommitMilliseconds > 0 ? state.lastCommitMilliseconds : nil,
            clockOffsetSeconds: ClockOffset.seconds())
    }

    private func ingestConfiguration() throws -> IngestConfiguration {
        IngestConfiguration(
            broker: try self.settings.brokerSettings(), timeBounds: self.settings.timeBounds,
            mergePolicy: MergePolicy(
                ageMillisecondsMax: Int64(self.settings.store.mergeSeconds) * 1_000,
                headBytesMax: self.settings.store.headBytes),
            reserveBytes: Int64(self.settings.store.reserveBytes), version: QuantracCommand.programVersion)
    }

    private func lake(_ ingest: IngestService) -> LakePublisher? {
        guard let destination = self.settings.lake.destination else { return nil }
        let mailbox = ingest.mailbox
        return LakePublisher(
            context: .init(
                reader: ingest.reader, destination: destination, duckdb: self.settings.lake.duckdb,
                zone: self.settings.localZone, clock: self.clock,
                merge: {
                    // Everything received until now, slice by slice: between two of them the ingest reads on.
                    let now = SystemTime.nowMilliseconds()
                    let policy = MergePolicy(ageMillisecondsMax: 0, headBytesMax: .max)
                    while try await mailbox.submit({ try $0.mergeSlice(policy, nowMilliseconds: now) != nil }) {}
                },
                record: { part in try await mailbox.submit { try $0.recordPublished(part) } },
                examined: { day, change in
                    try await mailbox.submit { try $0.recordExamined(day: day, change: change) }
                }, logger: self.logger))
    }

    /// The rules of the settings' file, else those loaded last.
    private func startingRules(_ writer: StoreWriter) throws -> RuleSet {
        if let file = self.settings.rules {
            let text = try TextFile.read(file)
            let checked = try RulesFileReader.read(text: text, file: file, version: 0, registry: writer.registry)
            for warning in checked.warnings { self.logger.warning("\(warning)") }
            try writer.saveRules(text: text, source: file, atMilliseconds: SystemTime.nowMilliseconds())
        }
        guard let stored = try writer.reader.rulesText() else { return .empty }
        return try RulesFileReader.read(text: stored.text, file: stored.source, version: stored.version).ruleSet
    }
}

/// The rules in force, shared with those who deliver.
final class RulesInForce: Sendable {
    private let ruleSet: Mutex<RuleSet>

    init(_ ruleSet: RuleSet) { self.ruleSet = Mutex(ruleSet) }

    var current: RuleSet { self.ruleSet.withLock { $0 } }

    func replace(_ ruleSet: RuleSet) { self.ruleSet.withLock { $0 = ruleSet } }

    var channels: [WebhookChannel] {
        self.current.channels.map { channel in
            WebhookChannel(
                id: channel.id, url: channel.webhook,
                headers: channel.headers.map { .init(name: $0.name, value: $0.value) })
        }
    }
}

/// Ends the program when another live service holds our session: two would throw each other out for ever.
struct SessionRefusal: Service {
    let refusals: AsyncStream<SessionInUse>

    func run() async throws {
        for await refusal in self.refusals.cancelOnGracefulShutdown() { throw refusal }
    }
}

/// Loads the rules file again on SIGHUP; a bad file keeps the old rules.
struct RulesReload: Service {
    let requests: ServiceRequests
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                guard let file = self.requests.settings.rules else { continue }
                let reply = self.requests.reloadRules(file)
                if reply.exitCode == ExitStatus.done {
                    self.logger.info("\(reply.output)")
                } else {
                    self.logger.error("The rules were not changed: \(reply.message)")
                }
            }
        }
    }
}
