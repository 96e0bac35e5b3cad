import ArgumentParser
import Monitoring
import Simulation

/// A file on the air: row after row, until the last message is acknowledged.
final class ReplayRun {
    private let command: ReplayCommand
    private let file: HistoryFile
    private let station: SimulatedStation
    private let link: Link
    private let engine: Engine
    private let startedMilliseconds = SystemClock.monotonicMilliseconds()
    private var firstMilliseconds: Int64?
    private var seq: Int64 = 0
    private var pending: [Sample] = []

    init(command: ReplayCommand, file: HistoryFile, station: StationPlan) throws {
        self.command = command
        self.file = file
        let broker = command.broker
        let stamp = String(SystemClock.wallMilliseconds(), radix: 36)
        let options = RunOptions(seed: 0, topicPrefix: broker.topicPrefix, faults: .none)
        self.station = SimulatedStation(
            index: 0, plan: station, run: options, boot: "r\(stamp)", keepsUntilStored: false,
            route: .fixed(history: command.history))
        let truth = try broker.truth.map {
            try TruthRecorder(
                path: $0, oldestMilliseconds: command.oldest.milliseconds,
                newestMilliseconds: command.newest.milliseconds)
        }
        self.link = Link(
            identity: try broker.sharedIdentity(clientID: "quantrac-replay-\(station.id.text)"), host: broker.host,
            port: broker.port, window: command.window, ownStation: nil, truth: truth, troubles: TroubleBoard())
        self.engine = Engine(links: [self.link], truth: truth)
    }

    func run() throws {
        try self.file.forEachSample { sample in
            try self.awaitTime(of: sample)
            self.pending.append(sample)
            if self.pending.count == self.command.samplesPerMessage { try self.submitPending() }
            return !StopSignal.isRaised
        }
        if !self.pending.isEmpty, !StopSignal.isRaised { try self.submitPending() }
        let isComplete = !StopSignal.isRaised
        try self.drain()
        let isAcknowledged = self.link.unacknowledged == 0
        try self.engine.finish()
        if !isComplete || !isAcknowledged { throw ExitCode(75) }
    }

    /// At a given speed, waits until the row is due.
    private func awaitTime(of sample: Sample) throws {
        guard case .times(let factor) = self.command.speed else { return }
        let first = self.firstMilliseconds ?? sample.timeMilliseconds
        self.firstMilliseconds = first
        let due = self.startedMilliseconds + Int64(Double(sample.timeMilliseconds - first) / factor)
        while !StopSignal.isRaised {
            let rest = due - SystemClock.monotonicMilliseconds()
            guard rest > 0 else { return }
            try self.engine.turn(nowMilliseconds: SystemClock.wallMilliseconds(), waitMilliseconds: rest)
        }
    }

    private func submitPending() throws {
        // The window filled: messages leave together, and the broker's answers make room.
        while self.link.room == 0, !StopSignal.isRaised {
            try self.engine.turn(nowMilliseconds: SystemClock.wallMilliseconds(), waitMilliseconds: 200)
        }
        guard !StopSignal.isRaised else { return }
        self.seq += 1
        self.link.submit(OutgoingMessage(seq: self.seq, body: .samples(self.pending)), station: self.station)
        self.pending.removeAll(keepingCapacity: true)
    }

    private func drain() throws {
        var deadline: Int64?
        while self.link.unacknowledged > 0 {
            let now = SystemClock.monotonicMilliseconds()
            if StopSignal.isRaised, deadline == nil { deadline = now + Limits.goodbyeMillisecondsMax }
            if let deadline, now >= deadline { return }
            try self.engine.turn(nowMilliseconds: SystemClock.wallMilliseconds(), waitMilliseconds: 200)
        }
    }
}
