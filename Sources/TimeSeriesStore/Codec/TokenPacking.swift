/// Numbers as tokens of one byte, which zstd packs well, and bits that are noise and kept as they are.
///
/// Of each number's zigzag code the `lowBits` lowest are noise. What is above them is a token itself when it is
/// small; when it is greater, the token says how wide it is and what its highest `mantissaBits` are, and the rest
/// goes with the noise.
struct TokenPacking {
    let lowBits: UInt64
    let mantissaBits: UInt64

    private static let literals: UInt64 = 128
    private static let literalBits: UInt64 = 7
    /// Mantissa bits beyond would be those of a literal.
    static let mantissaBitsMax: UInt64 = 7
    /// More could not be written in one piece.
    static let lowBitsMax: UInt64 = 56

    /// As many mantissa bits as there are tokens for, the widest code being so wide.
    init(lowBits: UInt64, codeBitsMax: UInt64) {
        self.lowBits = lowBits
        let highBits = codeBitsMax > lowBits ? codeBitsMax &- lowBits : 0
        var mantissaBits = Self.mantissaBitsMax
        if highBits > Self.literalBits {
            while (highBits &- Self.literalBits) &<< mantissaBits > 256 &- Self.literals { mantissaBits &-= 1 }
        }
        self.mantissaBits = mantissaBits
    }

    init(lowBits: UInt8, mantissaBits: UInt8) throws(ChunkError) {
        guard lowBits <= Self.lowBitsMax, mantissaBits <= Self.mantissaBitsMax else {
            throw .badFormat("tokens of \(lowBits) low bits and \(mantissaBits) mantissa bits")
        }
        self.lowBits = UInt64(lowBits)
        self.mantissaBits = UInt64(mantissaBits)
    }

    /// Writes the tokens and the bits; returns the number of bytes of the latter, for which 20 a number must be
    /// reserved.
    func split(
        _ numbers: UnsafeMutableBufferPointer<Int64>,
        tokens: UnsafeMutablePointer<UInt8>,
        bits: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var writer = BitWriter(bits)
        let lowBits = self.lowBits
        let mask: UInt64 = 1 &<< lowBits &- 1
        for index in numbers.indices {
            let code = zigzag(numbers[index])
            let high = code &>> lowBits
            writer.append(code & mask, width: lowBits)
            if high < Self.literals {
                tokens[index] = UInt8(truncatingIfNeeded: high)
                continue
            }
            let exponent = UInt64(63 &- high.leadingZeroBitCount)
            let rest = exponent &- self.mantissaBits
            // The highest bit is known to be 1: what follows it is the mantissa.
            let mantissa = high &>> rest & (1 &<< self.mantissaBits &- 1)
            let token = Self.literals &+ (exponent &- Self.literalBits) &<< self.mantissaBits &+ mantissa
            tokens[index] = UInt8(truncatingIfNeeded: token)
            writer.append(wide: high & (1 &<< rest &- 1), width: rest)
        }
        return writer.finish()
    }

    /// The opposite of ``split(_:tokens:bits:)``; 8 bytes behind the bits must exist.
    func join(
        _ numbers: UnsafeMutableBufferPointer<Int64>,
        tokens: UnsafePointer<UInt8>,
        bits: UnsafePointer<UInt8>,
        bitBytes: Int
    ) throws(ChunkError) {
        var reader = BitReader(bits, byteCount: bitBytes)
        let lowBits = Int(self.lowBits)
        for index in numbers.indices {
            let low = reader.read(lowBits)
            var high = UInt64(tokens[index])
            if high >= Self.literals {
                let above = high &- Self.literals
                let exponent = above &>> self.mantissaBits &+ Self.literalBits
                guard exponent <= 63 else { throw .badFormat("token \(high)") }
                let rest = exponent &- self.mantissaBits
                let top = 1 &<< self.mantissaBits | above & (1 &<< self.mantissaBits &- 1)
                high = top &<< rest | reader.read(wide: Int(rest))
            }
            numbers[index] = unzigzag(high &<< UInt64(lowBits) | low)
        }
        guard !reader.isOverrun else { throw .truncated(reading: "low bits") }
    }
}
