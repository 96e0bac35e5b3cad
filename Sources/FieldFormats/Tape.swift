/// Types of the words of simdjson's tape.
enum TapeType {
    static var object: UInt8 { UInt8(ascii: "{") }
    static var array: UInt8 { UInt8(ascii: "[") }
    static var text: UInt8 { UInt8(ascii: "\"") }
    static var signed: UInt8 { UInt8(ascii: "l") }
    static var unsigned: UInt8 { UInt8(ascii: "u") }
    static var double: UInt8 { UInt8(ascii: "d") }
    static var null: UInt8 { UInt8(ascii: "n") }
    static var yes: UInt8 { UInt8(ascii: "t") }
    static var no: UInt8 { UInt8(ascii: "f") }
}

/// A parsed document: simdjson's tape, walked by index.
///
/// The layout is described in `CSimdJSON.h`.
///
/// A node's index is the position of its first word. 0 is the root word, so it serves as "absent".
struct Tape {
    let words: UnsafeMutablePointer<UInt64>
    let strings: UnsafePointer<UInt8>

    /// The only value of the document.
    static var root: Int { 1 }

    @inline(__always)
    func type(at index: Int) -> UInt8 { UInt8(truncatingIfNeeded: self.words[index] >> 56) }

    @inline(__always)
    func isContainer(at index: Int) -> Bool {
        let type = self.type(at: index)
        return type == TapeType.object || type == TapeType.array
    }

    /// The index of the word that closes an object or array.
    @inline(__always)
    func close(of container: Int) -> Int { Int(UInt32(truncatingIfNeeded: self.words[container])) - 1 }

    /// The index after a value.
    @inline(__always)
    func next(after index: Int) -> Int {
        switch self.type(at: index) {
        case TapeType.object, TapeType.array: self.close(of: index) + 1
        case TapeType.signed, TapeType.unsigned, TapeType.double: index + 2
        default: index + 1
        }
    }

    /// The word beside a number's type.
    @inline(__always)
    func numberBits(at index: Int) -> UInt64 { self.words[index + 1] }

    /// A number as a double; nil for everything else.
    ///
    /// Infinite for a number that no double can hold.
    @inline(__always)
    func number(at index: Int) -> Double? {
        switch self.type(at: index) {
        case TapeType.double: Double(bitPattern: self.numberBits(at: index))
        case TapeType.signed: Double(Int64(bitPattern: self.numberBits(at: index)))
        case TapeType.unsigned: Double(self.numberBits(at: index))
        default: nil
        }
    }

    /// The unescaped bytes of a text or key.
    @inline(__always)
    func text(at index: Int) -> UnsafeBufferPointer<UInt8> {
        let start = self.textStart(at: index)
        return UnsafeBufferPointer(start: start + 4, count: self.textLength(start))
    }

    /// A text or key, ready to be looked up.
    @inline(__always)
    func name(at index: Int) -> Name {
        let start = self.textStart(at: index)
        return Name(padded: start + 4, count: self.textLength(start))
    }

    /// Where the length of a text lies; its bytes follow.
    @inline(__always)
    private func textStart(at index: Int) -> UnsafePointer<UInt8> {
        self.strings + Int(self.words[index] & 0x00FF_FFFF_FFFF_FFFF)
    }

    @inline(__always)
    private func textLength(_ start: UnsafePointer<UInt8>) -> Int {
        Int(UnsafeRawPointer(start).loadUnaligned(as: UInt32.self))
    }
}
