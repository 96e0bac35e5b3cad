/// Columns of integers as bytes: the one coding under times, values, statuses, receipt times and rollups.
///
/// A column is reduced by its common divisor, predicted from the numbers before (order 0, 1 or 2), and what is left
/// is packed in whichever way is smallest. All arithmetic wraps, so every column of 64-bit integers comes back
/// exactly.
final class IntegerCodec {
    /// How the numbers left over are packed.
    enum Packing: UInt8 {
        /// All are 0: nothing is written.
        case none = 0
        /// The few that are not 0, each with the number of zeros before it.
        case sparse = 1
        /// ``RicePacking``
        case rice = 2
        /// ``TokenPacking``, the tokens packed by zstd.
        case tokens = 3
    }

    /// No frame of zstd is so short that it would be worth trying.
    private static let frameBytesMin = 24
    /// About so many bits of a typical number go into its token, when numbers are wide; measured: 3 to 6 differ by
    /// 0.3 %.
    private static let tokenBits = 5
    /// In columns of codes no wider, each has a token of its own or nearly so.
    private static let narrowBitsMax: UInt64 = 30

    private let zstd: Zstd
    private var packed = ByteSink(capacity: 4096)
    private var plain = ByteSink(capacity: 4096)

    init(zstd: Zstd) { self.zstd = zstd }

    // MARK: - Encoding

    /// Appends a column; the numbers are destroyed.
    func encode(_ numbers: UnsafeMutableBufferPointer<Int64>, into sink: inout ByteSink) {
        guard let first = numbers.first else { return }
        let divisor = commonDivisor(numbers)
        guard divisor != 0 else {
            sink.append(Packing.none.rawValue)
            sink.append(varint: zigzag(first))
            return
        }
        let prediction = Prediction(numbers, divisor: divisor)
        prediction.reduce(numbers)
        let left = UnsafeMutableBufferPointer(rebasing: numbers[prediction.predicted...])
        let packing = self.pack(left)
        sink.append(packing.rawValue | prediction.order &<< 3 | (prediction.divisor > 1 ? 0x20 : 0))
        sink.append(varint: zigzag(prediction.writtenBase))
        if prediction.divisor > 1 { sink.append(varint: UInt64(prediction.divisor)) }
        if prediction.order > 0 { sink.append(varint: zigzag(prediction.slope)) }
        if packing != .none { sink.append(varint: UInt64(self.packed.count)) }
        sink.append(contentsOf: self.packed.bytes)
    }

    /// Fills `packed` with the smallest packing and says which it is.
    private func pack(_ numbers: UnsafeMutableBufferPointer<Int64>) -> Packing {
        self.packed.removeAll()
        let survey = Survey(numbers)
        guard survey.nonzero > 0 else { return .none }
        var best = Packing.rice
        let rice = RicePacking(numbers, meanCode: survey.meanCode)
        var bytesMax = rice.byteCount(numbers) &+ 1
        if survey.nonzero &* 4 <= numbers.count {
            self.packSparsely(numbers)
            if self.packed.count <= bytesMax { (best, bytesMax) = (.sparse, self.packed.count) }
        }
        if bytesMax > Self.frameBytesMin {
            // Narrow numbers, or few different from 0: every bit may be part of a pattern.
            if survey.widestBits <= Self.narrowBitsMax || survey.nonzero &* 2 < numbers.count {
                if self.packTokens(numbers, lowBits: 0, survey, below: bytesMax) {
                    (best, bytesMax) = (.tokens, self.packed.count)
                }
            }
            if survey.meanBits > Self.tokenBits {
                let lowBits = UInt64(survey.meanBits &- Self.tokenBits)
                if self.packTokens(numbers, lowBits: lowBits, survey, below: bytesMax) { best = .tokens }
            }
        }
        if best == .rice {
            self.packed.removeAll()
            self.packed.reserve(numbers.count &* 12 &+ 16)
            self.packed.append(rice.head)
            self.packed.advance(rice.pack(numbers, into: self.packed.base + 1))
        }
        return best
    }

