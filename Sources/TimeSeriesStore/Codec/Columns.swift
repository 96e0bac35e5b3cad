package import Monitoring

/// Readings of one series as columns: ascending in time, one per time.
package struct RawColumns: Sendable, Hashable {
    /// Device times, milliseconds since 1970-01-01T00:00:00Z.
    package var times: [Int64]
    package var values: [Double]
    /// `Status.packed` of each reading.
    package var statuses: [UInt64]
    /// Whole seconds since 1970-01-01T00:00:00Z; 0 = "as the station's receipt column says", which costs nothing.
    package var received: [UInt32]

    package init() {
        self.times = []
        self.values = []
        self.statuses = []
        self.received = []
    }

    /// All four must be of one length.
    package init(times: [Int64], values: [Double], statuses: [UInt64], received: [UInt32]) {
        precondition(times.count == values.count && times.count == statuses.count && times.count == received.count)
        self.times = times
        self.values = values
        self.statuses = statuses
        self.received = received
    }

    package var count: Int { self.times.count }
    package var isEmpty: Bool { self.times.isEmpty }

    package mutating func reserveCapacity(_ capacity: Int) {
        self.times.reserveCapacity(capacity)
        self.values.reserveCapacity(capacity)
        self.statuses.reserveCapacity(capacity)
        self.received.reserveCapacity(capacity)
    }

    package mutating func append(time: Int64, value: Double, status: UInt64, received: UInt32) {
        self.times.append(time)
        self.values.append(value)
        self.statuses.append(status)
        self.received.append(received)
    }

    package mutating func append(_ reading: Reading) {
        self.append(
            time: reading.timeMilliseconds,
            value: reading.value,
            status: reading.status.packed,
            received: reading.receivedSeconds
        )
    }

    /// The reading at a position.
    package subscript(index: Int) -> Reading {
        Reading(
            timeMilliseconds: self.times[index],
            value: self.values[index],
            status: Status(packed: self.statuses[index]),
            receivedSeconds: self.received[index]
        )
    }
}

/// What one bucket keeps, and when it starts.
package struct RollupEntry: Sendable, Hashable {
    package var startMilliseconds: Int64
    package var rollup: Rollup

    package init(startMilliseconds: Int64, rollup: Rollup) {
        self.startMilliseconds = startMilliseconds
        self.rollup = rollup
    }
}
