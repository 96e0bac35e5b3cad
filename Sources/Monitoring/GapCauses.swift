/// Why readings that were due are not there; the first that holds, in this order.
package enum GapCause: String, Sendable, Hashable, CaseIterable {
    /// We were not reading.
    case outage
    /// They came and could not be taken: dead letters, quarantine.
    case refused
    /// The device numbered messages that we never got.
    case sequence
    /// They are there, and the device says that it was being calibrated.
    case calibrating
    /// They are there, with another status than 00 and 01.
    case fault
    /// None of these: the device sent nothing.
    case silent
}

/// Messages of a station that never came: their numbers, and the device times of what came before and after.
package struct SequenceHole: Sendable, Hashable {
    /// Bytes of the boot's name.
    package let boot: [UInt8]
    package let numbers: ClosedRange<Int64>
    /// Nil when nobody noted it.
    package let times: ClosedRange<Int64>?

    package init(boot: [UInt8], numbers: ClosedRange<Int64>, times: ClosedRange<Int64>?) {
        self.boot = boot
        self.numbers = numbers
        self.times = times
    }
}

/// Something of a station that was refused: once, or again and again through a time.
package struct Refusal: Sendable, Hashable {
    package let times: ClosedRange<Int64>
    /// The word of a dead letter or of the quarantine.
    package let reason: String
    /// A whole message, that is every parameter, or a value of one.
    package let isMessage: Bool
    package let count: Int

    package init(times: ClosedRange<Int64>, reason: String, isMessage: Bool, count: Int = 1) {
        self.times = times
        self.reason = reason
        self.isMessage = isMessage
        self.count = count
    }
}

/// What is known about the times in which a series has gaps.
package struct GapEvidence: Sendable {
    /// Times in which we did not read.
    package var outages: [Range<Int64>] = []
    package var refusals: [Refusal] = []
    package var holes: [SequenceHole] = []
    /// How many readings of a series come in one message: the first of them is sent that many intervals late.
    package var readingsPerMessage = 1

    package init() {}
}

/// A gap, or the part of one, with its one cause.
package struct ExplainedGap: Sendable, Hashable {
    package let range: Range<Int64>
    /// Readings that are missing.
    package let count: Int
    package let cause: GapCause
    /// Position in `GapEvidence.outages`.
    package var outage: Int?
    /// How many messages and values were refused, by reason.
    package var refused: [String: Int] = [:]
    package var holes: [SequenceHole] = []

    package init(range: Range<Int64>, count: Int, cause: GapCause) {
        self.range = range
        self.count = count
        self.cause = cause
    }
}

extension GapEvidence {
    /// Cuts a gap where its cause changes.
    ///
    /// The gap is divided evenly into the readings that are missing, and each of them gets the first cause that holds:
    /// we were not reading between its time and the sending of its message; something refused lies nearest to it (a
    /// message that could not be read stands for all the readings a message carries); it lies within a hole of the
    /// numbering; else the device was silent.
    package func explain(_ gap: Range<Int64>, missing: Int) -> [ExplainedGap] {
        guard missing > 0, !gap.isEmpty else { return [] }
        let slots = Slots(gap: gap, count: missing, perMessage: max(1, self.readingsPerMessage))
        var causes = [GapCause](repeating: .silent, count: missing)
        var outageOfSlot = [Int](repeating: -1, count: missing)
        for range in merged(self.holes.compactMap { slots.range(of: $0) }) {
            for slot in range { causes[slot] = .sequence }
        }
        for range in merged(self.refusals.compactMap { slots.range(of: $0) }) {
            for slot in range { causes[slot] = .refused }
        }
        // Where two meet in one reading, the earlier one has it.
        for (index, outage) in self.outages.enumerated().reversed() {
            guard let range = slots.range(of: outage) else { continue }
            for slot in range {
                causes[slot] = .outage
                outageOfSlot[slot] = index
            }
        }
        var pieces: [ExplainedGap] = []
        var start = 0
        for slot in 1...missing
        where slot == missing || causes[slot] != causes[start] || outageOfSlot[slot] != outageOfSlot[start] {
            pieces.append(self.piece(start..<slot, of: slots, causes[start], outage: outageOfSlot[start]))
            start = slot
        }
        return pieces
    }

