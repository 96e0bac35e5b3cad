import Monitoring

/// The stations' clock: as fast as asked, never ahead of the real one.
struct VirtualClock {
    private let pace: Pace
    private let startMilliseconds: Int64
    private let startedMonotonicMilliseconds: Int64

    /// A clock that starts `since` ago, or now in real time.
    init(pace: Pace, sinceMilliseconds: Int64) {
        self.pace = pace
        self.startMilliseconds = SystemClock.wallMilliseconds() - sinceMilliseconds
        self.startedMonotonicMilliseconds = SystemClock.monotonicMilliseconds()
    }

    /// The instant up to which samples are due.
    func nowMilliseconds() -> Int64 {
        let wall = SystemClock.wallMilliseconds()
        switch self.pace {
        case .max: return wall
        case .times(let factor):
            if factor == 1, self.startMilliseconds >= wall - 1_000 { return wall }
            let elapsed = Double(SystemClock.monotonicMilliseconds() - self.startedMonotonicMilliseconds)
            return min(self.startMilliseconds + Int64(elapsed * factor), wall)
        }
    }

    /// How long to wait, in real time, for an instant of this clock.
    func waitMilliseconds(until dueMilliseconds: Int64) -> Int64 {
        let now = self.nowMilliseconds()
        let rest = dueMilliseconds - now
        // Once the present is reached, an hour takes an hour.
        guard case .times(let factor) = self.pace, now < SystemClock.wallMilliseconds() - 1 else { return rest }
        return max(Int64(Double(rest) / factor), 1)
    }

    /// How far back a run must start to end about now.
    static func sinceMilliseconds(_ command: FleetCommand) -> Int64 {
        if let since = command.since { return since.milliseconds }
        if command.rate == .times(1) { return 0 }
        var candidates: [Int64] = []
        if let messages = command.messages {
            let ticks = (messages + command.stations - 1) / command.stations
            candidates.append(Int64(ticks) * command.interval.milliseconds)
        }
        if let duration = command.duration, case .times(let factor) = command.rate {
            candidates.append(Int64(Double(duration.milliseconds) * factor))
        }
        if let shortest = candidates.min() { return shortest }
        // As fast as it goes for a given time: nobody knows how far that is, so all the room there is.
        if command.duration != nil { return command.oldest.milliseconds - 10 * Civil.millisecondsPerDay }
        return 30 * Civil.millisecondsPerDay
    }
}
