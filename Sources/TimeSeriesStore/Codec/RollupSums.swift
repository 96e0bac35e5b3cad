import Monitoring

/// The scaled firsts, lasts, minima and maxima of a chunk of rollups.
struct RollupBlocks {
    let first: UnsafeMutableBufferPointer<Int64>
    let last: UnsafeMutableBufferPointer<Int64>
    let min: UnsafeMutableBufferPointer<Int64>
    let max: UnsafeMutableBufferPointer<Int64>

    init(_ integers: UnsafeMutableBufferPointer<Int64>, count: Int) {
        self.first = UnsafeMutableBufferPointer(rebasing: integers[..<count])
        self.last = UnsafeMutableBufferPointer(rebasing: integers[count..<count * 2])
        self.min = UnsafeMutableBufferPointer(rebasing: integers[count * 2..<count * 3])
        self.max = UnsafeMutableBufferPointer(rebasing: integers[count * 3..<count * 4])
    }

    /// Replaces the numbers by small ones: a first continues the last before, extremes lie just outside first and
    /// last.
    func predict() {
        for index in self.first.indices.reversed() {
            let first = self.first[index]
            let last = self.last[index]
            self.min[index] = Swift.min(first, last) &- self.min[index]
            self.max[index] = self.max[index] &- Swift.max(first, last)
            self.last[index] = last &- first
            if index > 0 { self.first[index] = first &- self.last[index &- 1] }
        }
    }

    /// The opposite of ``predict()``.
    func restore() {
        for index in self.first.indices {
            let first = index > 0 ? self.first[index] &+ self.last[index &- 1] : self.first[index]
            let last = self.last[index] &+ first
            self.first[index] = first
            self.last[index] = last
            self.min[index] = Swift.min(first, last) &- self.min[index]
            self.max[index] = self.max[index] &+ Swift.max(first, last)
        }
    }
}

/// The sums of a chunk of rollups.
///
/// A sum of short decimals, added up in floating point, is within a few units in the last place of a short decimal.
/// So it is kept as that decimal, predicted from the values beside it, and the few units. Other sums (of sines) are
/// kept as bits.
struct RollupSums {
    private let head: UInt8
    private var scaled: [Int64]
    private var units: [Int64]

    private static let bits: UInt8 = 0
    private static let ofLevels: UInt8 = 1
    private static let ofIncrements: UInt8 = 2
    /// About what a sum costs as bits, predicted from the sum before.
    private static let bitsOfBits = 52
    /// Sums at and above are not told apart by a decimal more.
    private static let scaledMax = 9e15

    init(_ rollups: [RollupEntry], form: DecimalForm, blocks: RollupBlocks) {
        let count = rollups.count
        self.scaled = [Int64](repeating: 0, count: count)
        self.units = [Int64](repeating: 0, count: count)
        var bitsOfLevels = 0
        var bitsOfIncrements = 0
        var bitsOfUnits = 0
        for index in 0..<count where !form.isBits {
            let sum = rollups[index].rollup.sum
            let product = sum * form.finePower
            // A sum too great for a decimal has all its bits in the units.
            let decimal = product.magnitude < Self.scaledMax ? Int64(product.rounded()) : 0
            let unit =
                ordered(Int64(bitPattern: sum.bitPattern))
                &- ordered(Int64(bitPattern: (Double(decimal) / form.finePower).bitPattern))
            self.scaled[index] = decimal
            self.units[index] = unit
            bitsOfLevels += bitWidth(decimal &- Self.level(rollups[index].rollup.nValid, blocks, index, form))
            bitsOfIncrements += bitWidth(decimal &- Self.increment(blocks, index, form))
            bitsOfUnits += bitWidth(unit)
        }
        let bitsOfDecimals = Swift.min(bitsOfLevels, bitsOfIncrements) + bitsOfUnits
        if form.isBits || bitsOfDecimals > Self.bitsOfBits * count {
            self.head = Self.bits
        } else {
            self.head = bitsOfLevels <= bitsOfIncrements ? Self.ofLevels : Self.ofIncrements
        }
        for index in 0..<count {
            switch self.head {
            case Self.ofLevels:
                self.scaled[index] &-= Self.level(rollups[index].rollup.nValid, blocks, index, form)
            case Self.ofIncrements: self.scaled[index] &-= Self.increment(blocks, index, form)
            default: self.scaled[index] = ordered(Int64(bitPattern: rollups[index].rollup.sum.bitPattern))
            }
        }
    }

    /// A level's sum is near its count times the middle of first and last.
    private static func level(_ valid: Int, _ blocks: RollupBlocks, _ index: Int, _ form: DecimalForm) -> Int64 {
        Int64(valid) &* ((blocks.first[index] &+ blocks.last[index]) / 2) &* form.fineFactor
    }

    /// A counter's sum is what it grew by, unless it was reset.
    private static func increment(_ blocks: RollupBlocks, _ index: Int, _ form: DecimalForm) -> Int64 {
        (blocks.last[index] &- blocks.first[index]) &* form.fineFactor
    }

    /// Appends the columns, which are used up.
    mutating func encode(_ integerCodec: IntegerCodec, into sink: inout ByteSink) {
        sink.append(self.head)
        self.scaled.withUnsafeMutableBufferPointer { integerCodec.encode($0, into: &sink) }
        guard self.head != Self.bits else { return }
        self.units.withUnsafeMutableBufferPointer { integerCodec.encode($0, into: &sink) }
    }

    static func decode(
        _ integerCodec: IntegerCodec,
        _ source: inout ByteSource,
        form: DecimalForm,
        blocks: RollupBlocks,
        into rollups: inout [RollupEntry]
    ) throws(ChunkError) {
        let head = try source.byte("sum head")
        guard head <= Self.ofIncrements, head == Self.bits || !form.isBits else { throw .badFormat("sum head \(head)") }
        let scaled = ScratchIntegers(count: rollups.count)
        let units = ScratchIntegers(count: rollups.count)
        let numbers = UnsafeMutableBufferPointer(rebasing: scaled.all[..<rollups.count])
        try integerCodec.decode(from: &source, into: numbers)
        if head == Self.bits {
            for index in numbers.indices {
                rollups[index].rollup.sum = Double(bitPattern: UInt64(bitPattern: ordered(numbers[index])))
            }
            return
        }
        let unitNumbers = UnsafeMutableBufferPointer(rebasing: units.all[..<rollups.count])
        try integerCodec.decode(from: &source, into: unitNumbers)
        for index in numbers.indices {
            let predicted =
                head == Self.ofLevels
                ? Self.level(rollups[index].rollup.nValid, blocks, index, form)
                : Self.increment(blocks, index, form)
            let decimal = Double(numbers[index] &+ predicted) / form.finePower
            let bits = ordered(ordered(Int64(bitPattern: decimal.bitPattern)) &+ unitNumbers[index])
            rollups[index].rollup.sum = Double(bitPattern: UInt64(bitPattern: bits))
        }
    }
}
