/// How long to wait before a message is tried again: 1 s, doubled up to 5 min, a little less for some.
///
/// The jitter is a function of the message and the attempt: many messages that failed together are not tried together,
/// and a test can say when.
package enum Backoff {
    /// - Parameters:
    ///   - attempt: 1 after the first failure.
    ///   - id: The message's number.
    /// - Returns: From three quarters of the doubled time to all of it.
    package static func delayMilliseconds(attempt: Int, id: Int64) -> Int64 {
        let doublings = min(max(attempt - 1, 0), 16)
        let whole = min(NotificationLimits.firstRetryMilliseconds << doublings, NotificationLimits.retryMillisecondsMax)
        var mixed = UInt64(bitPattern: id) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(doublings)
        mixed = (mixed ^ (mixed >> 31)) &* 0xBF58_476D_1CE4_E5B9
        mixed ^= mixed >> 29
        return whole - Int64(mixed % UInt64(whole / 4 + 1))
    }
}
