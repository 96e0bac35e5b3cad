package import Monitoring
package import TimeSeriesStore

/// What has been published and what waits.
package struct LakeStatus: Sendable, Hashable {
    /// One local day.
    package struct Day: Sendable, Hashable {
        /// Days since 1970-01-01 of the sites' local date.
        package let day: Int64
        /// Published last; nil when it never was.
        package let part: LakePart?
        package let state: State
    }

    package enum State: String, Sendable, Hashable {
        case published
        /// Not over yet, or over for less than half an hour.
        case open
        /// Over and never published.
        case pending
        /// Published, and changed since; it is restated in time.
        case changed
    }

    /// Ascending.
    package let days: [Day]
    /// Published last of all.
    package let lastPart: LakePart?
    /// Why the last run failed; nil when it did not.
    package let lastError: String?

    package var publishedDays: Int { self.days.count { $0.part != nil } }
    package var pendingDays: Int { self.days.count { $0.state == .pending || $0.state == .changed } }

    /// Reads what the store knows; blocks for one read transaction.
    ///
    /// - Parameters:
    ///   - reader: The store.
    ///   - zone: The clock that says when a day is over.
    ///   - nowMilliseconds: The time of day.
    ///   - lastError: What the publisher says, if it runs in this process.
    /// - Returns: Every day that holds merged readings.
    /// - Throws: What the store fails with.
    package static func read(
        _ reader: StoreReader, zone: Zone, nowMilliseconds: Int64, lastError: String? = nil
    ) throws -> LakeStatus {
        let days = try reader.lakeDays()
        return LakeStatus(
            days: days.map { day in
                Day(
                    day: day.day, part: day.published,
                    state: state(of: day, zone: zone, nowMilliseconds: nowMilliseconds))
            },
            lastPart: days.compactMap(\.published).max { $0.publishedMilliseconds < $1.publishedMilliseconds },
            lastError: lastError)
    }

    private static func state(of day: LakeDay, zone: Zone, nowMilliseconds: Int64) -> State {
        guard isSettled(day.day, zone: zone, nowMilliseconds: nowMilliseconds) else { return .open }
        guard let part = day.published else { return .pending }
        return day.change > part.changeTo ? .changed : .published
    }

    /// When a day may be published: half an hour after it ended.
    static func settles(_ day: Int64, zone: Zone) -> Int64 {
        zone.start(ofLocalDay: day + 1) + LakeLimits.settleMilliseconds
    }

    static func isSettled(_ day: Int64, zone: Zone, nowMilliseconds: Int64) -> Bool {
        nowMilliseconds >= self.settles(day, zone: zone)
    }
}
