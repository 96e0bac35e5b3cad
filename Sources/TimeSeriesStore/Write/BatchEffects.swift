package import Monitoring

/// A message that could not be read as a whole, with what it said.
package struct DeadLetter: Sendable {
    package var receivedMilliseconds: Int64
    package var topic: String
    package var station: String?
    package var reason: DeadLetterReason
    package var detail: String
    /// Size of the whole payload.
    package var byteCount: Int
    /// The payload, or its beginning when it is over the limit.
    package var payload: [UInt8]
    /// SHA-256 of the whole payload in hexadecimal, when `payload` is only its beginning.
    package var sha256: String?

    package init(
        receivedMilliseconds: Int64, topic: String, station: String?, reason: DeadLetterReason, detail: String,
        byteCount: Int, payload: [UInt8], sha256: String?
    ) {
        self.receivedMilliseconds = receivedMilliseconds
        self.topic = topic
        self.station = station
        self.reason = reason
        self.detail = detail
        self.byteCount = byteCount
        self.payload = payload
        self.sha256 = sha256
    }

    /// Bytes of a payload that are kept.
    package static let payloadBytesMax = StoreLimits.deadLetterPayloadBytesMax
}

/// A value that was set aside while its message was stored.
package struct QuarantinedValue: Sendable {
    package var receivedMilliseconds: Int64
    package var station: String
    package var parameter: String
    /// The device time it claimed.
    package var timeMilliseconds: Int64
    package var value: Double?
    /// What stood there when it was no number.
    package var text: String?
    package var status: String
    package var reason: QuarantineReason

    package init(
        receivedMilliseconds: Int64, station: String, parameter: String, timeMilliseconds: Int64, value: Double?,
        text: String?, status: String, reason: QuarantineReason
    ) {
        self.receivedMilliseconds = receivedMilliseconds
        self.station = station
        self.parameter = parameter
        self.timeMilliseconds = timeMilliseconds
        self.value = value
        self.text = text
        self.status = status
        self.reason = reason
    }
}

/// What happens to an incident.
///
/// `subject` is what it is about: `series:12`, `station:3` or `service`.
package enum IncidentChange: Sendable {
    case open(
        id: Int64, name: String, rule: String, subject: String, series: Int32?, station: Int32?, severity: String,
        openedMilliseconds: Int64, sinceMilliseconds: Int64, value: Double?, bound: Double?, foundLate: Bool,
        detail: String)
    /// It began again soon after it was cleared, and nobody had closed it.
    case reopened(name: String)
    /// People were told.
    case paged(rule: String, subject: String, atMilliseconds: Int64)
    case cleared(rule: String, subject: String, atMilliseconds: Int64)
}

/// A message to somebody, delivered at least once.
package struct OutboxMessage: Sendable, Equatable {
    /// The idempotency key: the same transition has the same key, after a crash as well.
    package var key: String
    package var channel: String
    /// JSON, as it is sent.
    package var body: String
    package var createdMilliseconds: Int64

    package init(key: String, channel: String, body: String, createdMilliseconds: Int64) {
        self.key = key
        self.channel = channel
        self.body = body
        self.createdMilliseconds = createdMilliseconds
    }
}

/// Everything but the readings that a batch writes, in the batch's own transaction.
package struct BatchEffects: Sendable {
    package var deadLetters: [DeadLetter] = []
    package var quarantined: [QuarantinedValue] = []
    package var incidents: [IncidentChange] = []
    package var outbox: [OutboxMessage] = []
    /// Presence as devices tell it: station number, online, the payload.
    package var presence: [(station: Int32, online: Bool, detail: String)] = []
    /// Weigh tickets, blasts: station number, kind, id, payload.
    package var events: [(station: Int32, kind: String, id: String, payload: String)] = []

    package init() {}

    package var isEmpty: Bool {
        self.deadLetters.isEmpty && self.quarantined.isEmpty && self.incidents.isEmpty && self.outbox.isEmpty
            && self.presence.isEmpty && self.events.isEmpty
    }
}
