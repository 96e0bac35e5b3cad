/// When the backlog may be read: while live messages come, at most half of the time.
///
/// After each batch it rests for as long as the batch took, so that no second is more than half its own. With live
/// silent it does not rest: a backlog after an outage is read at full speed.
///
/// Times are durations since any fixed moment of a clock that does not jump.
struct HistoryPace {
    private var restsUntil = Duration.zero
    private var liveHeard: Duration?

    /// Whether live has brought something lately.
    func isLiveAwake(at now: Duration) -> Bool {
        guard let liveHeard = self.liveHeard else { return false }
        return now - liveHeard < .milliseconds(IngestLimits.liveAwakeMilliseconds)
    }

    /// How long the backlog has to rest; zero when it may be read.
    func rest(at now: Duration) -> Duration {
        self.isLiveAwake(at: now) ? max(.zero, self.restsUntil - now) : .zero
    }

    /// A live batch with messages was handled.
    mutating func liveWasRead(at now: Duration) { self.liveHeard = now }

    /// A batch of the backlog took this long, its commit included.
    mutating func historyWasRead(from start: Duration, to end: Duration) {
        self.restsUntil = end + (end - start)
    }
}
