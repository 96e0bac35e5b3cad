/// A JSON parser as the grammar has it: one function per rule, no speed, nothing shared with the code under test.
///
/// Unlike Foundation's it keeps what the fates depend on: repeated keys, their bytes, and numbers as they were written.
indirect enum NaiveJSON {
    case null
    case bool(Bool)
    case number(String)
    case text([UInt8])
    case array([NaiveJSON])
    case object([(key: [UInt8], value: NaiveJSON)])

    struct SyntaxError: Error {}

    init(_ bytes: [UInt8]) throws {
        var parser = NaiveParser(bytes: bytes)
        parser.skipBlanks()
        self = try parser.value()
        parser.skipBlanks()
        guard parser.position == bytes.count else { throw SyntaxError() }
    }

    /// How deep arrays and objects nest.
    var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }

    /// Whether any object in it has a key twice.
    var hasDuplicateKey: Bool {
        switch self {
        case .array(let elements): elements.contains(where: \.hasDuplicateKey)
        case .object(let members):
            Set(members.map(\.key)).count < members.count || members.contains(where: \.value.hasDuplicateKey)
        default: false
        }
    }

    /// The member of an object whose keys differ.
    subscript(key: String) -> NaiveJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == Array(key.utf8) }?.value
    }
}

private struct NaiveParser {
    let bytes: [UInt8]
    var position = 0

    private var next: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    mutating func skipBlanks() {
        while let byte = self.next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { self.position += 1 }
    }

    private mutating func expect(_ text: String) throws {
        for byte in text.utf8 {
            guard self.next == byte else { throw NaiveJSON.SyntaxError() }
            self.position += 1
        }
    }

    private mutating func accept(_ character: Character) -> Bool {
        guard let byte = self.next, byte == character.asciiValue else { return false }
        self.position += 1
        return true
    }

    mutating func value() throws -> NaiveJSON {
        switch self.next {
        case UInt8(ascii: "n"):
            try self.expect("null")
            return .null
        case UInt8(ascii: "t"):
            try self.expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try self.expect("false")
            return .bool(false)
        case UInt8(ascii: "\""): return .text(try self.text())
        case UInt8(ascii: "["): return try self.array()
        case UInt8(ascii: "{"): return try self.object()
        default: return try self.number()
        }
    }

    private mutating func array() throws -> NaiveJSON {
        try self.expect("[")
        self.skipBlanks()
        if self.accept("]") { return .array([]) }
        var elements: [NaiveJSON] = []
        repeat {
            self.skipBlanks()
            elements.append(try self.value())
            self.skipBlanks()
        } while self.accept(",")
        try self.expect("]")
        return .array(elements)
    }

    private mutating func object() throws -> NaiveJSON {
        try self.expect("{")
        self.skipBlanks()
        if self.accept("}") { return .object([]) }
        var members: [(key: [UInt8], value: NaiveJSON)] = []
        repeat {
            self.skipBlanks()
            let key = try self.text()
            self.skipBlanks()
            try self.expect(":")
            self.skipBlanks()
            members.append((key, try self.value()))
            self.skipBlanks()
        } while self.accept(",")
        try self.expect("}")
        return .object(members)
    }

    private mutating func number() throws -> NaiveJSON {
        let start = self.position
        _ = self.accept("-")
        if !self.accept("0") { try self.digits() }
        if self.accept(".") { try self.digits() }
        if self.accept("e") || self.accept("E") {
            if !self.accept("+") { _ = self.accept("-") }
            try self.digits()
        }
        return .number(String(decoding: self.bytes[start..<self.position], as: UTF8.self))
    }

    private mutating func digits() throws {
        let start = self.position
        while let byte = self.next, (0x30...0x39).contains(byte) { self.position += 1 }
        guard self.position > start else { throw NaiveJSON.SyntaxError() }
    }

    private mutating func text() throws -> [UInt8] {
        try self.expect("\"")
        var text: [UInt8] = []
        while !self.accept("\"") {
            guard let byte = self.next, byte >= 0x20 else { throw NaiveJSON.SyntaxError() }
            self.position += 1
            if byte != UInt8(ascii: "\\") {
                text.append(byte)
            } else {
                text += try self.escaped()
            }
        }
        return text
    }

    private mutating func escaped() throws -> [UInt8] {
        guard let byte = self.next else { throw NaiveJSON.SyntaxError() }
        self.position += 1
        switch Character(Unicode.Scalar(byte)) {
        case "\"", "\\", "/": return [byte]
        case "b": return [8]
        case "f": return [12]
        case "n": return [10]
        case "r": return [13]
        case "t": return [9]
        case "u":
            let first = try self.fourHexDigits()
            guard (0xD800...0xDBFF).contains(first) else {
                // A low surrogate without a high one is no scalar.
                guard let scalar = Unicode.Scalar(first) else { throw NaiveJSON.SyntaxError() }
                return Array(String(Character(scalar)).utf8)
            }
            try self.expect("\\u")
            let second = try self.fourHexDigits()
            guard (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            else { throw NaiveJSON.SyntaxError() }
            return Array(String(Character(scalar)).utf8)
        default: throw NaiveJSON.SyntaxError()
        }
    }

    private mutating func fourHexDigits() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = self.next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw NaiveJSON.SyntaxError()
            }
            value = value * 16 + UInt32(digit)
            self.position += 1
        }
        return value
    }
}
