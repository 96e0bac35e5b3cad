import Monitoring

/// Every bound of alerting (invariant I12).
///
/// Names end in their unit, then min or max.
package enum AlertingLimits {
    package static let rulesMax = 4_096
    package static let channelsMax = 256
    /// Channels one rule may notify.
    package static let notifyMax = 32
    package static let headersMax = 16
    package static let identifierBytesMax = 64
    package static let webhookBytesMax = 2_048
    package static let headerBytesMax = 4_096
    /// `for`, `clearFor` and `lateAfter`; longer than any licence period that is judged reading by reading.
    package static let durationMillisecondsMax = 400 * Civil.millisecondsPerDay
    /// A new breach this long after an incident cleared, while nobody has closed it, re-opens it.
    package static let reopenMillisecondsMax = Civil.millisecondsPerDay
    /// The least lateness that counts, whatever the interval (invariant I10).
    package static let lateAfterMillisecondsMin = 10 * Civil.millisecondsPerMinute
    /// How many intervals late is late (invariant I10).
    package static let lateAfterIntervals: Int64 = 3
    /// For how long, by our clock, everything of a station must have come late before that is an incident of its own.
    package static let allLateMillisecondsMin = Civil.millisecondsPerHour
    /// And in how many messages.
    package static let allLateMessagesMin: UInt32 = 3
}
