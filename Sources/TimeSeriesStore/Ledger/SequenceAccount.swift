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
        lostCount: Int64, gaps: [ClosedRange<Int64>]
    ) {
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
            self.lostCount += Int64(self.gaps.removeFirst().count)
        }
    }
}
