/// One value of one series at one device time, as the store serves it.
package struct Reading: Sendable, Hashable {
    /// Device time, milliseconds since 1970-01-01T00:00:00Z.
    package var timeMilliseconds: Int64
    /// In the series' declared unit; always finite.
    package var value: Double
    package var status: Status
    /// When this version first arrived, whole seconds since 1970-01-01T00:00:00Z.
    package var receivedSeconds: UInt32

    package init(timeMilliseconds: Int64, value: Double, status: Status, receivedSeconds: UInt32) {
        self.timeMilliseconds = timeMilliseconds
        self.value = value
        self.status = status
        self.receivedSeconds = receivedSeconds
    }

    /// Identity is (series, time); a version is (value, status), compared bit for bit (invariant I3).
    package func isSameVersion(as other: Reading) -> Bool {
        self.value.bitPattern == other.value.bitPattern && self.status == other.status
    }
}

/// Bounds of what the store can hold, whatever the settings say.
package enum TimeBounds {
    /// 1970-01-02T00:00:00Z: the local day of the earliest reading starts after 1970-01-01T00:00:00Z in every zone.
    package static let earliestMilliseconds: Int64 = 86_400_000
    /// 2^42 ms, in the year 2109: a time fits 42 bits of a chunk's key.
    package static let endMilliseconds: Int64 = 1 << 42
}
