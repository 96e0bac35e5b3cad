/// A number that JSON allows and simdjson cannot hold.
struct OddNumber {
    /// Its position among the numbers of the document.
    var ordinal: Int
    /// Where it is on the tape.
    var tapeIndex: Int
    /// The nearest double: infinite when it is beyond all doubles.
    var value: Double
    /// As the device wrote it, cut to `Limits.quotedBytesMax`.
    var text: String
}

/// Finds the numbers of a JSON text that simdjson cannot hold, and writes a 0 and blanks over them.
///
/// It only has to be right for texts that are JSON: on others the rewritten text is as little JSON as the original,
/// because a well-formed number is replaced by a well-formed number, and nothing else changes.
struct OddNumberScan {
    /// The text with the odd numbers overwritten.
    private(set) var rewritten: [UInt8]
    /// In the order of the text.
    private(set) var found: [OddNumber] = []
    private var position = 0
    private var numbers = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.rewritten = Array(bytes) }

    mutating func run() {
        while self.position < self.rewritten.count {
            switch self.rewritten[self.position] {
            case UInt8(ascii: "\""): self.skipText()
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): self.takeNumber()
            default: self.position += 1
            }
        }
    }

    private mutating func skipText() {
        self.position += 1
        while self.position < self.rewritten.count {
            let byte = self.rewritten[self.position]
            self.position += byte == UInt8(ascii: "\\") ? 2 : 1
            if byte == UInt8(ascii: "\"") { return }
        }
    }

    private mutating func takeNumber() {
        let start = self.position
        while self.position < self.rewritten.count, isNumberByte(self.rewritten[self.position]) { self.position += 1 }
        let ordinal = self.numbers
        self.numbers += 1
        let token = self.rewritten[start..<self.position]
        guard let kind = numberKind(token) else { return }
        let text = String(decoding: token, as: UTF8.self)
        // Swift's `Double` reads any length, rounds correctly, and returns an infinity beyond its range.
        guard let value = Double(text) else { return }
        switch kind {
        case .integer: guard Int64(text) == nil, UInt64(text) == nil else { return }
        case .fraction: guard !value.isFinite else { return }
        }
        let quoted = String(decoding: token.prefix(Limits.quotedBytesMax), as: UTF8.self)
        self.found.append(OddNumber(ordinal: ordinal, tapeIndex: 0, value: value, text: quoted))
        self.rewritten[start] = UInt8(ascii: "0")
        for index in (start + 1)..<self.position { self.rewritten[index] = UInt8(ascii: " ") }
    }
}

private enum NumberKind {
    case integer
    case fraction
}

private func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
        UInt8(ascii: "e"), UInt8(ascii: "E"):
        true
    default: false
    }
}

/// Which kind of number of RFC 8259 a token is; nil when it is none.
///
/// The grammar: `-? (0 | [1-9][0-9]*) (\.[0-9]+)? ([eE][+-]?[0-9]+)?`.
private func numberKind(_ token: ArraySlice<UInt8>) -> NumberKind? {
    var rest = token
    var kind = NumberKind.integer
    if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
    if rest.first == UInt8(ascii: "0") {
        rest.removeFirst()
    } else {
        guard dropDigits(&rest) else { return nil }
    }
    if rest.first == UInt8(ascii: ".") {
        rest.removeFirst()
        kind = .fraction
        guard dropDigits(&rest) else { return nil }
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
        rest.removeFirst()
        kind = .fraction
        if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        guard dropDigits(&rest) else { return nil }
    }
    return rest.isEmpty ? kind : nil
}

/// Drops the digits at the start; false when there is none.
private func dropDigits(_ rest: inout ArraySlice<UInt8>) -> Bool {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    rest = rest[digits.endIndex...]
    return !digits.isEmpty
}
