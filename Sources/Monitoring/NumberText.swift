/// Numbers as CSV and JSON want them: the shortest text that reads back to the same double.
package enum NumberText {
    private static let powersOfTen: [Double] = [1, 10, 100, 1_000, 10_000]

    /// Appends a finite number such as 12.5, 3, -0, 1e-5 or 1.5e300.
    package static func append(_ value: Double, to bytes: inout [UInt8]) {
        // Nearly all that instruments send has at most four decimals. A decimal of up to 15 digits is the only one of
        // that length that reads back to its double, so the first power of ten that gives the value back gives the
        // shortest text.
        if abs(value) < 1e9, value != 0 || value.sign == .plus {
            for decimals in 0..<self.powersOfTen.count {
                let scaled = (value * self.powersOfTen[decimals]).rounded()
                if scaled / self.powersOfTen[decimals] == value {
                    self.append(digits: Int64(scaled), decimals: decimals, to: &bytes)
                    return
                }
            }
        }
        self.appendDescription(of: value, to: &bytes)
    }

    /// Appends a whole number.
    package static func append(_ value: Int64, to bytes: inout [UInt8]) {
        self.append(digits: value, decimals: 0, to: &bytes)
    }

    private static func append(digits: Int64, decimals: Int, to bytes: inout [UInt8]) {
        if digits < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = digits.magnitude
        var count = 1
        var power: UInt64 = 10
        while rest >= power {
            count += 1
            // 10^19 is the last power of ten that fits.
            guard count < 20 else { break }
            power *= 10
        }
        // Room first, then from the last digit on: reversing a part of an array afterwards would copy it.
        let length = max(count, decimals + 1) + (decimals > 0 ? 1 : 0)
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "."), count: length))
        bytes.withUnsafeMutableBufferPointer { bytes in
            var position = start + length - 1
            for index in 0..<max(count, decimals + 1) {
                if index == decimals, decimals > 0 { position -= 1 }
                bytes[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
                position -= 1
            }
        }
    }

    /// Swift's own text is already the shortest in digits; `.0` and the exponent's padding are taken off.
    private static func appendDescription(of value: Double, to bytes: inout [UInt8]) {
        var text = value.description
        text.withUTF8 { text in
            guard let exponent = text.firstIndex(of: UInt8(ascii: "e")) else {
                let isWhole =
                    text.count > 2 && text[text.count - 2] == UInt8(ascii: ".")
                    && text[text.count - 1] == UInt8(ascii: "0")
                bytes.append(contentsOf: isWhole ? text[..<(text.count - 2)] : text[...])
                return
            }
            var mantissa = text[..<exponent]
            if mantissa.count > 2, mantissa.suffix(2).elementsEqual(".0".utf8) { mantissa = mantissa.dropLast(2) }
            bytes.append(contentsOf: mantissa)
            bytes.append(UInt8(ascii: "e"))
            var digits = text[(exponent + 1)...]
            if digits.first == UInt8(ascii: "-") { bytes.append(UInt8(ascii: "-")) }
            digits = digits.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "0") }
            bytes.append(contentsOf: digits)
        }
    }
}
