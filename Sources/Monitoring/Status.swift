/// What a device says of a value: 1–8 characters `[0-9A-Za-z]`, packed into one word so that a reading needs no
/// allocation.
///
/// The codes 00–02 are those of the Vietnamese station files (TT 10/2021/TT-BTNMT, Phụ lục 15, read in secondary
/// sources); any other code is kept as sent.
package struct Status: Sendable, Hashable, CustomStringConvertible {
    /// The characters, first one in the lowest byte; unused bytes are 0.
    package let packed: UInt64

    @inlinable
    package init(packed: UInt64) { self.packed = packed }

    /// Fails on an empty text, more than 8 characters, or a character outside `[0-9A-Za-z]`.
    package init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
        guard (1...8).contains(bytes.count) else { return nil }
        var packed: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                packed |= UInt64(byte) << UInt64(index * 8)
            default: return nil
            }
        }
        self.packed = packed
    }

    package init?(_ text: String) {
        var text = text
        guard let status = text.withUTF8({ Status(ascii: $0) }) else { return nil }
        self = status
    }

    // Computed, and inlined into other modules: asked for every reading.
    @inlinable package static var measuring: Status { Status(packed: 0x3030) }
    @inlinable package static var calibrating: Status { Status(packed: 0x3130) }
    @inlinable package static var fault: Status { Status(packed: 0x3230) }
    /// Whether a value of this status enters a mean and may raise an alert (invariant I14).
    @inlinable package var isMeasuring: Bool { self.packed == 0x3030 }

    package var description: String {
        var bytes: [UInt8] = []
        var rest = self.packed
        while rest != 0 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
