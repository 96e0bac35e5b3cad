import Monitoring

/// What goes wrong inside one station, between its instruments and its logger.
package struct SampleFaults: Sendable {
    private let rates: FaultRates
    private var random: SeededGenerator
    private var dropOut: Episode?
    private var stuck: (episode: Episode, quantity: Quantity)?
    private var drift: (episode: Episode, perSample: Double)?
    private var calibration: Episode?
    private var skew: (episode: Episode, milliseconds: Int64?)?
    private var midnightJump: Episode?
    private var offline: Episode?
    private var lastLocalDay: Int64?

    /// A fault that lasts: how many samples it has lasted, and will in all; and the parameter it concerns.
    private struct Episode {
        var elapsed = 0
        let samples: Int
        let parameter: Int?
    }

    package init(rates: FaultRates, seed: UInt64) {
        self.rates = rates
        self.random = SeededGenerator(seed: seed)
    }

    /// Whether the link is down at the sample last taken.
    package var isOffline: Bool { self.offline != nil }

    /// What the logger gets instead of a true sample: nothing, a changed one, or a second, corrected one after it.
    package mutating func apply(_ sample: Sample, parameters: [ParameterPlan]) -> [Sample] {
        guard !self.rates.isEmpty, !sample.values.isEmpty else { return [sample] }
        var sample = sample
        self.advanceOffline()
        self.applyClock(&sample)
        self.applyStuck(&sample)
        self.applyDrift(&sample, parameters: parameters)
        if self.random.happens(self.rates[.spike]) { self.spike(&sample) }
        self.applyCalibration(&sample)
        self.applyDropOut(&sample)
        if sample.values.isEmpty { return [] }
        if self.random.happens(self.rates[.poison] / 2) {
            self.poison(&sample)
            return [sample]
        }
        guard self.random.happens(self.rates[.revision]), !self.isOffline else { return [sample] }
        return [sample, self.revised(sample)]
    }

    private mutating func begin(_ fault: Fault, samples: ClosedRange<Int>, of sample: Sample?) -> Episode? {
        guard self.random.happens(self.rates[fault]) else { return nil }
        let length = Int.random(in: samples, using: &self.random)
        return Episode(samples: length, parameter: sample.map { self.anyParameter($0) })
    }

    private mutating func anyParameter(_ sample: Sample) -> Int {
        sample.values[Int.random(in: sample.values.indices, using: &self.random)].parameterIndex
    }

    private func continued(_ episode: Episode) -> Episode? {
        var episode = episode
        episode.elapsed += 1
        return episode.elapsed < episode.samples ? episode : nil
    }

    private mutating func advanceOffline() {
        self.offline = self.offline.flatMap(self.continued) ?? self.begin(.offlineBurst, samples: 20...400, of: nil)
    }

    private mutating func applyClock(_ sample: inout Sample) {
        if let skew = self.skew {
            self.skew = self.continued(skew.episode).map { ($0, skew.milliseconds) }
        } else if let episode = self.begin(.clockSkew, samples: 5...50, of: nil) {
            self.skew = (episode, self.skewMilliseconds())
        }
        if let skew = self.skew {
            // Nil: the battery of the clock is empty, and it counts from the year 2000.
            let dead = 946_684_800_000 + sample.timeMilliseconds % Civil.millisecondsPerDay
            sample.timeMilliseconds = skew.milliseconds.map { sample.timeMilliseconds + $0 } ?? dead
            return
        }
        let local = sample.timeMilliseconds + Weather.offsetMilliseconds
        let day = Civil.floorDivide(local, Civil.millisecondsPerDay)
        if let last = self.lastLocalDay, last != day {
            self.midnightJump = self.begin(.midnightJump, samples: 1...10, of: nil)
        } else {
            self.midnightJump = self.midnightJump.flatMap(self.continued)
        }
        self.lastLocalDay = day
        if self.midnightJump != nil { sample.timeMilliseconds -= Civil.millisecondsPerDay }
    }

    /// Never a whole number of seconds, so that a wrong time does not meet a true one.
    private mutating func skewMilliseconds() -> Int64? {
        let odd = Int64.random(in: 1...999, using: &self.random)
        return switch Int.random(in: 0..<5, using: &self.random) {
        case 0: nil
        case 1: Int64.random(in: 1_800...93_600, using: &self.random) * 1_000 + odd
        case 2: -Int64.random(in: 1_800...93_600, using: &self.random) * 1_000 - odd
        case 3: -Int64.random(in: 1...600, using: &self.random) * 1_000 - odd
        default: Int64.random(in: 1...90, using: &self.random) * 1_000 + odd
        }
    }

    private mutating func applyStuck(_ sample: inout Sample) {
        if let stuck = self.stuck {
            self.stuck = self.continued(stuck.episode).map { ($0, stuck.quantity) }
        } else if let episode = self.begin(.stuck, samples: 10...120, of: sample),
            let position = sample.values.firstIndex(where: { $0.parameterIndex == episode.parameter })
        {
            self.stuck = (episode, sample.values[position].quantity)
        }
        guard let stuck = self.stuck else { return }
        for position in sample.values.indices where sample.values[position].parameterIndex == stuck.episode.parameter {
            sample.values[position].quantity = stuck.quantity
        }
    }

    private mutating func applyDrift(_ sample: inout Sample, parameters: [ParameterPlan]) {
        if let drift = self.drift {
            self.drift = self.continued(drift.episode).map { ($0, drift.perSample) }
        } else if let episode = self.begin(.drift, samples: 100...1_000, of: sample) {
            self.drift = (episode, self.random.between(-0.001, 0.002))
        }
        guard let drift = self.drift else { return }
        for position in sample.values.indices where sample.values[position].parameterIndex == drift.episode.parameter {
            let value = sample.values[position]
            guard let number = value.quantity.number, parameters[value.parameterIndex].kind != .counter else {
                continue
            }
            let factor = 1 + drift.perSample * Double(drift.episode.elapsed)
            sample.values[position].quantity = Quantity(
                number * factor, decimals: parameters[value.parameterIndex].decimals)
        }
    }

    private mutating func spike(_ sample: inout Sample) {
        let position = Int.random(in: sample.values.indices, using: &self.random)
        guard case .decimal(let scaled, let decimals) = sample.values[position].quantity else { return }
        let factor = Int64.random(in: 8...60, using: &self.random)
        sample.values[position].quantity = .decimal(scaled: scaled &* factor, decimals: decimals)
    }

    /// Zero gas for the first half of the window, span gas after it.
    private mutating func applyCalibration(_ sample: inout Sample) {
        self.calibration =
            self.calibration.flatMap(self.continued) ?? self.begin(.calibration, samples: 3...15, of: sample)
        guard let calibration = self.calibration else { return }
        for position in sample.values.indices
        where sample.values[position].parameterIndex == calibration.parameter {
            sample.values[position].status = .calibrating
            guard case .decimal(let scaled, let decimals) = sample.values[position].quantity else { continue }
            let isZero = calibration.elapsed * 2 < calibration.samples
            sample.values[position].quantity = .decimal(
                scaled: isZero ? abs(scaled) % 5 : abs(scaled) &* 3 + 100, decimals: decimals)
        }
    }

    /// Half of the drop-outs take the whole sample, half of them one instrument.
    private mutating func applyDropOut(_ sample: inout Sample) {
        self.dropOut = self.dropOut.flatMap(self.continued) ?? self.begin(.dropOut, samples: 1...20, of: sample)
        guard let dropOut = self.dropOut else { return }
        if dropOut.samples % 2 == 0 {
            sample.values = []
        } else {
            sample.values.removeAll { $0.parameterIndex == dropOut.parameter }
        }
    }

    /// One value of a good message is no value.
    private mutating func poison(_ sample: inout Sample) {
        let position = Int.random(in: sample.values.indices, using: &self.random)
        switch Int.random(in: 0..<6, using: &self.random) {
        case 0: sample.values[position].quantity = .literal("null")
        case 1: sample.values[position].quantity = .literal("\"ERR\"")
        case 2: sample.values[position].quantity = .literal("\"12.5\"")
        case 3: sample.values[position].quantity = .literal("1e999")
        case 4: sample.values[position].status = .other("!")
        default:
            sample.values.append(
                SampleValue(parameterIndex: -1, quantity: .decimal(scaled: 125, decimals: 1)))
        }
    }

    /// The same moment with one value corrected, or declared faulty.
    private mutating func revised(_ sample: Sample) -> Sample {
        var revised = sample
        let position = Int.random(in: revised.values.indices, using: &self.random)
        if case .decimal(let scaled, let decimals) = revised.values[position].quantity, self.random.happens(0.7) {
            revised.values[position].quantity = .decimal(
                scaled: scaled + Int64.random(in: 1...30, using: &self.random), decimals: decimals)
        } else {
            revised.values[position].status = .fault
        }
        return revised
    }
}
