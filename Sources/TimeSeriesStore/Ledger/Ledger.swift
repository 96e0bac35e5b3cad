/// What happened to the messages and readings a station sent, on one local day of receipt (invariant I5).
///
/// Messages: received = decoded + deadLettered + repeated. Readings: readings + quarantined values were decoded; of
/// `readings`, stored + duplicate + revised are merged and the rest is undecided.
package struct LedgerCounts: Sendable, Hashable {
    package var received = 0
    package var decoded = 0
    package var deadLettered = 0
    package var repeated = 0
    package var qos0 = 0
    package var readings = 0
    package var quarantined = 0
    package var stored = 0
    package var duplicate = 0
    package var revised = 0

    package init() {}

    /// Every message has one fate.
    package var messagesBalance: Bool { self.received == self.decoded + self.deadLettered + self.repeated }
    /// Readings that are in the journal and not yet merged.
    package var undecided: Int { self.readings - self.stored - self.duplicate - self.revised }

    static func += (lhs: inout LedgerCounts, rhs: LedgerCounts) {
        lhs.received += rhs.received
        lhs.decoded += rhs.decoded
        lhs.deadLettered += rhs.deadLettered
        lhs.repeated += rhs.repeated
        lhs.qos0 += rhs.qos0
        lhs.readings += rhs.readings
        lhs.quarantined += rhs.quarantined
        lhs.stored += rhs.stored
        lhs.duplicate += rhs.duplicate
        lhs.revised += rhs.revised
    }
}

/// A row of the ledger: station number (0: unknown) and local day of receipt, as days since 1970-01-01.
package struct LedgerKey: Sendable, Hashable {
    package var station: Int32
    package var day: Int64
}
