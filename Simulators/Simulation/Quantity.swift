/// A number as an instrument prints it: so many decimals, neither more nor fewer.
package enum Quantity: Sendable, Hashable {
    /// `scaled / 10^decimals`.
    case decimal(scaled: Int64, decimals: UInt8)
    /// Exactly this text in the message: a field of a file, or something that is no number at all.
    case literal(String)

    /// A model's value, rounded to what the instrument resolves.
    package init(_ value: Double, decimals: UInt8) {
        let scaled = (value * powersOfTen[Int(decimals)]).rounded()
        self = .decimal(scaled: abs(scaled) < 9e15 ? Int64(scaled) : 0, decimals: decimals)
    }

    /// What a correct reader makes of it; nil when it is no finite number.
    package var number: Double? {
        switch self {
        // Both operands are exact, so the quotient is the nearest double: what parsing the text gives, too.
        case .decimal(let scaled, let decimals): return Double(scaled) / powersOfTen[Int(decimals)]
        case .literal(let text):
            guard let number = Double(text), number.isFinite else { return nil }
            return number
        }
    }

    /// Whether the text may stand in JSON as a number.
    package static func isJSONNumber(_ text: some StringProtocol) -> Bool {
        var bytes = text.utf8.makeIterator()
        var byte = bytes.next()
        func isDigit() -> Bool { byte.map { $0 >= 48 && $0 <= 57 } ?? false }
        func digits() -> Bool {
            guard isDigit() else { return false }
            while isDigit() { byte = bytes.next() }
            return true
        }
        if byte == UInt8(ascii: "-") { byte = bytes.next() }
        if byte == UInt8(ascii: "0") {
            byte = bytes.next()
        } else if !digits() {
            return false
        }
        if byte == UInt8(ascii: ".") {
            byte = bytes.next()
            guard digits() else { return false }
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            byte = bytes.next()
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { byte = bytes.next() }
            guard digits() else { return false }
        }
        return byte == nil
    }

    /// Appends the text that stands in the message.
    package func append(to bytes: inout [UInt8]) {
        switch self {
        case .literal(let text): bytes.append(contentsOf: text.utf8)
        case .decimal(let scaled, let decimals):
            if scaled < 0 { bytes.append(UInt8(ascii: "-")) }
            appendDigits(scaled.magnitude, decimals: Int(decimals), to: &bytes)
        }
    }
}

/// Appends a whole number.
package func appendInteger(_ number: Int64, to bytes: inout [UInt8]) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(number.magnitude, decimals: 0, to: &bytes)
}

private let powersOfTen: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

private func appendDigits(_ magnitude: UInt64, decimals: Int, to bytes: inout [UInt8]) {
    var buffer: InlineArray<24, UInt8> = .init(repeating: 0)
    var position = 24
    var rest = magnitude
    var written = 0
    while rest > 0 || written <= decimals {
        if decimals > 0 && written == decimals {
            position -= 1
            buffer[position] = UInt8(ascii: ".")
        }
        position -= 1
        buffer[position] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
        written += 1
    }
    for index in position..<24 { bytes.append(buffer[index]) }
}
