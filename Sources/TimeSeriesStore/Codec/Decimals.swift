/// Doubles as integers: decimals of a common scale, or their bits.
///
/// A short decimal is `Double(m) / 10^scale`, correctly rounded as reading its text is; whether that gives the same
/// bits is tested for every value, so a value is never changed. Some devices keep values in single precision and
/// print all digits of the double (31.399999618530273): there the quotient is rounded to single precision first.
///
/// Where a few values have more decimals than the rest (means among counts, gaps filled by interpolation), these are
/// kept as the integer of the common scale and how far they are from it at the fine scale.
struct DecimalForm: Equatable {
    /// The number of decimals of most values; ``bitsScale`` for the bits themselves.
    var scale: Int
    /// The number of decimals of the rest; the same as `scale` when there is no rest.
    var fineScale: Int
    /// Whether values are decimals rounded to single precision.
    var isSingle: Bool

    /// Decimals beyond 15 are not needed for any short decimal.
    static let scaleMax = 15
    static let bitsScale = 31
    static let bits = DecimalForm(scale: bitsScale, fineScale: bitsScale, isSingle: false)

    var isBits: Bool { self.scale == Self.bitsScale }
}

private let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
]

/// 1.5 × 2^52: adding it rounds a double below 2^51 to an integer, which then stands in the lowest bits.
private let roundingMagic = 6_755_399_441_055_744.0
/// Beyond, the rounding trick does not hold.
private let scaledMax = 2_251_799_813_685_247.0

/// An integer in the order of the double it stands for; its own inverse.
@inline(__always)
func ordered(_ bits: Int64) -> Int64 { bits ^ (bits &>> 63 & Int64.max) }

@inline(__always)
private func rounded(_ scaled: Double) -> Int64 {
    Int64(bitPattern: (scaled + roundingMagic).bitPattern) &- Int64(bitPattern: roundingMagic.bitPattern)
}

@inline(__always)
private func quotient(_ integer: Int64, _ power: Double, isSingle: Bool) -> Double {
    let quotient = Double(integer) / power
    return isSingle ? Double(Float(quotient)) : quotient
}

@inline(__always)
private func isExact(_ value: Double, _ power: Double, isSingle: Bool) -> Bool {
    let scaled = value * power
    guard scaled.magnitude < scaledMax else { return false }
    return quotient(rounded(scaled), power, isSingle: isSingle).bitPattern == value.bitPattern
}

extension DecimalForm {
    /// What integers of the common scale were multiplied with; 1 for bits.
    var power: Double { self.isBits ? 1 : powersOfTen[self.scale] }
    var finePower: Double { self.isBits ? 1 : powersOfTen[self.fineScale] }
    /// What an integer of the common scale is multiplied with to be one of the fine scale.
    var fineFactor: Int64 { self.isBits ? 1 : Int64(powersOfTen[self.fineScale - self.scale]) }

    /// The form that costs least for these values, by estimate.
    static func best(for values: UnsafeBufferPointer<Double>) -> DecimalForm {
        let double = survey(values, isSingle: false)
        guard double.inexact &* 4 > values.count else { return double.form }
        let single = survey(values, isSingle: true)
        let better = single.inexact < double.inexact ? single : double
        return better.inexact &* 2 > values.count ? .bits : better.form
    }

    /// Writes the integer of every value at the common scale, and calls `inexact` for those that it does not give
    /// back.
    func integers(
        of values: UnsafeBufferPointer<Double>,
        into integers: UnsafeMutableBufferPointer<Int64>,
        inexact: (Int) -> Void
    ) {
        if self.isBits {
            for index in values.indices { integers[index] = ordered(Int64(bitPattern: values[index].bitPattern)) }
            return
        }
        let power = self.power
        var before: Int64 = 0
        for index in values.indices {
            let value = values[index]
            let scaled = value * power
            if scaled.magnitude < scaledMax { before = rounded(scaled) }
            integers[index] = before
            if quotient(before, power, isSingle: self.isSingle).bitPattern != value.bitPattern { inexact(index) }
        }
    }

