#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The system's time of day: the one place that asks for it.
package enum SystemTime {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package static func nowMilliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}
