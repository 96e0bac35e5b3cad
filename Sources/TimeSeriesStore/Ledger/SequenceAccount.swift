package import Monitoring

/// What became of the numbered messages of one boot of one station: expected = distinct + missing (invariant I5).
///
/// It does not depend on the order of arrival, except that a number far below the first one seen is taken for a device
/// that restarted and forgot to say so.
package struct SequenceAccount: Sendable, Equatable {
    /// What stands for a device time that nobody noted.
    static let timeUnknown = Int64.min
    package let boot: [UInt8]
    /// Order in which accounts of a station were opened.
    package let opened: Int64
    /// The first number of the account.
    package private(set) var first: Int64
    /// The highest number seen.
    package private(set) var through: Int64
    /// How many different numbers arrived.
    package private(set) var distinctCount: Int64
    /// How many messages carried a number that had arrived before.
    package private(set) var repeatedCount: Int64
    /// Numbers given up: their gap is no longer remembered.
    package private(set) var lostCount: Int64
    /// Missing numbers, ascending.
    package private(set) var gaps: [ClosedRange<Int64>]
    /// Of the numbers given up, the newest ranges, ascending: one of them that comes after all is new.
    private(set) var lostRanges: [ClosedRange<Int64>] = []

    /// Per gap the device times of the messages before and after it, in that order as a rule.
    private(set) var gapTimes: [GapTimes]
    /// The earliest device time of the message with the first number.
    private(set) var firstMilliseconds: Int64
    /// The latest device time of the message with the highest number.
    private(set) var throughMilliseconds: Int64

    /// Device times around a gap.
    struct GapTimes: Sendable, Equatable {
        var before: Int64
        var after: Int64
    }

    /// - Parameter timesMilliseconds: The device times of the first message; nil when it has none.
    package init(
        boot: [UInt8], opened: Int64, firstSequence: Int64, timesMilliseconds: ClosedRange<Int64>? = nil
    ) {
        self.boot = boot
        self.opened = opened
        self.first = firstSequence
        self.through = firstSequence
        self.distinctCount = 1
        self.repeatedCount = 0
        self.lostCount = 0
        self.gaps = []
        self.gapTimes = []
        self.firstMilliseconds = timesMilliseconds?.lowerBound ?? Self.timeUnknown
        self.throughMilliseconds = timesMilliseconds?.upperBound ?? Self.timeUnknown
    }

    init(
        boot: [UInt8], opened: Int64, first: Int64, through: Int64, distinctCount: Int64, repeatedCount: Int64,
        lostCount: Int64, gaps: [ClosedRange<Int64>], lostRanges: [ClosedRange<Int64>], gapTimes: [GapTimes],
        firstMilliseconds: Int64, throughMilliseconds: Int64
    ) {
        self.lostRanges = lostRanges
        self.boot = boot
        self.opened = opened
        self.first = first
        self.through = through
        self.distinctCount = distinctCount
        self.repeatedCount = repeatedCount
        self.lostCount = lostCount
        self.gaps = gaps
        // Written before times were noted: then none is known.
        let unknown = GapTimes(before: Self.timeUnknown, after: Self.timeUnknown)
        self.gapTimes = gapTimes.count == gaps.count ? gapTimes : gaps.map { _ in unknown }
        self.firstMilliseconds = firstMilliseconds
        self.throughMilliseconds = throughMilliseconds
    }

    package var expectedCount: Int64 { self.through - self.first + 1 }
    package var missingCount: Int64 { self.lostCount + self.gaps.reduce(0) { $0 + Int64($1.count) } }
    package var balances: Bool { self.expectedCount == self.distinctCount + self.missingCount }

    /// The missing numbers with the device times they lie between.
    package var holes: [SequenceHole] { zip(self.gaps, self.gapTimes).map { self.hole($0, $1) } }

    private func hole(_ gap: ClosedRange<Int64>, _ times: GapTimes) -> SequenceHole {
        let isKnown = times.before != Self.timeUnknown && times.after != Self.timeUnknown
        // A device that sends its newest first has them the other way round.
        return SequenceHole(
            boot: self.boot, numbers: gap,
            times: isKnown ? min(times.before, times.after)...max(times.before, times.after) : nil)
    }

    /// What a message's number did to the account.
    struct Receipt {
        /// The number had not arrived before.
        let isNew: Bool
        /// A gap that had to be forgotten.
        var givenUp: SequenceHole?
    }

    /// Takes a number; says whether it is new.
    package mutating func receive(_ sequence: Int64) -> Bool { self.receive(sequence, timesMilliseconds: nil).isNew }

    /// Takes a number.
    ///
    /// - Parameter timesMilliseconds: The device times of its message; nil when it has none.
    mutating func receive(_ sequence: Int64, timesMilliseconds: ClosedRange<Int64>?) -> Receipt {
        let earliest = timesMilliseconds?.lowerBound ?? Self.timeUnknown
        let latest = timesMilliseconds?.upperBound ?? Self.timeUnknown
        var receipt = Receipt(isNew: true)
        if sequence > self.through {
            if sequence > self.through + 1 {
                receipt.givenUp = self.addGap(
                    (self.through + 1)...(sequence - 1), GapTimes(before: self.throughMilliseconds, after: earliest))
            }
            self.through = sequence
            self.throughMilliseconds = latest
            self.distinctCount += 1
            return receipt
        }
        if sequence < self.first {
            guard self.first - sequence <= StoreLimits.sequenceReorderingMax else {
                self.repeatedCount += 1
                return Receipt(isNew: false)
            }
            if sequence + 1 < self.first {
                receipt.givenUp = self.addGap(
                    (sequence + 1)...(self.first - 1), GapTimes(before: latest, after: self.firstMilliseconds))
            }
            self.first = sequence
            self.firstMilliseconds = earliest
            self.distinctCount += 1
            return receipt
        }
        guard let index = self.gaps.firstIndex(where: { $0.contains(sequence) }) else {
            if self.receiveLost(sequence) { return receipt }
            self.repeatedCount += 1
            return Receipt(isNew: false)
        }
        let gap = self.gaps[index]
        let times = self.gapTimes[index]
        var rest: [ClosedRange<Int64>] = []
        var restTimes: [GapTimes] = []
        if gap.lowerBound < sequence {
            rest.append(gap.lowerBound...(sequence - 1))
            restTimes.append(GapTimes(before: times.before, after: earliest))
        }
        if sequence < gap.upperBound {
            rest.append((sequence + 1)...gap.upperBound)
            restTimes.append(GapTimes(before: latest, after: times.after))
        }
        self.gaps.replaceSubrange(index...index, with: rest)
        self.gapTimes.replaceSubrange(index...index, with: restTimes)
        self.distinctCount += 1
        return receipt
    }

    /// Remembers a gap; returns the one that had to be forgotten for it.
    private mutating func addGap(_ gap: ClosedRange<Int64>, _ times: GapTimes) -> SequenceHole? {
        let index = self.gaps.firstIndex { $0.lowerBound > gap.upperBound } ?? self.gaps.count
        self.gaps.insert(gap, at: index)
        self.gapTimes.insert(times, at: index)
        guard self.gaps.count > StoreLimits.gapsKeptMax else { return nil }
        let lost = self.hole(self.gaps.removeFirst(), self.gapTimes.removeFirst())
        self.addLost(lost.numbers)
        return lost
    }

    // MARK: Lost numbers

    /// Gives up what is missing in a range: it is no gap any more.
    ///
    /// - Returns: What was given up, with the device times around it.
    @discardableResult
    package mutating func declareLost(_ range: ClosedRange<Int64>) -> [SequenceHole] {
        var left: [ClosedRange<Int64>] = []
        var leftTimes: [GapTimes] = []
        var lost: [SequenceHole] = []
        for (gap, times) in zip(self.gaps, self.gapTimes) {
            guard gap.overlaps(range) else {
                left.append(gap)
                leftTimes.append(times)
                continue
            }
            // Of a part of a gap no more is known than of the whole of it.
            if gap.lowerBound < range.lowerBound {
                left.append(gap.lowerBound...(range.lowerBound - 1))
                leftTimes.append(times)
            }
            if gap.upperBound > range.upperBound {
                left.append((range.upperBound + 1)...gap.upperBound)
                leftTimes.append(times)
            }
            self.addLost(gap.clamped(to: range))
            lost.append(self.hole(gap.clamped(to: range), times))
        }
        self.gaps = left
        self.gapTimes = leftTimes
        return lost
    }

    /// Whether a hole that was given up is still one, as far as that is remembered: numbers may come after all.
    func isStillLost(_ hole: SequenceHole) -> Bool {
        if self.lostRanges.contains(where: { $0.overlaps(hole.numbers) }) { return true }
        guard self.lostRanges.count == StoreLimits.lostRangesKeptMax, let oldest = self.lostRanges.first else {
            return false
        }
        return hole.numbers.lowerBound < oldest.lowerBound
    }

    private mutating func addLost(_ range: ClosedRange<Int64>) {
        self.lostCount += Int64(range.count)
        let index = self.lostRanges.firstIndex { $0.lowerBound > range.upperBound } ?? self.lostRanges.count
        self.lostRanges.insert(range, at: index)
        if self.lostRanges.count > StoreLimits.lostRangesKeptMax { self.lostRanges.removeFirst() }
    }

    /// Takes a number that had been given up; false when it is none of those remembered.
    private mutating func receiveLost(_ sequence: Int64) -> Bool {
        guard let index = self.lostRanges.firstIndex(where: { $0.contains(sequence) }) else { return false }
        let range = self.lostRanges[index]
        var rest: [ClosedRange<Int64>] = []
        if range.lowerBound < sequence { rest.append(range.lowerBound...(sequence - 1)) }
        if sequence < range.upperBound { rest.append((sequence + 1)...range.upperBound) }
        self.lostRanges.replaceSubrange(index...index, with: rest)
        if self.lostRanges.count > StoreLimits.lostRangesKeptMax { self.lostRanges.removeFirst() }
        self.lostCount -= 1
        self.distinctCount += 1
        return true
    }
}