    private func piece(_ range: Range<Int>, of slots: Slots, _ cause: GapCause, outage: Int) -> ExplainedGap {
        var piece = ExplainedGap(
            range: slots.start(range.lowerBound)..<slots.start(range.upperBound), count: range.count, cause: cause)
        switch cause {
        case .outage: piece.outage = outage
        case .refused:
            for refusal in self.refusals where slots.range(of: refusal)?.overlaps(range) == true {
                piece.refused[refusal.reason, default: 0] += refusal.count
            }
        case .sequence: piece.holes = self.holes.filter { slots.range(of: $0)?.overlaps(range) == true }
        case .calibrating, .fault, .silent: break
        }
        return piece
    }
}

/// The readings missing in a gap, evenly spaced over it.
private struct Slots {
    let gap: Range<Int64>
    let count: Int
    let perMessage: Int

    var length: Int64 { self.gap.upperBound - self.gap.lowerBound }

    func start(_ slot: Int) -> Int64 {
        let count = Int64(self.count)
        return self.gap.lowerBound + self.length / count * Int64(slot) + self.length % count * Int64(slot) / count
    }

    /// The slot in whose time an instant of the gap lies.
    private func slot(at time: Int64) -> Int {
        var slot = Int(((time - self.gap.lowerBound) * Int64(self.count)) / self.length)
        // Division rounds down; so do the starts of the slots.
        while slot + 1 < self.count, self.start(slot + 1) <= time { slot += 1 }
        while slot > 0, self.start(slot) > time { slot -= 1 }
        return slot
    }

    /// Slots whose reading would have reached us in a time: from when it was measured until its message was sent.
    func range(of outage: Range<Int64>) -> Range<Int>? {
        guard outage.upperBound > self.gap.lowerBound, !outage.isEmpty else { return nil }
        let each = max(1, self.length / Int64(self.count))
        let low: Int
        if outage.lowerBound < self.gap.lowerBound {
            low = 0
        } else if outage.lowerBound < self.gap.upperBound {
            low = self.slot(at: outage.lowerBound) - (self.perMessage - 1)
        } else {
            let beyond = (outage.lowerBound - self.gap.upperBound) / each
            guard beyond < Int64(self.perMessage) else { return nil }
            low = self.count + Int(beyond) - (self.perMessage - 1)
        }
        let high =
            outage.upperBound >= self.gap.upperBound ? self.count : self.slot(at: outage.upperBound - 1) + 1
        return max(0, low) < high ? max(0, low)..<high : nil
    }

    /// Slots after the message before the hole, and before the message after it.
    func range(of hole: SequenceHole) -> Range<Int>? {
        guard let times = hole.times, times.upperBound > self.gap.lowerBound else { return nil }
        // The message before the hole came: what is nearest to it is not in the hole.
        let from = times.lowerBound + self.length / Int64(self.count) / 2
        guard from < self.gap.upperBound else { return nil }
        var low = 0
        if from > self.gap.lowerBound {
            low = self.slot(at: from)
            if self.start(low) < from { low += 1 }
        }
        let high = times.upperBound >= self.gap.upperBound ? self.count : self.slot(at: times.upperBound - 1) + 1
        return low < high ? low..<high : nil
    }

    /// The slots nearest to what was refused.
    func range(of refusal: Refusal) -> Range<Int>? {
        let half = self.length / Int64(self.count) / 2
        guard refusal.times.upperBound >= self.gap.lowerBound - half, refusal.times.lowerBound < self.gap.upperBound
        else { return nil }
        func nearest(_ time: Int64) -> Int {
            let time = min(max(time + half, self.gap.lowerBound), self.gap.upperBound - 1)
            return self.slot(at: time)
        }
        let back = refusal.isMessage ? self.perMessage - 1 : 0
        let low = max(0, nearest(refusal.times.lowerBound) - back)
        return low..<(nearest(refusal.times.upperBound) + 1)
    }
}

/// Ranges without overlaps, ascending.
private func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        if let last = result.last, range.lowerBound <= last.upperBound {
            result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
        } else {
            result.append(range)
        }
    }
    return result
}
