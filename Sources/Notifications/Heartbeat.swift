import Logging
import Monitoring

/// Tells somebody outside every minute that the service lives and commits: whoever misses it, pages.
struct Heartbeat: Sendable {
    let context: OutboxDelivery.Context
    let sender: WebhookSender

    func run() async {
        guard let url = self.context.heartbeatURL else { return }
        let clock = self.context.clock
        var isFailing = false
        while !Task.isCancelled {
            if self.context.isLastCommitGood() {
                let problem = await self.sender.get(url)
                if let problem, !isFailing, !Task.isCancelled {
                    self.context.logger.warning("The heartbeat is not taken", metadata: ["error": "\(problem)"])
                }
                isFailing = problem != nil
            }
            try? await clock.sleep(untilMilliseconds: clock.nowMilliseconds + NotificationLimits.heartbeatMilliseconds)
        }
    }
}
