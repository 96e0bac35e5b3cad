import Foundation
import Monitoring
import TimeSeriesStore

/// The seed of the property tests: `QUANTRAC_TEST_SEED`, else random; printed, and in every failure.
enum CodecSeed {
    static let value: UInt64 = {
        let given = ProcessInfo.processInfo.environment["QUANTRAC_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0..<1 << 32)
        print("codec tests: QUANTRAC_TEST_SEED=\(seed)")
        return seed
    }()

    /// For tests of sizes: a size belongs to its sample, and a bound tight enough to mean something fails on some samples.
    static let ofSizes: UInt64 = 1
}

/// SplitMix64.
struct CodecRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var bits = self.state
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }

    /// About normally distributed, mean 0, deviation 1.
    mutating func noise() -> Double {
        (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
    }
}

enum CodecSeriesShape: CaseIterable {
    case constant, oneDecimal, threeDecimals, hundreds, counter, mostlyZero, single, bits, direction, mixed, subnormal,
        step
}

enum CodecTimeShape: CaseIterable {
    case regular, gaps, jittered, arbitrary
}

extension ChunkCodec {
    func decoded(_ bytes: [UInt8]) throws -> RawColumns { try bytes.withUnsafeBytes { try self.decode($0) } }

    func decodedRollups(_ bytes: [UInt8]) throws -> [RollupEntry] {
        try bytes.withUnsafeBytes { try self.decodeRollups($0) }
    }
}

extension RawColumns {
    /// What two columns must share to be the same bit for bit (`==` holds -0.0 equal to 0.0).
    var exactBits: [[UInt64]] {
        [
            self.times.map { UInt64(bitPattern: $0) }, self.values.map(\.bitPattern), self.statuses,
            self.received.map(UInt64.init),
        ]
    }

    init(shape: CodecSeriesShape, times: CodecTimeShape, count: Int? = nil, random: inout CodecRandom) {
        self.init()
        let count = count ?? Int.random(in: 1...(3 << Int.random(in: 0...9, using: &random)), using: &random)
        var time = Int64.random(in: 1_000_000_000_000..<1_900_000_000_000, using: &random)
        let interval = [1_000, 10_000, 60_000, 300_000][Int.random(in: 0..<4, using: &random)]
        var level = Double.random(in: 0..<100, using: &random)
        let hasStatuses = Int.random(in: 0..<3, using: &random) == 0
        let hasReceived = Int.random(in: 0..<3, using: &random) == 0
        for _ in 0..<count {
            level = level * 0.98 + random.noise()
            let isFaulty = hasStatuses && Int.random(in: 0..<20, using: &random) == 0
            self.append(
                time: time,
                value: shape.value(level, after: self.values.last ?? 0, random: &random),
                status: isFaulty ? 0x3230 : 0x3030,
                received: hasReceived ? UInt32(time / 1000 + Int64.random(in: 0...5, using: &random)) : 0
            )
            time += times.step(interval: Int64(interval), random: &random)
        }
    }

    /// The buckets of one width, folded naively.
    func rollups(widthMilliseconds width: Int64, method: Rollup.Method) -> [RollupEntry] {
        var entries: [RollupEntry] = []
        for index in 0..<self.count {
            let start = self.times[index] / width * width
            if entries.last?.startMilliseconds != start {
                entries.append(RollupEntry(startMilliseconds: start, rollup: Rollup()))
            }
            let status = Status(packed: self.statuses[index])
            let time = self.times[index]
            entries[entries.count - 1].rollup.add(
                self.values[index], status: status, atMilliseconds: time, method: method)
        }
        return entries
    }
}

extension CodecTimeShape {
    func step(interval: Int64, random: inout CodecRandom) -> Int64 {
        switch self {
        case .regular: interval
        case .gaps:
            Int.random(in: 0..<50, using: &random) == 0 ? interval * Int64.random(in: 2...99, using: &random) : interval
        case .jittered: interval + Int64.random(in: -300...300, using: &random)
        case .arbitrary: Int64.random(in: 1...10_000_000, using: &random)
        }
    }
}

extension CodecSeriesShape {
    func value(_ level: Double, after last: Double, random: inout CodecRandom) -> Double {
        switch self {
        case .constant: 4.2
        case .oneDecimal: (level * 10).rounded() / 10
        case .threeDecimals: (level * 1000).rounded() / 1000
        case .hundreds: level.rounded() * 100
        case .counter: Int.random(in: 0..<200, using: &random) == 0 ? 0 : last + level.magnitude.rounded()
        case .mostlyZero: Int.random(in: 0..<20, using: &random) == 0 ? (level * 10).rounded() / 10 : 0
        case .single: Double(Float((level * 100).rounded() / 100))
        case .bits: level
        case .direction: (level * 10).rounded() / 10 + 180
        case .mixed:
            switch Int.random(in: 0..<6, using: &random) {
            case 0: level
            case 1: -0.0
            case 2: (level * 1e6).rounded() / 1e6
            default: (level * 10).rounded() / 10
            }
        case .subnormal: Double(bitPattern: UInt64.random(in: 0..<1 << 20, using: &random))
        case .step: (level / 0.25).rounded() * 0.25
        }
    }
}

extension RollupEntry {
    /// Every bit that must come back.
    var exactBits: [UInt64] {
        let doubles = [rollup.sum, rollup.sumCosine, rollup.min, rollup.max, rollup.first, rollup.last].map(
            \.bitPattern)
        let counts = [rollup.n, rollup.nValid, rollup.nCalibrating, rollup.nFault].map { UInt64(bitPattern: Int64($0)) }
        let times = [startMilliseconds, rollup.minAtMilliseconds, rollup.maxAtMilliseconds]
        return doubles + counts + times.map { UInt64(bitPattern: $0) }
    }

    /// Fields that no readings would give, for the codec must not depend on sense.
    init(arbitrary random: inout CodecRandom) {
        var rollup = Rollup()
        rollup.n = Int.random(in: 0...100, using: &random)
        rollup.nValid = Int.random(in: 0...3, using: &random)
        rollup.nFault = Int.random(in: 0...100, using: &random)
        rollup.sum = Double(bitPattern: random.next() >> 2)
        rollup.sumCosine = Bool.random(using: &random) ? 0 : random.noise()
        rollup.min = (random.noise() * 10).rounded() / 10
        rollup.minAtMilliseconds = Int64(bitPattern: random.next())
        rollup.max = -0.0
        rollup.maxAtMilliseconds = Int64.random(in: 0...9, using: &random)
        rollup.first = random.noise()
        self.init(startMilliseconds: Int64.random(in: 0..<1 << 42, using: &random), rollup: rollup)
    }
}
