/// Whether all that a station sends comes late: then none of its value alerts can page, and somebody must know (I10).
///
/// A slow clock looks like this, and so does a link that is never caught up. A backlog that is being delivered does
/// not, unless it takes longer than `AlertingLimits.allLateMillisecondsMin`.
package struct StationLateness: Sendable, Hashable, BitwiseCopyable {
    /// What an observation changed.
    package enum Change: Sendable, Hashable, BitwiseCopyable {
        /// Since this receipt, everything was late; the newest reading by so much.
        case opened(sinceMilliseconds: Int64, latenessMilliseconds: Int64)
        /// A reading came on time again.
        case cleared
    }

    /// Whether its incident is open.
    package private(set) var isOpen: Bool
    private var lateMessages: UInt32 = 0
    private var firstLateMilliseconds: Int64 = 0

    /// Nothing seen since the start.
    ///
    /// - Parameter isOpen: Whether the store has an open incident of this station; all else may be forgotten by a
    ///   restart.
    package init(isOpen: Bool = false) { self.isOpen = isOpen }

    /// Takes the next message of the station.
    ///
    /// - Parameters:
    ///   - receivedMilliseconds: By our clock.
    ///   - latenessMilliseconds: Of the message's newest reading, when it is newer than every earlier one of the
    ///     station; see `lateness(receivedMilliseconds:timeMilliseconds:outage:)`. What repeats or fills gaps says
    ///     nothing here.
    ///   - lateAfterMilliseconds: See `defaultLateAfter(intervalMilliseconds:)`.
    /// - Returns: What changed, if anything did.
    package mutating func observe(
        receivedMilliseconds: Int64, latenessMilliseconds: Int64, lateAfterMilliseconds: Int64
    ) -> Change? {
        guard latenessMilliseconds > lateAfterMilliseconds else {
            let wasOpen = self.isOpen
            self = StationLateness()
            return wasOpen ? .cleared : nil
        }
        guard !self.isOpen else { return nil }
        if self.lateMessages == 0 { self.firstLateMilliseconds = receivedMilliseconds }
        if self.lateMessages < .max { self.lateMessages += 1 }
        guard self.lateMessages >= AlertingLimits.allLateMessagesMin,
            receivedMilliseconds &- self.firstLateMilliseconds >= AlertingLimits.allLateMillisecondsMin
        else { return nil }
        self.isOpen = true
        return .opened(
            sinceMilliseconds: self.firstLateMilliseconds, latenessMilliseconds: latenessMilliseconds)
    }
}
