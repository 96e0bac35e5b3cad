import Monitoring
import Testing

struct NumberTextTests {
    private func text(_ value: Double) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "x")]
        NumberText.append(value, to: &bytes)
        return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }

    private func text(_ value: Int64) -> String {
        var bytes: [UInt8] = []
        NumberText.append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "-0"), (12.5, "12.5"), (-0.05, "-0.05"), (0.0001, "0.0001"), (0.00001, "1e-5"),
        (999_999_999.5, "999999999.5"), (1e9, "1000000000"), (1.5e300, "1.5e300"), (31.4, "31.4"), (100, "100"),
        (-7.25, "-7.25"), (0.1 + 0.2, "0.30000000000000004"), (.leastNonzeroMagnitude, "5e-324"),
    ])
    func `a number is its shortest text`(value: Double, expected: String) { #expect(self.text(value) == expected) }

    @Test(arguments: [0, 7, -7, 10, 99, 100, 1_795_420_800_000, Int64.max, .min, 1_000_000_000_000_000_000] as [Int64])
    func `a whole number is its digits`(value: Int64) { #expect(self.text(value) == "\(value)") }

    @Test func `every text reads back to the same double`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bits = Double(bitPattern: random.next())
            let decimal = Double(Int64.random(in: -10_000_000...10_000_000, using: &random)) / 1_000
            for value in [bits, decimal, decimal / 7] where value.isFinite {
                #expect(Double(self.text(value))?.bitPattern == value.bitPattern, "\(value)")
            }
        }
    }
}
