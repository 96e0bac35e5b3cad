extension Tape {
    /// How deep arrays and objects nest; 0 for a document that is a single scalar.
    func depth() -> Int {
        var depth = 0
        var deepest = 0
        var index = Tape.root
        let end = Int(self.words[0] & 0x00FF_FFFF_FFFF_FFFF) - 1
        while index < end {
            switch self.type(at: index) {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                deepest = max(deepest, depth)
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                index += 1
            default: index = self.next(after: index)
            }
        }
        return deepest
    }
}

extension TelemetryDecoder {
    /// The name a value came under; for quarantine rows.
    ///
    /// Allocates; valid only before the next decode.
    package func parameterName(of value: DecodedValue) -> String {
        quoted(self.parser.tape.text(at: Int(value.nameIndex)))
    }

    /// The JSON text of a value that is no finite number, else nil; for quarantine rows.
    ///
    /// Allocates; as above.
    package func rawValue(of value: DecodedValue) -> String? {
        value.value.isFinite ? nil : self.rawText(at: Int(value.nameIndex) + 1)
    }

    /// The JSON text of a status that is none (a text without its quotes), else nil.
    ///
    /// Allocates; as above.
    package func rawStatus(of value: DecodedValue) -> String? {
        guard value.statusIndex != 0 else { return nil }
        let index = Int(value.statusIndex)
        guard self.parser.tape.type(at: index) == TapeType.text else { return self.rawText(at: index) }
        return quoted(self.parser.tape.text(at: index))
    }

    /// A value of the last document as compact JSON, cut to `Limits.quotedBytesMax`.
    func rawText(at index: Int) -> String {
        var bytes: [UInt8] = []
        self.append(index, to: &bytes)
        return bytes.withUnsafeBufferPointer { quoted($0) }
    }

    private func append(_ index: Int, to bytes: inout [UInt8]) {
        // One byte too many shows that something was cut.
        guard bytes.count <= Limits.quotedBytesMax else { return }
        let tape = self.parser.tape
        switch tape.type(at: index) {
        case TapeType.object, TapeType.array: self.appendContainer(index, to: &bytes)
        case TapeType.text: appendText(tape.text(at: index), to: &bytes)
        case TapeType.signed: bytes += "\(Int64(bitPattern: tape.numberBits(at: index)))".utf8
        case TapeType.unsigned: bytes += "\(tape.numberBits(at: index))".utf8
        case TapeType.double:
            let odd = self.parser.oddNumbers.first { $0.tapeIndex == index }
            bytes += (odd?.text ?? "\(Double(bitPattern: tape.numberBits(at: index)))").utf8
        case TapeType.yes: bytes += "true".utf8
        case TapeType.no: bytes += "false".utf8
        default: bytes += "null".utf8
        }
    }

    private func appendContainer(_ container: Int, to bytes: inout [UInt8]) {
        let tape = self.parser.tape
        let isObject = tape.type(at: container) == TapeType.object
        bytes.append(UInt8(ascii: isObject ? "{" : "["))
        var index = container + 1
        while index < tape.close(of: container), bytes.count <= Limits.quotedBytesMax {
            if index > container + 1 { bytes.append(UInt8(ascii: ",")) }
            if isObject {
                appendText(tape.text(at: index), to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                index += 1
            }
            self.append(index, to: &bytes)
            index = tape.next(after: index)
        }
        bytes.append(UInt8(ascii: isObject ? "}" : "]"))
    }
}

private func appendText(_ text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.prefix(Limits.quotedBytesMax) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            bytes += "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8
        default: bytes.append(byte)
        }
    }
    bytes.append(UInt8(ascii: "\""))
}

/// A text of at most `Limits.quotedBytesMax` bytes, cut between two characters, `…` where something is missing.
private func quoted(_ text: UnsafeBufferPointer<UInt8>) -> String {
    guard text.count > Limits.quotedBytesMax else { return String(decoding: text, as: UTF8.self) }
    var end = Limits.quotedBytesMax
    while end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
    return String(decoding: text[..<end], as: UTF8.self) + "…"
}
