/// A station's name as it appears in topics: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, kept as written, unique ignoring case.
package struct StationID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    /// Fails on anything that is not a station's name.
    package init?(_ text: some StringProtocol) {
        let bytes = text.utf8
        guard (1...64).contains(bytes.count), bytes.allSatisfy(isIdentifierByte), let first = bytes.first,
            isLetterOrDigit(first)
        else { return nil }
        self.text = String(text)
    }

    /// What decides whether two stations are the same one: the name in lower case.
    package var folded: String { self.text.lowercased() }
    package var description: String { self.text }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.text.precedesAsBytes(rhs.text) }
}

/// A parameter's name: 1–64 letters, digits, `.`, `_` or `-`; matched exactly.
package struct ParameterID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    /// Fails on anything that is not a parameter's name.
    package init?(_ text: some StringProtocol) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(isIdentifierByte) else { return nil }
        self.text = String(text)
    }

    package var description: String { self.text }

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.text.precedesAsBytes(rhs.text) }
}

extension String {
    /// The order of exports: by UTF-8 bytes, the same in every locale.
    package func precedesAsBytes(_ other: String) -> Bool { self.utf8.lexicographicallyPrecedes(other.utf8) }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
    default: false
    }
}

private func isIdentifierByte(_ byte: UInt8) -> Bool {
    isLetterOrDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
}
