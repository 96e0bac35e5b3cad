/// Numbers by Rice's code: the high part in unary, the low bits as they are.
///
/// There is no table, so it suits short columns, and noise of any length. How many bits are low is the same for the
/// whole column, or follows the numbers before, which suits a column with calm and restless times.
struct RicePacking {
    private let lowBits: UInt64
    private let isAdaptive: Bool

    /// Of the running mean of the codes: it is kept times 2^`meanShift`, and forgets as quickly.
    private static let meanShift: UInt64 = 4
    private static let meanMax: UInt64 = 1 &<< 35
    /// A high part in unary is at most so long; a number above is written in full behind it.
    private static let unaryMax: UInt64 = 24
    /// Low bits beyond could not be written in one piece.
    private static let lowBitsMax: UInt64 = 31
    private static let adaptiveFlag: UInt8 = 0x20

    /// The shorter of the two ways for these numbers.
    init(_ numbers: UnsafeMutableBufferPointer<Int64>, meanCode: UInt64) {
        let lowBits = Self.lowBits((meanCode &* 2 &+ 1) &<< (Self.meanShift &- 1))
        let steady = RicePacking(lowBits: lowBits, isAdaptive: false)
        let adaptive = RicePacking(lowBits: lowBits, isAdaptive: true)
        self = adaptive.byteCount(numbers) < steady.byteCount(numbers) ? adaptive : steady
    }

    init(head: UInt8) throws(ChunkError) {
        guard head <= Self.adaptiveFlag | UInt8(Self.lowBitsMax) else { throw .badFormat("Rice code \(head)") }
        self.init(lowBits: UInt64(head & 0x1F), isAdaptive: head & Self.adaptiveFlag != 0)
    }

    private init(lowBits: UInt64, isAdaptive: Bool) {
        self.lowBits = lowBits
        self.isAdaptive = isAdaptive
    }

    /// What ``init(head:)`` takes.
    var head: UInt8 { UInt8(self.lowBits) | (self.isAdaptive ? Self.adaptiveFlag : 0) }

    /// Where the running mean starts: such that the number of low bits is the one written.
    private var startMean: UInt64 { self.lowBits == 0 ? 0 : 3 &<< (self.lowBits &+ Self.meanShift &- 1) }

    /// The number of low bits with which the code is shortest, for noise of such a mean: with one more bit, no more
    /// is saved in high parts than the bit costs, from a mean of 2.08 × 2^lowBits on.
    @inline(__always)
    private static func lowBits(_ mean: UInt64) -> UInt64 {
        Swift.min(UInt64(63 &- (mean &>> Self.meanShift | 1).leadingZeroBitCount), Self.lowBitsMax)
    }

    @inline(__always)
    private static func next(_ mean: UInt64, _ code: UInt64) -> UInt64 {
        Swift.min(mean &- mean &>> Self.meanShift &+ Swift.min(code, Self.meanMax), Self.meanMax)
    }

    /// The bytes the numbers take.
    func byteCount(_ numbers: UnsafeMutableBufferPointer<Int64>) -> Int {
        var bits: UInt64 = 0
        var mean = self.startMean
        var lowBits = self.lowBits
        for number in numbers {
            let code = zigzag(number)
            if self.isAdaptive {
                lowBits = Self.lowBits(mean)
                mean = Self.next(mean, code)
            }
            let high = code &>> lowBits
            bits &+= high < Self.unaryMax ? high &+ 1 &+ lowBits : Self.unaryMax &+ 64
        }
        return Int((bits &+ 7) &>> 3)
    }

    /// Writes the numbers and returns the number of bytes, for which 12 a number must be reserved.
    func pack(_ numbers: UnsafeMutableBufferPointer<Int64>, into bytes: UnsafeMutablePointer<UInt8>) -> Int {
        var writer = BitWriter(bytes)
        var mean = self.startMean
        var lowBits = self.lowBits
        for number in numbers {
            let code = zigzag(number)
            if self.isAdaptive {
                lowBits = Self.lowBits(mean)
                mean = Self.next(mean, code)
            }
            let high = code &>> lowBits
            if high < Self.unaryMax {
                // Zeros, a one, and the low bits.
                let low = code & (1 &<< lowBits &- 1)
                writer.append((low &<< 1 | 1) &<< high, width: high &+ 1 &+ lowBits)
            } else {
                writer.append(0, width: Self.unaryMax)
                writer.append(wide: code, width: 64)
            }
        }
        return writer.finish()
    }

    /// The opposite of ``pack(_:into:)``; 8 bytes behind the last must exist.
    func unpack(
        _ numbers: UnsafeMutableBufferPointer<Int64>,
        from bytes: UnsafePointer<UInt8>,
        byteCount: Int
    ) throws(ChunkError) {
        var reader = BitReader(bytes, byteCount: byteCount)
        var mean = self.startMean
        var lowBits = self.lowBits
        for index in numbers.indices {
            if self.isAdaptive { lowBits = Self.lowBits(mean) }
            let high = UInt64(reader.peek().trailingZeroBitCount)
            var code: UInt64
            if high < Self.unaryMax {
                let bits = reader.read(Int(high &+ 1 &+ lowBits))
                code = high &<< lowBits | bits &>> (high &+ 1)
            } else {
                _ = reader.read(Int(Self.unaryMax))
                code = reader.read(wide: 64)
            }
            numbers[index] = unzigzag(code)
            if self.isAdaptive { mean = Self.next(mean, code) }
        }
        guard !reader.isOverrun else { throw .truncated(reading: "Rice code") }
    }
}
