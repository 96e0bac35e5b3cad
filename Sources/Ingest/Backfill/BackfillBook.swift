import Monitoring
import TimeSeriesStore

/// Numbers that are missing of one boot of a station.
struct MissingNumbers: Hashable {
    let boot: [UInt8]
    let numbers: ClosedRange<Int64>
    /// Device times they lie between, when they are known.
    let times: ClosedRange<Int64>?
}

/// A station as a look at it finds it.
struct BackfillStation {
    let number: Int32
    let id: String
    let graceMilliseconds: Int64
    /// When its last message was received, ms.
    let heardMilliseconds: Int64
    /// Boots whose accounts are kept.
    let boots: Set<[UInt8]>
    /// What is missing, oldest boot first, ascending.
    let missing: [MissingNumbers]
}

/// Which missing numbers a station has been asked for: pure, in the time it is given.
///
/// A hole that stands is asked for once everything the broker had queued when it was noticed has been read. A request
/// is repeated only to a station that was heard since: a command to a device that is away is lost. So a long outage
/// uses up no attempts.
struct BackfillBook {
    /// What looking at a station decided; to be made durable, then taken over with `commit`.
    struct Step: Equatable {
        var change = BackfillChange()
        var filled = 0
        /// Numbers given up.
        var lostNumbers: Int64 = 0

        static func += (lhs: inout Step, rhs: Step) {
            lhs.change += rhs.change
            lhs.filled += rhs.filled
            lhs.lostNumbers += rhs.lostNumbers
        }
    }

    private struct Hole: Hashable {
        let boot: [UInt8]
        let first: Int64
    }

    let schedule: BackfillSchedule
    /// By number.
    private(set) var open: [Int64: BackfillRequest] = [:]
    private var openOfStation: [Int32: Set<Int64>] = [:]
    /// When holes that nobody was asked for were first seen.
    private var noticed: [Int32: [Hole: Int64]] = [:]
    /// A hole waits for nothing but a marker that was sent after it was noticed; false again when it was asked.
    private var lacksMarker = false
    private var markerWantedMilliseconds: Int64 = .min

    init(schedule: BackfillSchedule = .usual, open: [BackfillRequest]) {
        self.schedule = schedule
        for request in open { self.keep(request) }
    }

    var stations: Set<Int32> { Set(self.openOfStation.keys) }

    /// Takes over what was written.
    mutating func commit(_ change: BackfillChange) {
        for request in change.requests { self.keep(request) }
    }

    private mutating func keep(_ request: BackfillRequest) {
        guard request.resolvedMilliseconds == nil else {
            self.open[request.id] = nil
            self.openOfStation[request.station]?.remove(request.id)
            if self.openOfStation[request.station]?.isEmpty == true { self.openOfStation[request.station] = nil }
            return
        }
        self.open[request.id] = request
        self.openOfStation[request.station, default: []].insert(request.id)
    }

    /// Whether a marker is to be sent now, rather than when its time has come.
    mutating func takeMarkerWish() -> Bool {
        defer { self.lacksMarker = false }
        return self.lacksMarker
    }

    /// Forgets stations without holes and requests.
    mutating func forget(except stations: Set<Int32>) {
        if self.noticed.count > stations.count { self.noticed = self.noticed.filter { stations.contains($0.key) } }
    }

    // MARK: Looking