    /// How far a value is, at the fine scale, from its integer at the common scale; nil when it is not exact there
    /// either.
    func fineDistance(of value: Double, from integer: Int64) -> Int64? {
        guard self.fineScale > self.scale, isExact(value, self.finePower, isSingle: self.isSingle) else { return nil }
        return rounded(value * self.finePower) &- integer &* self.fineFactor
    }

    /// The opposite of ``fineDistance(of:from:)``.
    func value(fineDistance: Int64, from integer: Int64) -> Double {
        quotient(integer &* self.fineFactor &+ fineDistance, self.finePower, isSingle: self.isSingle)
    }

    /// The value of every integer.
    func values(of integers: UnsafeMutableBufferPointer<Int64>, into values: UnsafeMutableBufferPointer<Double>) {
        if self.isBits {
            for index in integers.indices {
                values[index] = Double(bitPattern: UInt64(bitPattern: ordered(integers[index])))
            }
            return
        }
        let power = self.power
        if self.isSingle {
            for index in integers.indices { values[index] = quotient(integers[index], power, isSingle: true) }
        } else {
            for index in integers.indices { values[index] = quotient(integers[index], power, isSingle: false) }
        }
    }
}

/// How many decimals the values have: the cheapest form, and how many values are not exact in it.
private func survey(
    _ values: UnsafeBufferPointer<Double>,
    isSingle: Bool
) -> (form: DecimalForm, inexact: Int) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: DecimalForm.scaleMax + 1) { occurrences in
        occurrences.initialize(repeating: 0)
        // The scale tried first is raised when several values in need of more were seen: one odd value does not slow
        // the rest.
        var usual = 0
        var exactAtNone = 0
        var oddBefore: UInt64 = 0
        for value in values {
            var scale = usual
            let scaled = value * powersOfTen[usual]
            if isExact(value, powersOfTen[usual], isSingle: isSingle) {
                var integer = rounded(scaled)
                while scale > 0, integer % 10 == 0 {
                    integer /= 10
                    scale &-= 1
                }
                occurrences[scale] &+= 1
                continue
            }
            scale &+= 1
            while scale <= DecimalForm.scaleMax, !isExact(value, powersOfTen[scale], isSingle: isSingle) { scale &+= 1 }
            guard scale <= DecimalForm.scaleMax else {
                if value.bitPattern != oddBefore { exactAtNone &+= 1 }
                oddBefore = value.bitPattern
                continue
            }
            occurrences[scale] &+= 1
            if occurrences[scale] >= 4 { usual = scale }
        }
        return cheapest(UnsafeBufferPointer(occurrences), exactAtNone: exactAtNone, count: values.count, isSingle)
    }
}

/// The cheapest pair of scales, by estimate in bytes.
private func cheapest(
    _ occurrences: UnsafeBufferPointer<Int>,
    exactAtNone: Int,
    count: Int,
    _ isSingle: Bool
) -> (form: DecimalForm, inexact: Int) {
    /// log2(10) bits.
    let digit = 0.415
    var best = DecimalForm(scale: 0, fineScale: 0, isSingle: isSingle)
    var bestCost = Double.infinity
    var bestInexact = 0
    var inexact = exactAtNone
    for fineScale in stride(from: DecimalForm.scaleMax, through: 0, by: -1) {
        var fine = 0
        for scale in stride(from: fineScale, through: 0, by: -1) {
            // An exception costs its bits and its place; a value of the fine scale its decimals and its place.
            let cost =
                Double(count * scale) * digit + Double(inexact) * 9
                + Double(fine) * (1 + digit * Double(fineScale - scale)) + (fine > 0 ? 8 : 0)
            if cost < bestCost {
                best = DecimalForm(scale: scale, fineScale: fine > 0 ? fineScale : scale, isSingle: isSingle)
                (bestCost, bestInexact) = (cost, inexact)
            }
            fine &+= occurrences[scale]
        }
        inexact &+= occurrences[fineScale]
    }
    return (best, bestInexact)
}
