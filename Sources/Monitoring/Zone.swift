/// A site's local clock: the offsets from UTC in force, as a table.
///
/// The table is filled by the shell (from the system's time-zone data); this type only does arithmetic on it.
package struct Zone: Sendable, Hashable {
    /// For example `Asia/Ho_Chi_Minh`.
    package let name: String
    /// Instants at which an offset comes into force, ascending; the first is `Int64.min`.
    private let starts: [Int64]
    /// Offsets from UTC in seconds, one per start.
    private let offsets: [Int]

    /// A zone from its first offset and the later changes, ascending in time.
    package init(name: String, offsetSeconds: Int, transitions: [(atMilliseconds: Int64, offsetSeconds: Int)] = []) {
        self.name = name
        self.starts = [Int64.min] + transitions.map(\.atMilliseconds)
        self.offsets = [offsetSeconds] + transitions.map(\.offsetSeconds)
    }

    /// The offset from UTC in force at an instant, in seconds.
    package func offsetSeconds(at milliseconds: Int64) -> Int { self.offsets[self.index(at: milliseconds)] }

    /// The zone that follows `self` before an instant, and `other` from it on: a site whose clock was changed by
    /// decree.
    package func spliced(with other: Zone, from milliseconds: Int64) -> Zone {
        let before = zip(self.starts, self.offsets).filter { $0.0 < milliseconds }
        let after = zip(other.starts, other.offsets).filter { $0.0 > milliseconds }
        let changes =
            before.dropFirst().map { (atMilliseconds: $0.0, offsetSeconds: $0.1) }
            + [(atMilliseconds: milliseconds, offsetSeconds: other.offsetSeconds(at: milliseconds))]
            + after.map { (atMilliseconds: $0.0, offsetSeconds: $0.1) }
        return Zone(name: other.name, offsetSeconds: self.offsets[0], transitions: changes)
    }

    /// The local calendar day an instant lies in, as days since 1970-01-01 of the local date.
    ///
    /// A clock put back across midnight shows the evening before once more; the new day, once begun, goes on.
    package func localDay(at milliseconds: Int64) -> Int64 {
        let index = self.index(at: milliseconds)
        var day = Civil.floorDivide(milliseconds + Int64(self.offsets[index]) * 1_000, Civil.millisecondsPerDay)
        if index > 0, milliseconds - self.starts[index] < Int64(self.offsets[index - 1] - self.offsets[index]) * 1_000 {
            while self.start(ofLocalDay: day + 1) <= milliseconds { day += 1 }
        }
        return day
    }

    /// The first instant of a local calendar day (the local clock may skip midnight; then it is the moment it skips).
    package func start(ofLocalDay day: Int64) -> Int64 {
        let local = day * Civil.millisecondsPerDay
        // The offset in force a day and a half before is the one in force until the next change.
        let index = self.index(at: local - Civil.millisecondsPerDay - Civil.millisecondsPerDay / 2)
        for candidate in index..<self.starts.count {
            let instant = max(local - Int64(self.offsets[candidate]) * 1_000, self.starts[candidate])
            if candidate + 1 == self.starts.count || instant < self.starts[candidate + 1] { return instant }
        }
        return local
    }

    /// The bucket of a width that divides the local day: half-open `[start, end)`, cut where the offset changes.
    package func bucket(containing milliseconds: Int64, widthMilliseconds: Int64) -> Bucket {
        let index = self.index(at: milliseconds)
        let local = milliseconds + Int64(self.offsets[index]) * 1_000
        let start = milliseconds - (local - Civil.floorDivide(local, widthMilliseconds) * widthMilliseconds)
        let nextChange = index + 1 < self.starts.count ? self.starts[index + 1] : Int64.max
        return Bucket(
            startMilliseconds: max(start, self.starts[index]),
            endMilliseconds: min(start + widthMilliseconds, nextChange))
    }

    /// The local day as a bucket: 23–25 hours where the clock changes.
    package func dayBucket(containing milliseconds: Int64) -> Bucket {
        let day = self.localDay(at: milliseconds)
        return Bucket(
            startMilliseconds: self.start(ofLocalDay: day), endMilliseconds: self.start(ofLocalDay: day + 1))
    }

    private func index(at milliseconds: Int64) -> Int {
        var low = 0
        var high = self.starts.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if self.starts[middle] <= milliseconds { low = middle } else { high = middle - 1 }
        }
        return low
    }
}

/// A half-open interval of time, `[start, end)`.
package struct Bucket: Sendable, Hashable {
    package let startMilliseconds: Int64
    package let endMilliseconds: Int64

    package init(startMilliseconds: Int64, endMilliseconds: Int64) {
        self.startMilliseconds = startMilliseconds
        self.endMilliseconds = endMilliseconds
    }

    package func contains(_ milliseconds: Int64) -> Bool {
        milliseconds >= self.startMilliseconds && milliseconds < self.endMilliseconds
    }

    /// How many readings a series of this interval owes the bucket, rounded; nil for a series without an interval.
    package func due(intervalMilliseconds: Int64?) -> Int? {
        guard let intervalMilliseconds, intervalMilliseconds > 0 else { return nil }
        return Int((self.endMilliseconds - self.startMilliseconds + intervalMilliseconds / 2) / intervalMilliseconds)
    }
}

/// How finely a question is asked.
package enum Level: String, Sendable, CaseIterable {
    case raw
    case minute = "1m"
    case hour = "1h"
    case day = "1d"

    /// The bucket of this level an instant lies in; an instant of its own for raw.
    package func bucket(containing milliseconds: Int64, zone: Zone) -> Bucket {
        switch self {
        case .raw: Bucket(startMilliseconds: milliseconds, endMilliseconds: milliseconds + 1)
        case .minute: zone.bucket(containing: milliseconds, widthMilliseconds: Civil.millisecondsPerMinute)
        case .hour: zone.bucket(containing: milliseconds, widthMilliseconds: Civil.millisecondsPerHour)
        case .day: zone.dayBucket(containing: milliseconds)
        }
    }
}
