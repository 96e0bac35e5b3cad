/// Every bound of the simulator's program.
///
/// Names end in their unit, then min or max.
enum Limits {
    /// Messages of one connection without their PUBACK: enough to keep a broker busy over a round trip.
    ///
    /// At each PUBACK
    /// libmosquitto 2.0.11 walks over all of them: with 1,000 that is a third of this program's time (measured).
    static let windowMessagesUsual = 250
    /// The most that may be asked for.
    ///
    /// Packet identifiers are 16 bits wide, so a window may never come near 65,535.
    static let windowMessagesMax = 20_000
    /// Samples in the memories of all stations together; beyond it a fast clock waits for the link.
    static let bufferedSamplesMax = 2_000_000
    /// Samples taken before the links get their turn again.
    static let samplesPerTurnMax = 5_000
    /// Reconnecting waits from a quarter of a second up to this.
    static let backOffMillisecondsMin: Int64 = 250
    static let backOffMillisecondsMax: Int64 = 5_000
    /// A CONNECT that is not answered for so long is given up.
    static let connectMillisecondsMax: Int64 = 10_000
    /// After Ctrl-C, messages on their way get so long for their PUBACK.
    static let goodbyeMillisecondsMax: Int64 = 3_000
    /// At the end, what `stored` does not speak of is sent again so often.
    static let unconfirmedMilliseconds: Int64 = 3_000
    static let keepAliveSeconds: Int32 = 60
    static let truthBufferBytesMax = 256 << 10
    /// A line of a CSV file.
    static let lineBytesMax = 1 << 20
    static let checked: Void = precondition(windowMessagesUsual <= windowMessagesMax && windowMessagesMax < 60_000)
}
