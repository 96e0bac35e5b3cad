/// What the service says on `…/stored`: which of a station's messages it holds.
package struct StoredAccount: Sendable, Hashable {
    package struct Boot: Sendable, Hashable {
        package let boot: String
        package let from: Int64
        package let through: Int64
        /// Inclusive ranges within from…through that never arrived.
        package let gaps: [ClosedRange<Int64>]

        package func isMissing(_ seq: Int64) -> Bool { self.gaps.contains { $0.contains(seq) } }
    }

    package let boots: [Boot]

    /// Reads `{"at": ms, "boots": [{"boot": "b2", "from": 1, "through": 4711, "gaps": [[4702, 4705]]}]}`.
    ///
    /// Nil when it says anything a device could misunderstand: it then frees nothing.
    package init?(json bytes: UnsafeRawBufferPointer) {
        var reader = JSONReader(bytes: bytes)
        guard case .object(let members)? = reader.document(), case .array(let entries)? = members["boots"] else {
            return nil
        }
        var boots: [Boot] = []
        for entry in entries {
            guard case .object(let boot) = entry, case .text(let name)? = boot["boot"],
                case .number(let from)? = boot["from"], case .number(let through)? = boot["through"],
                case .array(let gaps)? = boot["gaps"] ?? .array([])
            else { return nil }
            var ranges: [ClosedRange<Int64>] = []
            for gap in gaps {
                guard case .array(let ends) = gap, ends.count == 2, case .number(let first) = ends[0],
                    case .number(let last) = ends[1], let first = Int64(exactly: first),
                    let last = Int64(exactly: last),
                    first <= last
                else { return nil }
                ranges.append(first...last)
            }
            guard let from = Int64(exactly: from), let through = Int64(exactly: through) else { return nil }
            boots.append(Boot(boot: name, from: from, through: through, gaps: ranges))
        }
        self.boots = boots
    }
}

/// A small strict JSON reader, enough for what the service sends to devices.
struct JSONReader {
    enum Value {
        case object([String: Value])
        case array([Value])
        case text(String)
        case number(Double)
        case literal
    }

    let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0
    private static let depthMax = 16

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func document() -> Value? {
        guard let value = self.value() else { return nil }
        self.skipBlanks()
        return self.position == self.bytes.count ? value : nil
    }

    private var byte: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func skipBlanks() {
        while let byte, byte == 32 || byte == 10 || byte == 13 || byte == 9 { self.position += 1 }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        self.skipBlanks()
        guard self.byte == UInt8(ascii: character) else { return false }
        self.position += 1
        return true
    }

    private mutating func value() -> Value? {
        guard self.depth < Self.depthMax else { return nil }
        self.depth += 1
        defer { self.depth -= 1 }
        if self.accept("{") { return self.object() }
        if self.accept("[") { return self.array() }
        if self.accept("\"") { return self.text().map(Value.text) }
        let start = self.position
        while let byte, ![UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 32, 10, 13, 9].contains(byte) {
            self.position += 1
        }
        let token = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        if ["true", "false", "null"].contains(token) { return .literal }
        guard Quantity.isJSONNumber(token), let number = Double(token) else { return nil }
        return .number(number)
    }

    private mutating func object() -> Value? {
        var members: [String: Value] = [:]
        if self.accept("}") { return .object(members) }
        repeat {
            guard self.accept("\""), let key = self.text(), self.accept(":"), let value = self.value() else {
                return nil
            }
            members[key] = value
        } while self.accept(",")
        return self.accept("}") ? .object(members) : nil
    }

    private mutating func array() -> Value? {
        var elements: [Value] = []
        if self.accept("]") { return .array(elements) }
        repeat {
            guard let value = self.value() else { return nil }
            elements.append(value)
        } while self.accept(",")
        return self.accept("]") ? .array(elements) : nil
    }

    /// The rest of a text after its opening quote.
    ///
    /// Escapes other than `\"`, `\\` and `\/` do not occur in boot names.
    private mutating func text() -> String? {
        var text: [UInt8] = []
        while let byte {
            self.position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard let escaped = self.byte,
                escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") || escaped == UInt8(ascii: "/")
            else { return nil }
            self.position += 1
            text.append(escaped)
        }
        return nil
    }
}
