/// A stretch of device time in which a station reports at one interval, or owes nothing.
package struct DuePeriod: Sendable, Hashable {
    package let range: Range<Int64>
    /// Nil where nothing is due: no fixed interval, not yet reporting, retired.
    package let intervalMilliseconds: Int64?

    package init(range: Range<Int64>, intervalMilliseconds: Int64?) {
        self.range = range
        self.intervalMilliseconds = intervalMilliseconds
    }

    /// How many readings each parameter owes, rounded as `Bucket.due` rounds.
    package var due: Int {
        Bucket(startMilliseconds: self.range.lowerBound, endMilliseconds: self.range.upperBound)
            .due(intervalMilliseconds: self.intervalMilliseconds) ?? 0
    }
}

extension Station {
    /// A window cut where what is due changes: at a new interval, at the first reading, at retirement; ascending,
    /// without holes.
    ///
    /// - Parameter firstMilliseconds: The station's first reading ever; before it nothing is due, because nobody knows
    ///   when the device was put up. Nil for none yet.
    package func duePeriods(in window: Range<Int64>, firstMilliseconds: Int64?) -> [DuePeriod] {
        guard !window.isEmpty else { return [] }
        let start = min(max(window.lowerBound, firstMilliseconds ?? window.upperBound), window.upperBound)
        let end = max(start, min(window.upperBound, self.retiredMilliseconds ?? .max))
        var periods: [DuePeriod] = []
        func add(_ range: Range<Int64>, _ interval: Int64?) {
            guard !range.isEmpty else { return }
            periods.append(DuePeriod(range: range, intervalMilliseconds: interval.flatMap { $0 > 0 ? $0 : nil }))
        }
        add(window.lowerBound..<start, nil)
        let entries = self.intervalMilliseconds.entries
        for (index, entry) in entries.enumerated() {
            // Before its first entry the first value holds.
            let from = index == 0 ? Int64.min : entry.fromMilliseconds
            let to = index + 1 < entries.count ? entries[index + 1].fromMilliseconds : Int64.max
            let low = min(max(from, start), end)
            add(low..<max(low, min(to, end)), entry.value)
        }
        add(end..<window.upperBound, nil)
        return periods
    }
}

/// A stretch of a series that is not covered by valid readings; as long as possible.
package struct CoverageRange: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Readings were due and are not there.
        case absent
        /// There are readings, of status 01.
        case calibrating
        /// There are readings, of another status than 00 and 01.
        case fault
    }

    package let range: Range<Int64>
    package let kind: Kind
    /// Readings that are missing, or that are there and not valid.
    package let count: Int

    package init(range: Range<Int64>, kind: Kind, count: Int) {
        self.range = range
        self.kind = kind
        self.count = count
    }
}

/// Looks at the readings of one series in order of time, for one stretch with one interval: what is there, and where
/// nothing is.
///
/// A reading covers the time until the next one is due. When the next one comes later than one and a half intervals,
/// what lies between is absent: `[reading + interval, next reading)`. Time after now is not missing, and a remainder of
/// less than half an interval at the stretch's edges belongs to the neighbour.
package struct CoverageScan: Sendable {
    private let period: DuePeriod
    /// Where readings may be missing: the stretch as far as it is past.
    private let past: Range<Int64>
    private let nowMilliseconds: Int64
    private let rangesMax: Int
    private var last: (timeMilliseconds: Int64, kind: CoverageRange.Kind?)?
    /// Consecutive readings of one status that is not 00.
    private var run: (range: Range<Int64>, kind: CoverageRange.Kind, count: Int)?
    package private(set) var ranges: [CoverageRange] = []
    /// Ranges beyond the bound: counted, not kept.
    package private(set) var rangesOmitted = 0
    package private(set) var present = 0
    package private(set) var valid = 0
    package private(set) var calibrating = 0
    package private(set) var fault = 0
    package private(set) var missing = 0

    package init(_ period: DuePeriod, nowMilliseconds: Int64, rangesMax: Int = 1_000) {
        self.period = period
        self.nowMilliseconds = nowMilliseconds
        let low = period.range.lowerBound
        self.past = low..<max(low, min(period.range.upperBound, nowMilliseconds))
        self.rangesMax = rangesMax
    }

    /// How long a reading stands for itself: later than this the next one is missing.
    private var reach: Int64 { (self.period.intervalMilliseconds ?? 0) / 2 + (self.period.intervalMilliseconds ?? 0) }

    /// The readings that are to be handed over: those of the stretch, and their neighbours on both sides.
    package var neighbourhood: Range<Int64> {
        (self.period.range.lowerBound - self.reach)..<(self.period.range.upperBound + self.reach + 1)
    }

    /// Takes the next reading.
    package mutating func take(_ time: Int64, status: Status) {
        let kind: CoverageRange.Kind? =
            status == .measuring ? nil : status == .calibrating ? .calibrating : .fault
        if self.period.range.contains(time) {
            self.present += 1
            switch kind {
            case nil: self.valid += 1
            case .calibrating: self.calibrating += 1
            // Codes of the device's own count as present and as nothing else.
            default: if status == .fault { self.fault += 1 }
            }
        }
        guard let interval = self.period.intervalMilliseconds else { return }
        if let last = self.last {
            let isGap = time - last.timeMilliseconds > self.reach
            self.cover(last, until: isGap ? last.timeMilliseconds + interval : time)
            if isGap { self.absent(last.timeMilliseconds + interval, time) }
        } else {
            self.absent(self.past.lowerBound, time)
        }
        self.last = (time, kind)
    }

    /// There are no more readings.
    package mutating func finish() {
        guard let interval = self.period.intervalMilliseconds else { return }
        defer { self.endRun() }
        guard let last = self.last else { return self.absent(self.past.lowerBound, self.past.upperBound) }
        // The next reading may still be on its way.
        let isGap = self.nowMilliseconds - last.timeMilliseconds > self.reach
        let covered = isGap ? last.timeMilliseconds + interval : max(last.timeMilliseconds, self.past.upperBound)
        self.cover(last, until: covered)
        if isGap { self.absent(covered, self.past.upperBound) }
    }

    private mutating func cover(
        _ reading: (timeMilliseconds: Int64, kind: CoverageRange.Kind?), until end: Int64
    ) {
        let time = reading.timeMilliseconds
        guard let kind = reading.kind else { return self.endRun() }
        let count = self.past.contains(time) ? 1 : 0
        if let run = self.run, run.kind == kind, run.range.upperBound == time {
            self.run = (run.range.lowerBound..<end, kind, run.count + count)
        } else {
            self.endRun()
            self.run = (time..<end, kind, count)
        }
    }

    private mutating func endRun() {
        guard let run = self.run else { return }
        self.run = nil
        guard run.count > 0 else { return }
        self.append(CoverageRange(range: run.range.clamped(to: self.past), kind: run.kind, count: run.count))
    }

    private mutating func absent(_ from: Int64, _ to: Int64) {
        guard let interval = self.period.intervalMilliseconds, from < to else { return }
        self.endRun()
        let range = (from..<to).clamped(to: self.past)
        let count = Int((range.upperBound - range.lowerBound + interval / 2) / interval)
        guard count > 0 else { return }
        self.missing += count
        self.append(CoverageRange(range: range, kind: .absent, count: count))
    }

    private mutating func append(_ range: CoverageRange) {
        if self.ranges.count < self.rangesMax { self.ranges.append(range) } else { self.rangesOmitted += 1 }
    }
}
