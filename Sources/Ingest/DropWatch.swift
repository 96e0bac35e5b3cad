/// Whether the broker throws messages away, told by its own running total.
///
/// The total of before is kept in the store: what a queue could not hold while we were down is dropped exactly then.
struct DropWatch {
    enum Verdict: Equatable {
        /// So many since it began.
        case dropping(Int64)
        /// None for `IngestLimits.dropQuietMilliseconds`.
        case over
    }

    /// The last total seen; nil when none ever was.
    private(set) var total: Int64?
    private var droppedCount: Int64 = 0
    private var lastMilliseconds: Int64?

    init(total: Int64?) { self.total = total }

    /// - Parameters:
    ///   - now: Our clock.
    ///   - newTotal: What the broker says; nil when it has not said anything.
    ///   - isOpen: Whether the incident is open, perhaps since an earlier run.
    mutating func observe(_ newTotal: Int64?, isOpen: Bool, now: Int64) -> Verdict? {
        if let newTotal, newTotal != self.total {
            // A broker that was restarted counts from nothing.
            let dropped = self.total.map { newTotal < $0 ? newTotal : newTotal - $0 } ?? 0
            self.total = newTotal
            if dropped > 0 {
                self.droppedCount += dropped
                self.lastMilliseconds = now
                return .dropping(self.droppedCount)
            }
        }
        guard isOpen else {
            self.droppedCount = 0
            return nil
        }
        // An incident of an earlier run has its hour from our start; so has one whose hour our clock stepped out of.
        guard let last = self.lastMilliseconds, last <= now else {
            self.lastMilliseconds = now
            return nil
        }
        return now - last >= IngestLimits.dropQuietMilliseconds ? .over : nil
    }
}
