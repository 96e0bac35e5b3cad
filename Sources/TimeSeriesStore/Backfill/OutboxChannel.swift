/// Who delivers a message of the outbox.
///
/// Channels of rules are named by a person, in letters, digits, `.`, `_` and `-`; a station's command channel begins
/// with something no such name can hold.
package enum OutboxChannel {
    private static let stationPrefix = "mqtt:"
    /// The first text behind all that begin with the prefix.
    private static let stationEnd = "mqtt;"

    /// Where commands for a station go; drained by the ingest's outgoing client.
    package static func station(_ id: String) -> String { self.stationPrefix + id }

    /// The station of a channel; nil when it is a person's.
    package static func station(of channel: String) -> String? {
        channel.hasPrefix(self.stationPrefix) ? String(channel.dropFirst(self.stationPrefix.count)) : nil
    }

    /// Conditions on the column, for the two who drain the outbox.
    static let isCommand = "channel >= '\(stationPrefix)' AND channel < '\(stationEnd)'"
    static let isNotice = "NOT (\(isCommand))"
}
