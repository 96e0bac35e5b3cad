package import Monitoring

/// What became of a message as a whole.
package enum DecodeOutcome: Sendable, Hashable {
    /// It could be read; each of its values has a fate of its own.
    case message
    /// It could not.
    ///
    /// The detail is for people: it says what was found and is not parsed by anybody.
    case deadLetter(DeadLetterReason, detail: String)
}

/// One device time and the values measured then.
package struct DecodedSample: Sendable {
    /// Claimed device time, milliseconds since 1970; not compared with any clock yet, but within ±2^62.
    package let timeMilliseconds: Int64
    /// Where its values are in `TelemetryDecoder.values`, half-open.
    package let valueStart: Int32
    package let valueEnd: Int32
}

/// One value of a message.
package struct DecodedValue: Sendable {
    /// Finite unless `reason` says otherwise: infinite when it is not finite, NaN when it is no number.
    package var value: Double
    /// What the device said; `measuring` when it said nothing, `none` when what it said is no status.
    package var status: Status
    /// Position in `Registry.series`; -1 for an unknown parameter.
    package var seriesIndex: Int32
    /// Where its name is on the tape; the value follows it.
    var nameIndex: Int32
    /// Where its status is on the tape, when it is a bad one; else 0.
    var statusIndex: Int32
    /// 0, or the `QuarantineReason.rawValue` that sets it aside.
    ///
    /// Of several, the first one that applies of: unknown parameter, null / not finite / not a number, bad status.
    package var reason: UInt8

    /// The status of a value whose own one could not be read.
    package static var none: Status { Status(packed: 0) }
}
