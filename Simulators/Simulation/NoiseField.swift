import Monitoring

/// Randomness that is a function: the same seed, channel and time always give the same number.
///
/// Nothing is remembered, so a simulator that is stopped and started again continues the very same curves, and a
/// station may be asked for any moment in any order. No function of the C library is used: the numbers are the same
/// everywhere.
package struct NoiseField: Sendable, Hashable {
    package let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// A field of its own for one site, station or instrument.
    package func derived(_ label: UInt64) -> NoiseField { NoiseField(seed: mixed(self.seed ^ mixed(label))) }

    /// 64 random bits of a channel at an index.
    package func bits(_ channel: UInt64, _ index: Int64) -> UInt64 {
        mixed(self.seed ^ mixed(UInt64(bitPattern: index) &+ channel &* 0xD1B5_4A32_D192_ED03))
    }

    /// Uniform in 0..<1.
    package func uniform(_ channel: UInt64, _ index: Int64) -> Double { unitInterval(self.bits(channel, index)) }

    /// Mean 0, standard deviation 1, never beyond ±3.5: the sum of four uniforms, which is what one hash gives for
    /// free.
    package func white(_ channel: UInt64, _ index: Int64) -> Double {
        let bits = self.bits(channel, index)
        let sum =
            Int64(bits & 0xFFFF) + Int64(bits >> 16 & 0xFFFF) + Int64(bits >> 32 & 0xFFFF) + Int64(bits >> 48)
        return (Double(sum) / 65_535 - 2) * 1.732_050_8
    }

    /// A smooth curve within ±1 that takes a new direction about once a period.
    package func smooth(_ channel: UInt64, _ milliseconds: Int64, period: Int64) -> Double {
        let knot = Civil.floorDivide(milliseconds, period)
        let fraction = Double(milliseconds - knot * period) / Double(period)
        let before = self.uniform(channel, knot) * 2 - 1
        let after = self.uniform(channel, knot + 1) * 2 - 1
        return before + (after - before) * fraction * fraction * (3 - 2 * fraction)
    }

    /// `smooth` with finer ripples on it, about within ±1.
    package func rippled(_ channel: UInt64, _ milliseconds: Int64, period: Int64) -> Double {
        (self.smooth(channel, milliseconds, period: period)
            + self.smooth(channel &+ 1, milliseconds, period: max(period / 5, 1)) * 0.4) / 1.2
    }
}

/// A small fast generator (SplitMix64) for what does need a sequence: which message a fault hits.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        return mixed(self.state)
    }

    /// Uniform in 0..<1.
    package mutating func uniform() -> Double { unitInterval(self.next()) }

    /// Whether something of this probability happens now.
    package mutating func happens(_ probability: Double) -> Bool {
        probability > 0 && self.uniform() < probability
    }

    /// Uniform in the range.
    package mutating func between(_ low: Double, _ high: Double) -> Double { low + (high - low) * self.uniform() }
}

/// Shapes of a day or a year, without the C library's trigonometry.
package enum Shape {
    /// A sine of period 1 (Bhaskara's rational form; off by at most 0.002).
    package static func wave(_ turns: Double) -> Double {
        let fraction = turns - turns.rounded(.down)
        let half = fraction < 0.5 ? fraction * 2 : fraction * 2 - 1
        let arch = half * (1 - half)
        let sine = 16 * arch / (5 - 4 * arch)
        return fraction < 0.5 ? sine : -sine
    }

    /// 1 at the centre, ½ at `width` hours to either side, on the clock of 24 hours.
    package static func bump(hour: Double, centre: Double, width: Double) -> Double {
        var distance = abs(hour - centre)
        if distance > 12 { distance = 24 - distance }
        let ratio = distance / width
        return 1 / (1 + ratio * ratio)
    }

    /// Rises smoothly from 0 at `low` to 1 at `high`.
    package static func step(_ value: Double, _ low: Double, _ high: Double) -> Double {
        let fraction = min(max((value - low) / (high - low), 0), 1)
        return fraction * fraction * (3 - 2 * fraction)
    }
}

private func mixed(_ word: UInt64) -> UInt64 {
    var mixed = word
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
}

private func unitInterval(_ bits: UInt64) -> Double { Double(bits >> 11) * 0x1p-53 }
