/// Where a rule stands at one series.
///
/// Plain bytes without references: copying it is staging it.
package struct RuleState: Sendable, Hashable, BitwiseCopyable {
    /// The four states of a value alert.
    package enum Phase: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
        /// Not breached, nothing open.
        case normal = 0
        /// Breached, not yet for long enough.
        case pending = 1
        /// An incident is open.
        case firing = 2
        /// An incident is open, the value has recovered, not yet for long enough.
        case clearing = 3
    }

    /// Device time of the newest reading seen, of any status; `Int64.min` before the first.
    package internal(set) var newestMilliseconds: Int64
    /// The last value that counted (status 00); 0 before the first.
    package internal(set) var lastValue: Double
    /// When the breach began: device time of the first reading of its run; means something outside `normal`.
    package internal(set) var sinceMilliseconds: Int64
    /// When the recovery began; means something in `clearing`.
    package internal(set) var recoveringSinceMilliseconds: Int64
    /// The newest incident's identity within its rule and series; `Int64.min` for none.
    ///
    /// It is the device time of the reading that opened it.
    package internal(set) var openedAtMilliseconds: Int64
    /// When the newest incident cleared; means something in `normal` and `pending`.
    package internal(set) var clearedAtMilliseconds: Int64
    /// How many transitions the newest incident has had; what makes each one's notice unmistakable.
    package internal(set) var transitions: UInt32
    package internal(set) var phase: Phase
    /// Whether somebody was paged since it last began to fire.
    package internal(set) var isPaged: Bool
    /// Whether it last began to fire on a late reading.
    package internal(set) var isFoundLate: Bool
    /// Whether a person has closed the newest incident: a new breach then opens a new one.
    package internal(set) var isClosed: Bool

    /// Nothing known of the series but, perhaps, the time of its newest reading.
    package init(newestMilliseconds: Int64 = .min) {
        self.newestMilliseconds = newestMilliseconds
        self.lastValue = 0
        self.sinceMilliseconds = 0
        self.recoveringSinceMilliseconds = 0
        self.openedAtMilliseconds = .min
        self.clearedAtMilliseconds = 0
        self.transitions = 0
        self.phase = .normal
        self.isPaged = false
        self.isFoundLate = false
        self.isClosed = false
    }

    /// Whether an incident of this rule and series is open (its machine track is not cleared).
    package var isOpen: Bool { self.phase == .firing || self.phase == .clearing }

    /// Whether forgetting everything but `newestMilliseconds` changes no later transition: then a snapshot need not
    /// keep it.
    ///
    /// An incident that can no longer be re-opened is forgotten too, once the series has moved on for so long.
    package var isIdle: Bool {
        guard self.phase == .normal else { return false }
        guard self.openedAtMilliseconds != .min else { return true }
        return self.isClosed
            || self.newestMilliseconds &- self.clearedAtMilliseconds > AlertingLimits.reopenMillisecondsMax
    }
}

extension RuleState {
    /// The version the bytes begin with.
    package static let encodingVersion: UInt8 = 1
    /// Length of `encoded`: version, phase, flags, one byte of zero, transitions, six words of 8; little endian.
    package static let encodedBytes = 56

    private enum Flag {
        static let paged: UInt8 = 1
        static let foundLate: UInt8 = 2
        static let closed: UInt8 = 4
        static let known: UInt8 = 7
    }

    /// Appends the state as exactly `encodedBytes` bytes, the same on every machine.
    package func encode(to bytes: inout [UInt8]) {
        var flags: UInt8 = 0
        if self.isPaged { flags |= Flag.paged }
        if self.isFoundLate { flags |= Flag.foundLate }
        if self.isClosed { flags |= Flag.closed }
        bytes.append(Self.encodingVersion)
        bytes.append(self.phase.rawValue)
        bytes.append(flags)
        bytes.append(0)
        append(self.transitions, to: &bytes)
        append(self.newestMilliseconds, to: &bytes)
        append(self.lastValue.bitPattern, to: &bytes)
        append(self.sinceMilliseconds, to: &bytes)
        append(self.recoveringSinceMilliseconds, to: &bytes)
        append(self.openedAtMilliseconds, to: &bytes)
        append(self.clearedAtMilliseconds, to: &bytes)
    }

    /// The state as `encodedBytes` bytes.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.encodedBytes)
        self.encode(to: &bytes)
        return bytes
    }

    /// Fails on another length, an unknown version, phase or flag.
    package init?(encoded bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.encodedBytes, bytes[0] == Self.encodingVersion, bytes[3] == 0,
            let phase = Phase(rawValue: bytes[1]), bytes[2] & ~Flag.known == 0
        else { return nil }
        func word(_ index: Int) -> UInt64 {
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 + index * 8, as: UInt64.self))
        }
        self.phase = phase
        self.isPaged = bytes[2] & Flag.paged != 0
        self.isFoundLate = bytes[2] & Flag.foundLate != 0
        self.isClosed = bytes[2] & Flag.closed != 0
        self.transitions = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        self.newestMilliseconds = Int64(bitPattern: word(0))
        self.lastValue = Double(bitPattern: word(1))
        self.sinceMilliseconds = Int64(bitPattern: word(2))
        self.recoveringSinceMilliseconds = Int64(bitPattern: word(3))
        self.openedAtMilliseconds = Int64(bitPattern: word(4))
        self.clearedAtMilliseconds = Int64(bitPattern: word(5))
    }

    /// Fails as the other one does.
    package init?(encoded bytes: [UInt8]) {
        guard let state = bytes.withUnsafeBytes({ RuleState(encoded: $0) }) else { return nil }
        self = state
    }
}

private func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
}
