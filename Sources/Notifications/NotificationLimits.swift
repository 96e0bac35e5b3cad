/// Every bound of delivery (invariant I12).
///
/// Names end in their unit, then min or max.
enum NotificationLimits {
    /// Channels that are written to at the same time.
    static let channelsAtOnceMax = 16
    /// Messages of one channel read from the store in one go.
    static let pageRows = 64
    /// How long a receiver may take to answer.
    static let requestSecondsMax: Int64 = 10
    static let connectSecondsMax: Int64 = 5
    /// Of an answer; what is longer is not read, and the connection is closed.
    static let answerBytesMax = 64 << 10
    static let firstRetryMilliseconds: Int64 = 1_000
    static let retryMillisecondsMax: Int64 = 300_000
    /// How often the outbox is looked at when nobody rings: catches retries that have become due.
    static let scanMilliseconds: Int64 = 1_000
    static let heartbeatMilliseconds: Int64 = 60_000
    /// Characters of an error kept with a message.
    static let errorCharactersMax = 200
}
