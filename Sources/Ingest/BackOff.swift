/// When to try again: 1 s, doubling to 30 s.
struct BackOff {
    private var delayMilliseconds: Int64 = 0
    private var dueMilliseconds: Int64 = 0

    func isDue(_ now: Int64) -> Bool { now >= self.dueMilliseconds }

    mutating func failed(_ now: Int64) {
        self.delayMilliseconds = min(
            max(self.delayMilliseconds * 2, IngestLimits.backOffMillisecondsMin), IngestLimits.backOffMillisecondsMax)
        self.dueMilliseconds = now + self.delayMilliseconds
    }

    mutating func succeeded() {
        self.delayMilliseconds = 0
        self.dueMilliseconds = 0
    }
}
