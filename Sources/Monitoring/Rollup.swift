#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How a series is summed up.
package enum SeriesKind: String, Sendable, Hashable, CaseIterable {
    /// A level that is measured again and again: concentration, temperature.
    case gauge
    /// A count that only grows, and falls to 0 when its device is reset: a weighbridge's tonnage.
    case counter
    /// An amount per interval: rain.
    case sum
}

/// What a bucket keeps of its readings: a pure function of the served readings of one series, in time order.
///
/// `n` counts readings of every status; everything else counts status 00 only (invariant I14). An hour is folded from
/// its readings, a day from its hours in order (I4); both give the same bits whatever order the readings arrived in.
package struct Rollup: Sendable, Hashable {
    package var n: Int = 0
    package var nValid: Int = 0
    package var nCalibrating: Int = 0
    package var nFault: Int = 0
    /// Sum of values; of a counter, of the increments between consecutive readings of the bucket; of a direction, of
    /// the sines.
    package var sum: Double = 0
    /// Sum of the cosines of a direction; 0 otherwise.
    package var sumCosine: Double = 0
    package var min: Double = 0
    package var minAtMilliseconds: Int64 = 0
    package var max: Double = 0
    package var maxAtMilliseconds: Int64 = 0
    package var first: Double = 0
    package var last: Double = 0

    package init() {}

    /// Takes the next reading in time.
    package mutating func add(_ value: Double, status: Status, atMilliseconds time: Int64, method: Method) {
        self.n += 1
        guard status.isMeasuring else {
            if status == .calibrating { self.nCalibrating += 1 }
            if status == .fault { self.nFault += 1 }
            return
        }
        switch method {
        case .plain: self.sum += value
        case .counter: if self.nValid > 0 { self.sum += increment(from: self.last, to: value) }
        case .direction:
            let radians = value * (Double.pi / 180)
            self.sum += sin(radians)
            self.sumCosine += cos(radians)
        }
        if self.nValid == 0 || value < self.min {
            self.min = value
            self.minAtMilliseconds = time
        }
        if self.nValid == 0 || value > self.max {
            self.max = value
            self.maxAtMilliseconds = time
        }
        if self.nValid == 0 { self.first = value }
        self.last = value
        self.nValid += 1
    }

    /// Takes the next shorter bucket in time.
    package mutating func add(_ next: Rollup, method: Method) {
        self.n += next.n
        self.nCalibrating += next.nCalibrating
        self.nFault += next.nFault
        guard next.nValid > 0 else { return }
        if method == .counter, self.nValid > 0 { self.sum += increment(from: self.last, to: next.first) }
        self.sum += next.sum
        self.sumCosine += next.sumCosine
        if self.nValid == 0 || next.min < self.min {
            self.min = next.min
            self.minAtMilliseconds = next.minAtMilliseconds
        }
        if self.nValid == 0 || next.max > self.max {
            self.max = next.max
            self.maxAtMilliseconds = next.maxAtMilliseconds
        }
        if self.nValid == 0 { self.first = next.first }
        self.last = next.last
        self.nValid += next.nValid
    }

    /// The mean of the bucket: of a direction the direction of the mean vector in degrees `[0, 360)`; none for a
    /// counter.
    package func mean(method: Method) -> Double? {
        guard self.nValid > 0 else { return nil }
        switch method {
        case .plain: return self.sum / Double(self.nValid)
        case .counter: return nil
        case .direction:
            let degrees = atan2(self.sum, self.sumCosine) * (180 / Double.pi)
            // A hair below 0 becomes 360 by rounding: that is north again.
            let positive = degrees < 0 ? degrees + 360 : degrees
            return positive >= 360 ? 0 : positive
        }
    }

    /// How values of a series combine.
    package enum Method: Sendable, Hashable {
        case plain
        case counter
        case direction
    }
}

/// What a counter grew by between two readings; a counter that fell was reset to 0 in between.
package func increment(from earlier: Double, to later: Double) -> Double {
    later >= earlier ? later - earlier : later
}
