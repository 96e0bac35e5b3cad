import TimeSeriesStore

/// Every bound of the HTTP API (invariant I12).
///
/// Names end in their unit, then min or max.
enum WebLimits {
    /// Rows of one answer; the rest is asked for from `next` on.
    static let answerRowsMax = 100_000
    /// Rows read in one transaction.
    static let pageRows = StoreLimits.pageRowsMax
    /// Reads at a time: the store has three reading connections, and one is left for the service itself.
    static let readsAtOnceMax = 2
    /// Requests that may wait for a read; further ones are told to come back.
    static let readsWaitingMax = 64
    /// An answer that has been read for this long ends at the page it is at, with `next`.
    static let readMillisecondsMax = 2_000
    /// Seconds after which a refused client should try again.
    static let retryAfterSeconds = 1
    static let connectionsMax = 512
    /// Incidents in one answer, the newest.
    static let incidentRowsMax = 10_000
    /// How long the list of stations with their last readings is served again without reading it anew.
    static let stationListAgeMillisecondsMax = 1_000
    static let queryBytesMax = 4_096

    static let checked: Void = precondition(pageRows < answerRowsMax && readsAtOnceMax < readsWaitingMax)
}