    /// Looks at a station: what was filled, what is to be asked for, what is given up.
    ///
    /// - Parameters:
    ///   - readThroughMilliseconds: What the broker had queued for us before has been read; nil while we are not caught
    ///     up: then nothing is asked for or given up.
    ///   - commandsLeft: How many commands may still be sent; counted down.
    mutating func look(
        at station: BackfillStation, nowMilliseconds now: Int64, readThroughMilliseconds: Int64?,
        commandsLeft: inout Int, reserve: () -> Int64
    ) -> Step {
        var step = Step()
        var covered: [BackfillRequest] = []
        for id in (self.openOfStation[station.number] ?? []).sorted() {
            guard let request = self.open[id] else { continue }
            if self.lookAt(
                request, of: station, now, isCaughtUp: readThroughMilliseconds != nil, &commandsLeft, &step)
            {
                covered.append(request)
            }
        }
        let holes = Self.uncovered(station.missing, by: covered).prefix(self.schedule.holesPerStationMax)
        let before = self.noticed[station.number] ?? [:]
        var noticed: [Hole: Int64] = [:]
        for hole in holes {
            let key = Hole(boot: hole.boot, first: hole.numbers.lowerBound)
            noticed[key] = min(before[key] ?? now, now)
        }
        self.noticed[station.number] = noticed.isEmpty ? nil : noticed
        guard let readThrough = readThroughMilliseconds else { return step }
        var due: [MissingNumbers] = []
        for hole in holes {
            guard let since = noticed[Hole(boot: hole.boot, first: hole.numbers.lowerBound)],
                now - since >= station.graceMilliseconds
            else { continue }
            if readThrough >= since {
                due.append(hole)
            } else if since > self.markerWantedMilliseconds {
                self.markerWantedMilliseconds = now
                self.lacksMarker = true
            }
        }
        var openCount = covered.count
        for hole in Self.coalesced(due) where commandsLeft > 0 && openCount < self.schedule.requestsPerStationMax {
            let since = noticed[Hole(boot: hole.boot, first: hole.numbers.lowerBound)] ?? now
            var request = BackfillRequest(
                id: reserve(), station: station.number, boot: hole.boot, numbers: hole.numbers, times: hole.times,
                noticedMilliseconds: since, askedMilliseconds: now, attempts: 0, dueMilliseconds: now, state: .asked)
            self.ask(&request, [hole], of: station, now, &commandsLeft, &step)
            openCount += 1
        }
        return step
    }

    /// Looks at an open request; whether it stays open.
    private func lookAt(
        _ request: BackfillRequest, of station: BackfillStation, _ now: Int64, isCaughtUp: Bool,
        _ commandsLeft: inout Int, _ step: inout Step
    ) -> Bool {
        var request = request
        guard station.boots.contains(request.boot) else {
            self.resolve(&request, .lost, "its boot is no longer kept", now, &step)
            return false
        }
        let missing = Self.missing(station.missing, in: request)
        guard !missing.isEmpty else {
            step.filled += 1
            self.resolve(&request, .filled, nil, now, &step)
            return false
        }
        guard isCaughtUp, now >= request.dueMilliseconds, station.heardMilliseconds > request.askedMilliseconds else {
            return true
        }
        if request.attempts >= self.schedule.pausesMilliseconds.count {
            self.giveUp(missing, of: request.station, &step)
            self.resolve(&request, .lost, request.answer ?? "no answer", now, &step)
            return false
        }
        if commandsLeft > 0 { self.ask(&request, missing, of: station, now, &commandsLeft, &step) }
        return true
    }

    private func ask(
        _ request: inout BackfillRequest, _ missing: [MissingNumbers], of station: BackfillStation, _ now: Int64,
        _ commandsLeft: inout Int, _ step: inout Step
    ) {
        guard let first = missing.first, let last = missing.last else { return }
        let pause = self.schedule.pausesMilliseconds[
            min(request.attempts, self.schedule.pausesMilliseconds.count - 1)]
        request.attempts += 1
        request.askedMilliseconds = now
        request.dueMilliseconds = now + pause
        request.state = .asked
        commandsLeft -= 1
        step.change.requests.append(request)
        step.change.commands.append(
            OutboxMessage(
                key: "backfill/\(request.id)/\(request.attempts)", channel: OutboxChannel.station(station.id),
                body: BackfillCommand(
                    id: request.id, boot: request.boot, numbers: first.numbers.lowerBound...last.numbers.upperBound,
                    times: Self.span(missing)
                ).json, createdMilliseconds: now))
    }

    private func resolve(
        _ request: inout BackfillRequest, _ state: BackfillRequest.State, _ answer: String?, _ now: Int64,
        _ step: inout Step
    ) {
        request.state = state
        request.answer = answer ?? request.answer
        request.resolvedMilliseconds = now
        step.change.requests.append(request)
    }

