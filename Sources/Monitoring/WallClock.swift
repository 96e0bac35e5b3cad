/// The time of day, as a port: the shell implements it, tests move it by hand.
package protocol WallClock: Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    var nowMilliseconds: Int64 { get }

    /// Returns when the clock shows the instant, at once when it already does; throws when the task is cancelled.
    func sleep(untilMilliseconds: Int64) async throws
}
