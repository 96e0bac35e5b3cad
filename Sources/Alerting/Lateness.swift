/// A time in which we were not caught up with the broker: from the last moment we were to the moment we were again.
///
/// Half-open `[from, to)`; `to` is `Int64.max` while it lasts.
package struct Outage: Sendable, Hashable {
    package var fromMilliseconds: Int64
    package var toMilliseconds: Int64

    package init(fromMilliseconds: Int64, toMilliseconds: Int64 = .max) {
        self.fromMilliseconds = fromMilliseconds
        self.toMilliseconds = toMilliseconds
    }
}

/// How late a reading came, leaving out the time that is our own fault (invariant I10); negative when it came early.
///
/// Only the part of the outage between the reading's time and its receipt counts: an outage before it was measured, or
/// one that began after it came, excuses nothing.
package func lateness(receivedMilliseconds: Int64, timeMilliseconds: Int64, outage: Outage?) -> Int64 {
    let age = receivedMilliseconds &- timeMilliseconds
    guard let outage, age > 0 else { return age }
    let from = max(timeMilliseconds, outage.fromMilliseconds)
    let to = min(receivedMilliseconds, outage.toMilliseconds)
    return to > from ? age &- (to &- from) : age
}

/// The lateness from which on a reading is late when its rule says nothing: three intervals, at least ten minutes.
package func defaultLateAfter(intervalMilliseconds: Int64?) -> Int64 {
    guard let intervalMilliseconds, intervalMilliseconds > 0 else { return AlertingLimits.lateAfterMillisecondsMin }
    let (intervals, overflow) = intervalMilliseconds.multipliedReportingOverflow(by: AlertingLimits.lateAfterIntervals)
    return overflow ? .max : max(intervals, AlertingLimits.lateAfterMillisecondsMin)
}

/// Whether a reading came too late to wake anybody (invariant I10).
package func isLate(
    receivedMilliseconds: Int64, timeMilliseconds: Int64, outage: Outage?, lateAfterMilliseconds: Int64?,
    intervalMilliseconds: Int64?
) -> Bool {
    let lateness = lateness(
        receivedMilliseconds: receivedMilliseconds, timeMilliseconds: timeMilliseconds, outage: outage)
    return lateness > lateAfterMilliseconds ?? defaultLateAfter(intervalMilliseconds: intervalMilliseconds)
}