    private func giveUp(_ missing: [MissingNumbers], of station: Int32, _ step: inout Step) {
        for part in missing {
            step.change.lost.append(LostNumbers(station: station, boot: part.boot, numbers: part.numbers))
            step.lostNumbers += Int64(part.numbers.count)
        }
    }

    // MARK: Answers

    /// Takes what a device said; nil when it was not asked that.
    func answered(
        _ response: DeviceResponse, by station: BackfillStation, nowMilliseconds now: Int64
    ) -> Step? {
        guard let id = Int64(response.id), var request = self.open[id], request.station == station.number else {
            return nil
        }
        var step = Step()
        request.state = .answered
        request.answer = response.summary
        let missing = Self.missing(station.missing, in: request)
        let gone =
            response.hasNothing
            ? missing : missing.flatMap { part in Self.clipped(part, to: response.missing) }
        self.giveUp(gone, of: station.number, &step)
        if !missing.isEmpty, gone.reduce(0, { $0 + $1.numbers.count }) == missing.reduce(0, { $0 + $1.numbers.count }) {
            self.resolve(&request, .lost, response.summary, now, &step)
        } else {
            // What it sends travels on another topic and may come later; if it does not, it is asked again.
            step.change.requests.append(request)
        }
        return step
    }

    // MARK: Ranges

    /// What is missing of what a request is about.
    private static func missing(_ missing: [MissingNumbers], in request: BackfillRequest) -> [MissingNumbers] {
        missing.flatMap { part in part.boot == request.boot ? self.clipped(part, to: [request.numbers]) : [] }
    }

    private static func clipped(_ part: MissingNumbers, to ranges: [ClosedRange<Int64>]) -> [MissingNumbers] {
        ranges.filter { $0.overlaps(part.numbers) }.sorted { $0.lowerBound < $1.lowerBound }.map { range in
            MissingNumbers(boot: part.boot, numbers: part.numbers.clamped(to: range), times: part.times)
        }
    }

    /// What is missing and no open request is about.
    private static func uncovered(_ missing: [MissingNumbers], by requests: [BackfillRequest]) -> [MissingNumbers] {
        missing.flatMap { part in
            var rest = [part.numbers]
            for request in requests where request.boot == part.boot {
                rest = rest.flatMap { range -> [ClosedRange<Int64>] in
                    guard range.overlaps(request.numbers) else { return [range] }
                    var left: [ClosedRange<Int64>] = []
                    if range.lowerBound < request.numbers.lowerBound {
                        left.append(range.lowerBound...(request.numbers.lowerBound - 1))
                    }
                    if range.upperBound > request.numbers.upperBound {
                        left.append((request.numbers.upperBound + 1)...range.upperBound)
                    }
                    return left
                }
            }
            return rest.map { MissingNumbers(boot: part.boot, numbers: $0, times: part.times) }
        }
    }

    /// Joins holes between which no more numbers arrived than are missing: one command instead of many, for a device
    /// that then sends at most twice what it must.
    private static func coalesced(_ holes: [MissingNumbers]) -> [MissingNumbers] {
        var joined: [MissingNumbers] = []
        for hole in holes {
            guard let last = joined.last, last.boot == hole.boot,
                hole.numbers.lowerBound - last.numbers.upperBound - 1 <= Int64(last.numbers.count)
            else {
                joined.append(hole)
                continue
            }
            joined[joined.count - 1] = MissingNumbers(
                boot: hole.boot, numbers: last.numbers.lowerBound...hole.numbers.upperBound,
                times: self.span([last, hole]))
        }
        return joined
    }

    private static func span(_ parts: [MissingNumbers]) -> ClosedRange<Int64>? {
        let times = parts.compactMap(\.times)
        guard times.count == parts.count, let from = times.map(\.lowerBound).min(),
            let to = times.map(\.upperBound).max()
        else { return nil }
        return from...to
    }
}
