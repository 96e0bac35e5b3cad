/// What became of the numbered messages of one boot of one station: expected = distinct + missing (invariant I5).
///
/// It does not depend on the order of arrival, except that a number far below the first one seen is taken for a device
/// that restarted and forgot to say so.
package struct SequenceAccount: Sendable, Equatable {
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

    package init(boot: [UInt8], opened: Int64, firstSequence: Int64) {
        self.boot = boot
        self.opened = opened
        self.first = firstSequence
        self.through = firstSequence
        self.distinctCount = 1
        self.repeatedCount = 0
        self.lostCount = 0
        self.gaps = []
    }

    init(
        boot: [UInt8], opened: Int64, first: Int64, through: Int64, distinctCount: Int64, repeatedCount: Int64,
        lostCount: Int64, gaps: [ClosedRange<Int64>], lostRanges: [ClosedRange<Int64>]
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
    }

    package var expectedCount: Int64 { self.through - self.first + 1 }
    package var missingCount: Int64 { self.lostCount + self.gaps.reduce(0) { $0 + Int64($1.count) } }
    package var balances: Bool { self.expectedCount == self.distinctCount + self.missingCount }

    /// Takes a number; says whether it is new.
    package mutating func receive(_ sequence: Int64) -> Bool {
        if sequence > self.through {
            if sequence > self.through + 1 { self.addGap((self.through + 1)...(sequence - 1)) }
            self.through = sequence
            self.distinctCount += 1
            return true
        }
        if sequence < self.first {
            guard self.first - sequence <= StoreLimits.sequenceReorderingMax else {
                self.repeatedCount += 1
                return false
            }
            if sequence + 1 < self.first { self.addGap((sequence + 1)...(self.first - 1)) }
            self.first = sequence
            self.distinctCount += 1
            return true
        }
        guard let index = self.gaps.firstIndex(where: { $0.contains(sequence) }) else {
            if self.receiveLost(sequence) { return true }
            self.repeatedCount += 1
            return false
        }
        let gap = self.gaps[index]
        var rest: [ClosedRange<Int64>] = []
        if gap.lowerBound < sequence { rest.append(gap.lowerBound...(sequence - 1)) }
        if sequence < gap.upperBound { rest.append((sequence + 1)...gap.upperBound) }
        self.gaps.replaceSubrange(index...index, with: rest)
        self.distinctCount += 1
        return true
    }

    private mutating func addGap(_ gap: ClosedRange<Int64>) {
        let index = self.gaps.firstIndex { $0.lowerBound > gap.upperBound } ?? self.gaps.count
        self.gaps.insert(gap, at: index)
        if self.gaps.count > StoreLimits.gapsKeptMax {
            self.addLost(self.gaps.removeFirst())
        }
    }

    // MARK: Lost numbers

    /// Gives up what is missing in a range: it is no gap any more.
    package mutating func declareLost(_ range: ClosedRange<Int64>) {
        var left: [ClosedRange<Int64>] = []
        for gap in self.gaps {
            guard gap.overlaps(range) else {
                left.append(gap)
                continue
            }
            if gap.lowerBound < range.lowerBound { left.append(gap.lowerBound...(range.lowerBound - 1)) }
            if gap.upperBound > range.upperBound { left.append((range.upperBound + 1)...gap.upperBound) }
            self.addLost(gap.clamped(to: range))
        }
        self.gaps = left
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
