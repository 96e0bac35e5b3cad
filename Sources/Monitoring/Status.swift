/// What a device says of a value: 1–8 characters `[0-9A-Za-z]`, packed into one word so that a reading needs no
/// allocation.
///
/// The codes 00–02 are those of the Vietnamese station files (TT 10/2021/TT-BTNMT, Phụ lục 15, read in secondary
/// sources); any other code is kept as sent.
package struct Status: Sendable, Hashable, CustomStringConvertible {
    /// The characters, first one in the lowest byte; unused bytes are 0.
    package let packed: UInt64

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

    package static let measuring = Status(packed: 0x3030)
    package static let calibrating = Status(packed: 0x3130)
    package static let fault = Status(packed: 0x3230)

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
