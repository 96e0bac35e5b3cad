import Monitoring
import NIOCore

/// Writes JSON as bytes: nothing is allocated per value.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    /// Whether the next value of the array or object under way needs a comma before it.
    private var needsComma = false

    init(reservingBytes: Int = 1_024) { self.bytes.reserveCapacity(reservingBytes) }

    /// What was written, as an answer's body.
    var buffer: ByteBuffer { ByteBuffer(bytes: self.bytes) }

    mutating func beginObject() { self.open("{") }
    mutating func endObject() { self.close("}") }
    mutating func beginArray() { self.open("[") }
    mutating func endArray() { self.close("]") }

    /// Writes a member's name; its value follows.
    mutating func key(_ name: StaticString) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    mutating func value(_ text: String?) {
        guard let text else { return self.null() }
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { self.appendEscaped(byte) }
        self.bytes.append(UInt8(ascii: "\""))
    }

    mutating func value(_ status: Status) {
        self.separate()
        self.bytes.append(UInt8(ascii: "\""))
        var rest = status.packed
        while rest != 0 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// JSON knows neither infinity nor NaN; both become null.
    mutating func value(_ number: Double?) {
        guard let number, number.isFinite else { return self.null() }
        self.separate()
        NumberText.append(number, to: &self.bytes)
    }

    mutating func value(_ number: Int64?) {
        guard let number else { return self.null() }
        self.separate()
        NumberText.append(number, to: &self.bytes)
    }

    mutating func value(_ number: Int?) { self.value(number.map { Int64($0) }) }

    mutating func value(_ flag: Bool) {
        self.separate()
        self.bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
    }

    mutating func null() {
        self.separate()
        self.bytes.append(contentsOf: "null".utf8)
    }

    private mutating func separate() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
        self.needsComma = true
    }

    private mutating func open(_ bracket: Unicode.Scalar) {
        self.separate()
        self.bytes.append(UInt8(ascii: bracket))
        self.needsComma = false
    }

    private mutating func close(_ bracket: Unicode.Scalar) {
        self.bytes.append(UInt8(ascii: bracket))
        self.needsComma = true
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            self.bytes.append(UInt8(ascii: "\\"))
            self.bytes.append(byte)
        case UInt8(ascii: "\n"): self.bytes.append(contentsOf: "\\n".utf8)
        case 0..<0x20:
            self.bytes.append(contentsOf: "\\u00".utf8)
            for digit in [byte >> 4, byte & 15] {
                self.bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        default: self.bytes.append(byte)
        }
    }
}
