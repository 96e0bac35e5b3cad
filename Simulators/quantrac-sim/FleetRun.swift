import ArgumentParser
import Monitoring
import Simulation

/// A fleet on the air: samples when they are due, sends what loggers hold, ends in good order.
final class FleetRun {
    private let command: FleetCommand
    private var model: FleetModel
    private let stations: [SimulatedStation]
    private let linkOfStation: [Link]
    private let engine: Engine
    private let clock: VirtualClock
    private let firstTickMilliseconds: Int64
    private let sampleCountMax: Int
    private let hasFaults: Bool
    private let endsMonotonicMilliseconds: Int64?

    private var sampleCount = 0
    private var tick: Int64 = 0
    private var position = 0
    private var lastDueMilliseconds: Int64

    init(command: FleetCommand, plan: FleetPlan, faults: FaultRates) throws {
        self.command = command
        let since = VirtualClock.sinceMilliseconds(command)
        guard since < command.oldest.milliseconds else {
            throw ValidationError(
                "the run would start \(since / Civil.millisecondsPerDay) days ago, before the oldest device time "
                    + "a service takes (\(DurationText.format(milliseconds: command.oldest.milliseconds))): "
                    + "use a shorter --interval, fewer --messages or a smaller --rate")
        }
        self.clock = VirtualClock(pace: command.rate, sinceMilliseconds: since)
        let start = SystemClock.wallMilliseconds() - since
        let interval = command.interval.milliseconds
        self.firstTickMilliseconds = Civil.floorDivide(start, interval) * interval
        self.lastDueMilliseconds = self.firstTickMilliseconds
        self.sampleCountMax = command.messages ?? .max
        self.hasFaults = !faults.isEmpty
        self.endsMonotonicMilliseconds = command.duration.map {
            SystemClock.monotonicMilliseconds() + $0.milliseconds
        }
        self.model = FleetModel(sites: plan.sites, instruments: plan.instruments, seed: command.seed)
        let truth = try command.broker.truth.map {
            try TruthRecorder(
                path: $0, oldestMilliseconds: command.oldest.milliseconds,
                newestMilliseconds: command.newest.milliseconds)
        }
        // A new boot each time, so that the service starts a new account of seqs.
        let boot = "s" + String(SystemClock.wallMilliseconds(), radix: 36)
        let options = RunOptions(seed: command.seed, topicPrefix: command.broker.topicPrefix, faults: faults)
        let isOwn = command.passwordDirectory != nil
        self.stations = plan.sites.flatMap(\.stations).enumerated().map { index, station in
            SimulatedStation(
                index: index, plan: station, run: options, boot: boot, keepsUntilStored: isOwn,
                resendsGaps: command.gapRepair == .stored, route: .byAge)
        }
        let links = try Self.links(command, stations: self.stations, truth: truth)
        self.linkOfStation = self.stations.indices.map { links[$0 % links.count] }
        self.engine = Engine(links: links, truth: truth)
    }

    private static func links(
        _ command: FleetCommand, stations: [SimulatedStation], truth: TruthRecorder?
    ) throws -> [Link] {
        let broker = command.broker
        let troubles = TroubleBoard()
        if let directory = command.passwordDirectory {
            return try stations.map { station in
                let id = station.plan.id.text
                let will = StatusMessage.text(isOnline: false, boot: station.logger.boot)
                let identity = ClientIdentity(
                    clientID: id, username: id, password: try firstLine(ofFile: "\(directory)/\(id)"),
                    will: (station.statusTopic, will))
                return Link(
                    identity: identity, host: broker.host, port: broker.port, window: command.window,
                    ownStation: station, truth: truth, troubles: troubles)
            }
        }
        let stamp = String(SystemClock.wallMilliseconds(), radix: 36)
        return try (1...min(command.connections, stations.count)).map { number in
            Link(
                identity: try broker.sharedIdentity(clientID: "quantrac-sim-\(stamp)-\(number)"), host: broker.host,
                port: broker.port, window: command.window, ownStation: nil, truth: truth, troubles: troubles)
        }
    }

    /// Runs until the last message is acknowledged, or until it is told to stop.
    func run() throws {
        while !self.isOver {
            let wait = self.produce()
            self.fill(isEnding: false)
            try self.engine.turn(nowMilliseconds: self.loggerClockMilliseconds, waitMilliseconds: wait)
        }
        try self.drain()
        let isComplete = self.engine.isIdle && !self.stations.contains(where: \.logger.hasWork)
        try self.engine.finish()
        let lost = self.stations.reduce(0) { $0 + $1.logger.lostSamples }
        if lost > 0 { Console.say("\(lost) samples were given up because loggers were full") }
        if !isComplete { throw ExitCode(75) }
    }

    private var isOver: Bool {
        StopSignal.isRaised || self.sampleCount >= self.sampleCountMax
            || (self.endsMonotonicMilliseconds.map { SystemClock.monotonicMilliseconds() >= $0 } ?? false)
    }

