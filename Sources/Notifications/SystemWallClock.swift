import Monitoring
import TimeSeriesStore

/// The system's time of day.
package struct SystemWallClock: WallClock {
    package init() {}

    package var nowMilliseconds: Int64 { SystemTime.nowMilliseconds() }

    /// Looks at the clock at least once a minute, because somebody may set it.
    package func sleep(untilMilliseconds instant: Int64) async throws {
        try Task.checkCancellation()
        while true {
            let left = instant - self.nowMilliseconds
            guard left > 0 else { return }
            try await Task.sleep(for: .milliseconds(min(left, Civil.millisecondsPerMinute)))
        }
    }
}