    /// Replaces `packed` when the tokens need fewer bytes.
    private func packTokens(
        _ numbers: UnsafeMutableBufferPointer<Int64>,
        lowBits: UInt64,
        _ survey: Survey,
        below bytesMax: Int
    ) -> Bool {
        let packing = TokenPacking(
            lowBits: Swift.min(lowBits, TokenPacking.lowBitsMax),
            codeBitsMax: survey.widestBits
        )
        self.plain.removeAll()
        self.plain.reserve(numbers.count &* 21 &+ 16)
        let bitBytes = packing.split(numbers, tokens: self.plain.base, bits: self.plain.base + numbers.count)
        self.plain.advance(numbers.count &+ bitBytes)
        guard bitBytes &+ Self.frameBytesMin < bytesMax else { return false }
        let tokens = UnsafeRawBufferPointer(rebasing: self.plain.bytes[..<numbers.count])
        guard let frame = self.zstd.compress(tokens), frame.count &+ bitBytes &+ 4 < bytesMax else { return false }
        self.packed.removeAll()
        self.packed.append(UInt8(packing.lowBits))
        self.packed.append(UInt8(packing.mantissaBits))
        self.packed.append(varint: UInt64(bitBytes))
        self.packed.append(contentsOf: UnsafeRawBufferPointer(rebasing: self.plain.bytes[numbers.count...]))
        self.packed.append(contentsOf: frame)
        return true
    }

    private func packSparsely(_ numbers: UnsafeMutableBufferPointer<Int64>) {
        var zeros: UInt64 = 0
        for number in numbers {
            if number == 0 {
                zeros &+= 1
                continue
            }
            self.packed.append(varint: zeros)
            self.packed.append(varint: zigzag(number))
            zeros = 0
        }
    }

    // MARK: - Decoding

    /// Reads a column of as many numbers as the buffer has.
    func decode(from source: inout ByteSource, into numbers: UnsafeMutableBufferPointer<Int64>) throws(ChunkError) {
        guard !numbers.isEmpty else { return }
        let head = try source.byte("column head")
        guard let packing = Packing(rawValue: head & 7), head & 0xC0 == 0, head &>> 3 & 3 <= 2 else {
            throw .badFormat("column head \(head)")
        }
        var prediction = Prediction()
        prediction.order = head &>> 3 & 3
        prediction.base = unzigzag(try source.varint("column base"))
        if head & 0x20 != 0 { prediction.divisor = Int64(bitPattern: try source.varint("column divisor")) }
        if prediction.order > 0 { prediction.slope = unzigzag(try source.varint("column slope")) }
        let left = UnsafeMutableBufferPointer(rebasing: numbers[Swift.min(prediction.predicted, numbers.count)...])
        switch packing {
        case .none: left.update(repeating: 0)
        case .sparse: try self.unpackSparsely(&source, into: left)
        case .rice: try self.unpackRice(&source, into: left)
        case .tokens: try self.unpackTokens(&source, into: left)
        }
        prediction.restore(numbers)
    }

    /// Reads a column of so many numbers.
    func decodeArray(from source: inout ByteSource, count: Int) throws(ChunkError) -> [Int64] {
        var numbers = [Int64](repeating: 0, count: count)
        var failure: ChunkError?
        numbers.withUnsafeMutableBufferPointer {
            do throws(ChunkError) { try self.decode(from: &source, into: $0) } catch { failure = error }
        }
        if let failure { throw failure }
        return numbers
    }

    private static func packedBytes(
        _ source: inout ByteSource,
        atMost limit: Int
    ) throws(ChunkError) -> UnsafeRawBufferPointer {
        try source.bytes(try source.count("packed column length", atMost: limit), "packed column")
    }

    private func unpackSparsely(
        _ source: inout ByteSource,
        into numbers: UnsafeMutableBufferPointer<Int64>
    ) throws(ChunkError) {
        var packed = ByteSource(try Self.packedBytes(&source, atMost: numbers.count &* 20))
        numbers.update(repeating: 0)
        var index = 0
        while packed.remaining > 0 {
            index += try packed.count("zeros", atMost: numbers.count)
            guard index < numbers.count else { throw .badFormat("number behind the end of a sparse column") }
            numbers[index] = unzigzag(try packed.varint("sparse number"))
            index += 1
        }
    }