    /// What the loggers take for now: at full speed, the moment of the newest sample.
    private var loggerClockMilliseconds: Int64 {
        self.command.rate == .max ? self.lastDueMilliseconds : self.clock.nowMilliseconds()
    }

    /// Takes the samples that are due, and returns how long until the next one.
    private func produce() -> Int64 {
        let now = self.clock.nowMilliseconds()
        let isMax = self.command.rate == .max
        // At full speed the links set the pace; else the stations do, as far as their memories go.
        let room =
            isMax ? self.engine.links.reduce(0) { $0 + $1.room } : Limits.bufferedSamplesMax - self.waitingSamples
        var budget = min(room, Limits.samplesPerTurnMax)
        while self.sampleCount < self.sampleCountMax {
            let due = self.nextDueMilliseconds
            guard due <= now else { return self.clock.waitMilliseconds(until: due) }
            guard budget > 0 else { return room > 0 ? 0 : 200 }
            self.takeSample()
            budget -= 1
        }
        return 0
    }

    private var waitingSamples: Int { self.stations.reduce(0) { $0 + $1.logger.waitingCount } }

    private var nextDueMilliseconds: Int64 {
        let interval = self.command.interval.milliseconds
        let due = self.firstTickMilliseconds + self.tick * interval
        if self.command.rate == .max { return due }
        // Loggers do not all speak in the same instant: they are spread over most of the interval.
        return due + interval * 4 / 5 * Int64(self.position) / Int64(self.stations.count)
    }

    private func takeSample() {
        let station = self.stations[self.position]
        let due = self.firstTickMilliseconds + self.tick * self.command.interval.milliseconds
        let sample = self.model.sample(station: self.position, at: due)
        if self.hasFaults {
            for recorded in station.sampleFaults.apply(sample, parameters: station.plan.parameters) {
                station.logger.record(recorded)
            }
        } else {
            station.logger.record(sample)
        }
        let link = self.linkOfStation[self.position]
        let isOffline = station.sampleFaults.isOffline
        if self.command.passwordDirectory != nil, link.isCut != isOffline { link.isCut = isOffline }
        if station.logger.hasWork, !isOffline { link.enqueue(station) }
        self.lastDueMilliseconds = due
        self.sampleCount += 1
        self.position += 1
        if self.position == self.stations.count {
            self.position = 0
            self.tick += 1
        }
    }

    private func fill(isEnding: Bool) {
        let now = self.loggerClockMilliseconds
        for link in self.engine.links { link.fill(nowMilliseconds: now, isEnding: isEnding) }
    }

    /// Sends what is left; after Ctrl-C only what is on its way, and not for long.
    private func drain() throws {
        var deadline: Int64?
        for link in self.engine.links { link.isCut = false }
        if !StopSignal.isRaised {
            for (station, link) in zip(self.stations, self.linkOfStation)
            where station.logger.hasWork || station.wireFaults.holdsMessages { link.enqueue(station) }
        }
        while !self.engine.links.allSatisfy({ $0.unacknowledged == 0 }) || (deadline == nil && !self.engine.isIdle) {
            let now = SystemClock.monotonicMilliseconds()
            if StopSignal.isRaised, deadline == nil { deadline = now + Limits.goodbyeMillisecondsMax }
            if let deadline, now >= deadline { return }
            if deadline == nil { self.fill(isEnding: true) }
            try self.engine.turn(nowMilliseconds: self.loggerClockMilliseconds, waitMilliseconds: 100)
        }
        try self.awaitStored()
    }

    /// Waits until the service has said of every message that it is stored.
    private func awaitStored() throws {
        guard let wait = self.command.waitStored, self.command.passwordDirectory != nil else { return }
        let deadline = SystemClock.monotonicMilliseconds() + wait.milliseconds
        var nextResend = SystemClock.monotonicMilliseconds() + Limits.unconfirmedMilliseconds
        while self.stations.contains(where: { $0.logger.keptCount > 0 }), !StopSignal.isRaised,
            SystemClock.monotonicMilliseconds() < deadline
        {
            if SystemClock.monotonicMilliseconds() >= nextResend {
                nextResend = SystemClock.monotonicMilliseconds() + Limits.unconfirmedMilliseconds
                for (station, link) in zip(self.stations, self.linkOfStation) {
                    station.logger.resendUnconfirmed()
                    if station.logger.hasWork { link.enqueue(station) }
                }
            }
            self.fill(isEnding: true)
            try self.engine.turn(nowMilliseconds: self.loggerClockMilliseconds, waitMilliseconds: 100)
        }
        let kept = self.stations.reduce(0) { $0 + $1.logger.keptCount }
        if kept > 0 { Console.say("\(kept) messages were not confirmed as stored") }
    }
}
