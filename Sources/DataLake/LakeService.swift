import Logging
import Monitoring
import ServiceLifecycle
import TimeSeriesStore

/// Runs the publisher by itself: half an hour after each midnight, every six hours for what changed, and soon after a
/// failure.
package struct LakeService: Service {
    private let publisher: LakePublisher

    package init(publisher: LakePublisher) { self.publisher = publisher }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async {
        let context = self.publisher.context
        var next = context.clock.nowMilliseconds + LakeLimits.startMilliseconds
        while true {
            do { try await context.clock.sleep(untilMilliseconds: next) } catch { return }
            // The publisher logs what goes wrong and keeps it for `lake status`.
            let report = try? await self.publisher.publish(.schedule)
            guard !Task.isCancelled else { return }
            next = Self.nextRun(
                afterMilliseconds: context.clock.nowMilliseconds, zone: context.zone,
                hasFailed: report.map { !$0.failed.isEmpty } ?? true)
        }
    }

    /// When to look again.
    static func nextRun(afterMilliseconds now: Int64, zone: Zone, hasFailed: Bool) -> Int64 {
        if hasFailed { return now + LakeLimits.retryMilliseconds }
        let today = zone.localDay(at: now)
        let settling = [today - 1, today].map { LakeStatus.settles($0, zone: zone) }.filter { $0 > now }
        return min(settling.min() ?? .max, now + LakeLimits.restateMilliseconds)
    }
}
