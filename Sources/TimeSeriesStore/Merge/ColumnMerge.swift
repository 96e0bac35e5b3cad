import Monitoring

/// A version that was served once and has been overtaken by a newer one; the value as bits, because it is compared as
/// bits.
struct SupersededVersion: Equatable {
    let timeMilliseconds: Int64
    let valueBits: UInt64
    let status: UInt64
    /// 0 when it is the station's receipt of that time.
    let receivedSeconds: UInt32
}

/// Merges arrivals into the columns of one series.
///
/// The rule of I3, in arrival order: a version (value, status) already known at that time, served or superseded, is a
/// duplicate; another one is served from now on and the one it replaces is kept.
enum ColumnMerge {
    /// The superseded versions of one time, oldest first.
    typealias KnownVersions = (_ timeMilliseconds: Int64) throws -> [SupersededVersion]

    /// What happened to one arrival (invariant I2).
    enum Fate: UInt8 {
        case stored
        case duplicate
        case revised
    }

    /// Who wins where an arrival contradicts what is served.
    enum Rule {
        /// Readings: the newest version is served.
        case newestServes
        /// Receipt times of a station: the first one stays, so that what refers to it never changes.
        case firstStays
    }

    struct Result {
        var columns = RawColumns()
        /// In order of time, then of arrival; their version numbers follow those already known.
        var superseded: [SupersededVersion] = []
        /// Times at which what is served changed, ascending, without repeats.
        var changedTimes: [Int64] = []
        /// One per arrival, in the order given.
        var fates: [Fate] = []
    }

    /// - Parameters:
    ///   - arrivals: ascending in time; equal times in order of arrival. `receivedSeconds` 0 means the station's
    ///     receipt.
    ///   - known: asked only where an arrival contradicts what is served.
    static func merge(
        _ arrivals: ArraySlice<Reading>, into base: RawColumns, rule: Rule, known: KnownVersions
    ) throws -> Result {
        var result = Result()
        result.fates.reserveCapacity(arrivals.count)
        result.columns.reserveCapacity(base.count + arrivals.count)
        var baseIndex = 0
        var index = arrivals.startIndex
        while index < arrivals.endIndex {
            let time = arrivals[index].timeMilliseconds
            var upTo = base.firstIndex(atOrAfter: time, from: baseIndex)
            if upTo < base.count, base.times[upTo] == time {
                upTo += 1
                result.columns.append(base, baseIndex..<upTo)
            } else {
                result.columns.append(base, baseIndex..<upTo)
                result.columns.append(arrivals[index])
                result.changedTimes.append(time)
                result.fates.append(.stored)
                index += 1
            }
            baseIndex = upTo
            while index < arrivals.endIndex, arrivals[index].timeMilliseconds == time {
                try result.contradict(with: arrivals[index], rule: rule, known: known)
                index += 1
            }
        }
        result.columns.append(base, baseIndex..<base.count)
        return result
    }
}

extension ColumnMerge.Result {
    /// Takes an arrival at the time of the last reading taken.
    fileprivate mutating func contradict(
        with arrival: Reading, rule: ColumnMerge.Rule, known: ColumnMerge.KnownVersions
    ) throws {
        let last = self.columns.count - 1
        let served = SupersededVersion(
            timeMilliseconds: self.columns.times[last], valueBits: self.columns.values[last].bitPattern,
            status: self.columns.statuses[last], receivedSeconds: self.columns.received[last])
        func isArrival(_ version: SupersededVersion) -> Bool {
            version.valueBits == arrival.value.bitPattern && version.status == arrival.status.packed
        }
        let isPending = self.superseded.reversed()
            .prefix { $0.timeMilliseconds == served.timeMilliseconds }.contains(where: isArrival)
        if try rule == .firstStays || isArrival(served) || isPending
            || known(served.timeMilliseconds).contains(where: isArrival)
        {
            self.fates.append(.duplicate)
            return
        }
        self.superseded.append(served)
        self.columns.values[last] = arrival.value
        self.columns.statuses[last] = arrival.status.packed
        self.columns.received[last] = arrival.receivedSeconds
        if self.changedTimes.last != served.timeMilliseconds { self.changedTimes.append(served.timeMilliseconds) }
        self.fates.append(.revised)
    }
}

extension RawColumns {
    mutating func append(_ other: RawColumns, _ range: Range<Int>) {
        guard !range.isEmpty else { return }
        self.times.append(contentsOf: other.times[range])
        self.values.append(contentsOf: other.values[range])
        self.statuses.append(contentsOf: other.statuses[range])
        self.received.append(contentsOf: other.received[range])
    }

    func slice(_ range: Range<Int>) -> RawColumns {
        var columns = RawColumns()
        columns.append(self, range)
        return columns
    }

    /// The first position from `start` on whose time is not before `time`.
    func firstIndex(atOrAfter time: Int64, from start: Int = 0) -> Int {
        // Appending is the common case: look at the end first.
        guard let last = self.times.last, last >= time else { return self.count }
        var low = start
        var high = self.count
        while low < high {
            let middle = (low + high) / 2
            if self.times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Arrivals in order of time, equal times in order of arrival.
func sortedByTime(_ arrivals: [Reading]) -> [Reading] {
    let isAscending = zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.timeMilliseconds <= $1.timeMilliseconds }
    if isAscending { return arrivals }
    return arrivals.enumerated().sorted {
        ($0.element.timeMilliseconds, $0.offset) < ($1.element.timeMilliseconds, $1.offset)
    }.map(\.element)
}
