/// How a column of integers is predicted, and how far each number is from its prediction.
struct Prediction {
    /// 0: from `base` plus `middle`; 1: from the number before plus `slope`; 2: from the number before plus the step
    /// before.
    var order: UInt8 = 0
    /// The first number; when written with order 0, a number in their middle.
    var base: Int64 = 0
    /// Of order 0, how far a typical number is from the first, in divisors.
    private var middle: Int64 = 0
    var slope: Int64 = 0
    var divisor: Int64 = 1

    /// How many numbers at the beginning need no packing.
    var predicted: Int { self.order == 0 ? 0 : 1 }

    /// How many numbers are looked at before the order is chosen.
    private static let sampleSize = 256

    init() {}

    /// Chooses the order that leaves the fewest bits.
    init(_ numbers: UnsafeMutableBufferPointer<Int64>, divisor: Int64) {
        self.divisor = divisor
        let first = numbers[0]
        self.base = first
        let middle = sampledMedian(numbers.count) { (numbers[$0] &- first) / divisor }
        let slope =
            numbers.count < 2
            ? 0 : sampledMedian(numbers.count &- 1) { (numbers[$0 &+ 1] &- numbers[$0]) / divisor }
        var bits0 = 0
        var bits1 = 0
        var bits2 = 0
        // A sample tells which order is best, at a fraction of the time.
        for index in stride(from: 2, to: numbers.count, by: Swift.max(1, numbers.count / Self.sampleSize)) {
            var step = numbers[index] &- numbers[index &- 1]
            var stepBefore = numbers[index &- 1] &- numbers[index &- 2]
            var distance = numbers[index] &- first
            if divisor > 1 { (step, stepBefore, distance) = (step / divisor, stepBefore / divisor, distance / divisor) }
            bits0 &+= bitWidth(distance &- middle)
            bits1 &+= bitWidth(step &- slope)
            bits2 &+= bitWidth(step &- stepBefore)
        }
        if bits0 <= bits1, bits0 <= bits2 {
            self.order = 0
            self.middle = middle
        } else {
            self.order = bits1 <= bits2 ? 1 : 2
            self.slope = slope
        }
    }

    /// What is written as the base.
    var writtenBase: Int64 { self.base &+ self.middle &* self.divisor }

    /// Replaces each number by its distance from its prediction.
    func reduce(_ numbers: UnsafeMutableBufferPointer<Int64>) {
        let base = self.base
        let divisor = self.divisor
        if self.order == 0 {
            let middle = self.middle
            for index in numbers.indices {
                let difference = numbers[index] &- base
                numbers[index] = (divisor == 1 ? difference : difference / divisor) &- middle
            }
            return
        }
        var before: Int64 = 0
        var expected = self.order == 1 ? self.slope : 0
        for index in numbers.indices {
            let difference = numbers[index] &- base
            let reduced = divisor == 1 ? difference : difference / divisor
            let step = reduced &- before
            numbers[index] = step &- expected
            if self.order == 2 { expected = index == 0 ? self.slope : step }
            before = reduced
        }
    }

    /// The opposite of ``reduce(_:)``.
    func restore(_ numbers: UnsafeMutableBufferPointer<Int64>) {
        let base = self.base
        let divisor = self.divisor
        switch self.order {
        case 0:
            for index in numbers.indices { numbers[index] = base &+ numbers[index] &* divisor }
        case 1:
            var value: Int64 = base
            let slope = self.slope
            numbers[0] = value
            for index in 1..<Swift.max(1, numbers.count) {
                value = value &+ (numbers[index] &+ slope) &* divisor
                numbers[index] = value
            }
        default:
            var value: Int64 = base
            var step = self.slope
            numbers[0] = value
            for index in 1..<Swift.max(1, numbers.count) {
                step = step &+ numbers[index]
                value = value &+ step &* divisor
                numbers[index] = value
            }
        }
    }
}

/// Bits of a number's magnitude, one more than those for its sign.
@inline(__always)
func bitWidth(_ number: Int64) -> Int { 64 &- zigzag(number).leadingZeroBitCount }

/// The median of up to 31 numbers spread over all.
private func sampledMedian(_ count: Int, _ number: (Int) -> Int64) -> Int64 {
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: 31) { sample in
        let size = Swift.min(count, 31)
        for index in 0..<size {
            let taken = number(index &* count / size)
            var place = index
            while place > 0, sample[place &- 1] > taken {
                sample[place] = sample[place &- 1]
                place &-= 1
            }
            sample[place] = taken
        }
        return sample[size / 2]
    }
}
