import Monitoring
import TimeSeriesStore

/// Makes what stations send: irregular, late, repeated, out of order, and contradicting itself when asked to.
struct Traffic {
    struct Plan {
        /// Samples per station.
        var samples: ClosedRange<Int>
        /// Per cent of samples sent again with another value or status.
        var contradictions = 0
    }

    private var random: TestRandom
    private let registry: Registry

    init(_ registry: Registry, seed: UInt64) {
        self.registry = registry
        self.random = TestRandom(seed: seed)
    }

    mutating func frames(_ plan: Plan) -> [TestFrame] {
        let stations = self.registry.stations.shuffled(using: &self.random).prefix(self.random.int(1...3))
        var messages: [TestMessage] = []
        for station in stations { messages += self.messages(station, plan) }
        switch self.random.int(0...2) {
        case 0: messages.shuffle(using: &self.random)
        case 1: self.disturb(&messages)
        default: break
        }
        var frames: [TestFrame] = []
        var received = TestStations.baseMilliseconds + self.random.int64(0...(20 * 86_400_000))
        let perFrame = self.random.pick([1, 8, 60])
        while !messages.isEmpty {
            let count = min(messages.count, self.random.int(1...(2 * perFrame)))
            frames.append(TestFrame(receivedMilliseconds: received, messages: Array(messages.prefix(count))))
            messages.removeFirst(count)
            received += self.random.int64(0...self.random.pick([999, 60_000, 7_200_000]))
        }
        return frames
    }

    /// Moves some messages a little, as several paths to a broker do.
    private mutating func disturb(_ messages: inout [TestMessage]) {
        for index in messages.indices where self.random.chance(20) {
            messages.swapAt(index, min(messages.count - 1, index + self.random.int(0...5)))
        }
    }

    private mutating func messages(_ station: Station, _ plan: Plan) -> [TestMessage] {
        let samples = self.samples(station, count: self.random.int(plan.samples))
        var all = samples
        for sample in samples where self.random.chance(plan.contradictions) {
            for _ in 0...self.random.int(0...2) { all.append(self.contradiction(sample)) }
        }
        if plan.contradictions > 0, self.random.chance(50) { all.shuffle(using: &self.random) }
        let isNumbered = self.random.chance(60)
        var number = self.random.int64(0...9_000_000_000_000_000)
        let boots = self.random.int(1...3)
        var messages: [TestMessage] = []
        var rest = all[...]
        while !rest.isEmpty {
            let count = min(rest.count, self.random.int(1...6))
            var message = TestMessage(station: station.number, samples: Array(rest.prefix(count)))
            rest.removeFirst(count)
            message.isQoS0 = self.random.chance(5)
            message.quarantinedCount = self.random.chance(5) ? self.random.int(1...3) : 0
            if isNumbered {
                // A few numbers never arrive.
                number += self.random.chance(5) ? self.random.int64(2...4) : 1
                message.sequence = number
                message.boot = "boot\(self.random.int(1...boots))"
            }
            messages.append(message)
            while self.random.chance(10) { messages.append(message) }
            if self.random.chance(3) {
                messages.append(
                    TestMessage(
                        station: self.random.chance(30) ? 0 : station.number, sequence: isNumbered ? number + 1 : nil,
                        boot: message.boot, isDeadLetter: true))
                number += 1
            }
        }
        return messages
    }

    private mutating func samples(_ station: Station, count: Int) -> [TestSample] {
        let parameters = station.seriesIndices.map { self.registry.series[$0] }.shuffled(using: &self.random)
            .prefix(self.random.int(1...4))
        var makers = parameters.map { ValueMaker($0, &self.random) }
        let steps: [Int64] = [1, 1_000, 10_000, 60_000, 300_000, 3_600_000, 7_000_000]
        let step = self.random.pick(steps)
        // Around the days on which the clocks of Lord Howe (3rd) and Berlin (25th) change.
        var time =
            TestStations.baseMilliseconds + 86_400_000 * self.random.pick([2, 10, 24])
            + self.random.int64(0...86_399_999)
        let isRegular = self.random.chance(40)
        var samples: [TestSample] = []
        for _ in 0..<count {
            time += isRegular ? step : self.random.int64(1...(2 * step))
            if self.random.chance(1) { time += self.random.int64(1...(2 * 86_400_000)) }
            var sample = TestSample(timeMilliseconds: time, readings: [])
            for index in makers.indices where makers.count == 1 || self.random.chance(95) {
                sample.readings.append(makers[index].next(&self.random))
            }
            if !sample.readings.isEmpty { samples.append(sample) }
        }
        return samples
    }

    private mutating func contradiction(_ sample: TestSample) -> TestSample {
        var sample = sample
        for index in sample.readings.indices where self.random.chance(60) {
            if self.random.chance(50) {
                sample.readings[index].value = Double(self.random.int(0...3))
            } else {
                sample.readings[index].status = self.random.pick([.measuring, .calibrating, .fault])
            }
        }
        return sample
    }
}

/// The values of one series: few decimals, or any bits at all.
private struct ValueMaker {
    private enum Shape: CaseIterable {
        case walk
        case wild
        case coarse
        case zeros
    }

    private static let oddStatus = Status(packed: 0x7837)
    private static let longStatus = Status(packed: 0x3938_4645_4463_6261)

    private let series: Series
    private let shape: Shape
    private let statuses: Bool
    private var level: Int

    init(_ series: Series, _ random: inout TestRandom) {
        self.series = series
        self.shape = random.pick([.walk, .walk, .wild, .coarse, .zeros])
        self.statuses = random.chance(50)
        self.level = random.int(0...5_000)
    }

    mutating func next(_ random: inout TestRandom) -> TestReading {
        var reading = TestReading(series: self.series.number, value: self.value(&random))
        if self.statuses, random.chance(15) {
            reading.status = random.pick([.calibrating, .fault, Self.oddStatus, Self.longStatus])
        }
        return reading
    }

    private mutating func value(_ random: inout TestRandom) -> Double {
        if self.series.isDirection { return Double(random.int(0...3_599)) / 10 }
        if self.series.kind == .counter {
            self.level = random.chance(2) ? 0 : self.level + random.int(0...40)
            return self.shape == .walk ? Double(self.level) / 10 : Double(self.level) * 0.1
        }
        switch self.shape {
        case .walk:
            self.level += random.int(-20...20)
            return Double(self.level) / 10
        case .coarse: return Double(random.int(-3...3))
        case .zeros: return random.pick([0.0, -0.0, 0.0, 1e-3])
        case .wild:
            while true {
                let number = Double(bitPattern: random.next())
                if number.isFinite { return number }
            }
        }
    }
}
