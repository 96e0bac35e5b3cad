/// The layout of a frame, the blob of one journal row: a header, then messages one after another.
///
/// All integers are little-endian. `varint` is LEB128 of an unsigned number; `zigzag` maps signed numbers to it.
///
/// | bytes | header field |
/// |---|---|
/// | 8 | checksum of everything behind it |
/// | 1 | version |
/// | 1 | kind |
/// | 2 | 0 |
/// | 4 | number of messages |
/// | 8 | receipt time, ms since 1970 |
/// | 8, 8 | the last time we were not caught up: from, to (ms; equal when there is none) |
///
/// A message is: varint station number, a byte of flags, varint number of quarantined values, with a sequence number
/// varint seq and boot (length byte, bytes), then unless it is a dead letter varint number of samples, and per sample
/// zigzag (time − receipt), varint `readings << 1 | all measuring`, and per reading zigzag step of the series number, 8
/// bytes of the value and, unless all are measuring, varint status.
enum FrameLayout {
    static let version: UInt8 = 1
    static let headerBytes = 40
    static let checksumBytes = 8
    static let versionOffset = 8
    static let kindOffset = 9
    static let messageCountOffset = 12
    static let receivedOffset = 16
    static let outageFromOffset = 24
    static let outageToOffset = 32
}

/// What a journal row is for.
package enum FrameKind: UInt8, Sendable {
    /// Messages that arrived together.
    case messages = 1
    /// The clock moved on and that caused a transition.
    case tick = 2
    /// Rules or registry changed.
    case change = 3
}

/// What is said of a message as a whole.
package struct MessageFlags: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let numbered = MessageFlags(rawValue: 1)
    package static let qos0 = MessageFlags(rawValue: 2)
    package static let history = MessageFlags(rawValue: 4)
    package static let deadLetter = MessageFlags(rawValue: 8)
    /// Brought back from the dead letters or the quarantine by a person: no alert is judged by it.
    package static let released = MessageFlags(rawValue: 16)
    /// History out of a file: no alert is judged by it.
    package static let imported = MessageFlags(rawValue: 32)

    /// Whether rules are judged by its readings: by what stations send, not by what people bring.
    package var mayAlert: Bool { self.isDisjoint(with: [.released, .imported]) }
}

/// The part of a frame that holds for all its messages.
package struct FrameHeader: Sendable, Equatable {
    package var kind: FrameKind
    package var receivedMilliseconds: Int64
    /// The last interval in which we were not caught up with the broker; empty when there was none (invariant I10).
    package var outageFromMilliseconds: Int64
    package var outageToMilliseconds: Int64
    package var messageCount: Int

    package init(
        kind: FrameKind, receivedMilliseconds: Int64, outageFromMilliseconds: Int64 = 0,
        outageToMilliseconds: Int64 = 0, messageCount: Int = 0
    ) {
        self.kind = kind
        self.receivedMilliseconds = receivedMilliseconds
        self.outageFromMilliseconds = outageFromMilliseconds
        self.outageToMilliseconds = outageToMilliseconds
        self.messageCount = messageCount
    }
}

/// A frame that is not what it should be.
package struct FrameError: Error, Sendable, CustomStringConvertible {
    package let sequence: Int64
    package let detail: String
    package var description: String { "journal frame \(self.sequence): \(self.detail)" }
}