    private func unpackRice(
        _ source: inout ByteSource,
        into numbers: UnsafeMutableBufferPointer<Int64>
    ) throws(ChunkError) {
        var packed = ByteSource(try Self.packedBytes(&source, atMost: numbers.count &* 12 &+ 16))
        let rice = try RicePacking(head: try packed.byte("Rice code"))
        let bits = try packed.bytes(packed.remaining, "Rice code")
        // Copied, because the reader looks 8 bytes beyond the end.
        self.plain.removeAll()
        self.plain.append(contentsOf: bits)
        self.plain.append(fixed: 0)
        try rice.unpack(numbers, from: self.plain.base, byteCount: bits.count)
    }

    private func unpackTokens(
        _ source: inout ByteSource,
        into numbers: UnsafeMutableBufferPointer<Int64>
    ) throws(ChunkError) {
        var packed = ByteSource(try Self.packedBytes(&source, atMost: numbers.count &* 21 &+ 64))
        let packing = try TokenPacking(
            lowBits: try packed.byte("low bits"),
            mantissaBits: try packed.byte("mantissa bits")
        )
        let bits = try packed.bytes(try packed.count("bits length", atMost: packed.remaining), "bits of tokens")
        try self.zstd.decompress(packed.bytes(packed.remaining, "tokens"), atMost: numbers.count, into: &self.plain)
        guard self.plain.count == numbers.count else { throw .badFormat("\(self.plain.count) tokens") }
        self.plain.append(contentsOf: bits)
        self.plain.append(fixed: 0)
        try packing.join(
            numbers,
            tokens: self.plain.base,
            bits: self.plain.base + numbers.count,
            bitBytes: bits.count
        )
    }
}

/// What packing is chosen by.
private struct Survey {
    var nonzero = 0
    /// Of the widest code.
    var widestBits: UInt64 = 0
    /// Of the codes of a sample, on average.
    var meanBits = 0
    /// The mean, of which a few outliers are kept away.
    var meanCode: UInt64 = 0

    private static let sampleSize = 256

    init(_ numbers: UnsafeMutableBufferPointer<Int64>) {
        guard !numbers.isEmpty else { return }
        var all: UInt64 = 0
        var sum: UInt64 = 0
        for number in numbers {
            let code = zigzag(number)
            self.nonzero &+= code == 0 ? 0 : 1
            all |= code
            sum &+= Swift.min(code, 1 &<< 40)
        }
        var bits = 0
        var sampled = 0
        for index in stride(from: 0, to: numbers.count, by: Swift.max(1, numbers.count / Self.sampleSize)) {
            bits &+= bitWidth(numbers[index])
            sampled &+= 1
        }
        self.widestBits = UInt64(64 &- all.leadingZeroBitCount)
        self.meanBits = bits / sampled
        self.meanCode = sum / UInt64(numbers.count)
    }
}

/// The greatest common divisor of all steps from number to number; 0 when all numbers are equal.
private func commonDivisor(_ numbers: UnsafeMutableBufferPointer<Int64>) -> Int64 {
    var before = numbers[0]
    var stepBefore: Int64 = 0
    var divisor: UInt64 = 0
    var magnitudes = before ^ (before &>> 63)
    for number in numbers {
        let step = number &- before
        before = number
        magnitudes |= number ^ (number &>> 63)
        if step == stepBefore || step == 0 { continue }
        stepBefore = step
        var dividend = step.magnitude
        if divisor != 0, dividend % divisor == 0 { continue }
        while dividend != 0 { (divisor, dividend) = (dividend, divisor % dividend) }
        if divisor == 1 { return 1 }
    }
    // Where a difference of two numbers may wrap, division would not be exact.
    if divisor != 0, magnitudes >= 1 << 61 { return 1 }
    return Int64(divisor)
}
