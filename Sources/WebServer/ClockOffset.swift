#if os(Linux)
import CTimex

/// What the kernel knows of the clock's error, told to it by chrony or ntpd.
package enum ClockOffset {
    /// Seconds our clock is off; nil when no time service disciplines the clock.
    package static func seconds() -> Double? {
        var state = timex()
        // With no mode set this only reads; it needs no privilege. The answer TIME_ERROR says that nobody keeps the
        // clock.
        let answer = adjtimex(&state)
        guard answer >= 0, answer != TIME_ERROR, state.status & STA_UNSYNC == 0 else { return nil }
        return Double(state.offset) / (state.status & STA_NANO != 0 ? 1e9 : 1e6)
    }
}
#else
/// Elsewhere the kernel is not asked.
package enum ClockOffset {
    package static func seconds() -> Double? { nil }
}
#endif
