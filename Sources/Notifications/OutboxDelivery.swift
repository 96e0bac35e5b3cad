import AsyncHTTPClient
import Dispatch
package import Logging
package import Monitoring
import ServiceLifecycle
import Synchronization
package import TimeSeriesStore

/// Delivers the outbox: every message at least once, each channel in order, no channel waiting for another.
///
/// A message that is sent and not yet marked when the service dies is sent again, with the same key.
package final class OutboxDelivery: Service {
    /// What delivery needs; wired by the program.
    package struct Context: Sendable {
        package var reader: StoreReader
        package var mailbox: WriterMailbox
        /// The channels in force now.
        package var channels: @Sendable () -> [WebhookChannel]
        package var bell: OutboxBell
        /// Asked for every minute while the last commit is good; nil for nobody.
        package var heartbeatURL: String?
        package var isLastCommitGood: @Sendable () -> Bool
        package var clock: any WallClock
        package var logger: Logger

        package init(
            reader: StoreReader, mailbox: WriterMailbox, channels: @escaping @Sendable () -> [WebhookChannel],
            bell: OutboxBell, heartbeatURL: String? = nil,
            isLastCommitGood: @escaping @Sendable () -> Bool = { true }, clock: any WallClock, logger: Logger
        ) {
            self.reader = reader
            self.mailbox = mailbox
            self.channels = channels
            self.bell = bell
            self.heartbeatURL = heartbeatURL
            self.isLastCommitGood = isLastCommitGood
            self.clock = clock
            self.logger = logger
        }
    }

    private struct State {
        var busy: Set<String> = []
        /// Channels that messages name and nobody knows; logged once each.
        var unknown: Set<String> = []
        /// Delivered, but the store could not be told: marked again, not sent again; one per channel.
        var unmarked: [String: Int64] = [:]
        /// Channels that rest until then, whatever the store says: it may be the store that fails.
        var restsUntil: [String: Int64] = [:]
        /// Channels whose last message failed; logged when that changes.
        var failing: Set<String> = []
    }

    private let context: Context
    private let state = Mutex(State())
    /// Reads of the store block: they have a thread of their own.
    private let reads = DispatchQueue(label: "quantrac.outbox.reads")

    package init(context: Context) { self.context = context }

    package func run() async throws {
        let client = WebhookSender.makeClient()
        let sender = WebhookSender(client: client)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await cancelWhenGracefulShutdown {
                    await withDiscardingTaskGroup { group in
                        group.addTask { await self.ringRegularly() }
                        group.addTask { await Heartbeat(context: self.context, sender: sender).run() }
                        for await _ in self.context.bell.rings { await self.scan(sender, in: &group) }
                        group.cancelAll()
                    }
                }
            }
        }
        try await client.shutdown()
    }

    private func ringRegularly() async {
        let clock = self.context.clock
        while !Task.isCancelled {
            self.context.bell.ring()
            try? await clock.sleep(untilMilliseconds: clock.nowMilliseconds + NotificationLimits.scanMilliseconds)
        }
    }

    /// Starts a task for every channel that has something due and is not being written to.
    private func scan(_ sender: WebhookSender, in group: inout DiscardingTaskGroup) async {
        let heads: [PendingOutboxRow]
        do {
            heads = try await self.read { try $0.outboxHeads() }
        } catch {
            return self.context.logger.error("The outbox cannot be read", metadata: ["error": "\(error)"])
        }
        guard !heads.isEmpty else { return }
        let channels = Dictionary(self.context.channels().map { ($0.id, $0) }, uniquingKeysWith: { $1 })
        let now = self.context.clock.nowMilliseconds
        for head in heads where head.dueMilliseconds <= now {
            guard let channel = channels[head.row.channel] else {
                self.noteUnknown(head.row.channel)
                continue
            }
            guard self.begin(channel.id, nowMilliseconds: now) else { continue }
            group.addTask {
                await self.drain(channel, sender)
                self.end(channel.id)
            }
        }
    }

    private func begin(_ channel: String, nowMilliseconds: Int64) -> Bool {
        self.state.withLock { state in
            guard state.restsUntil[channel, default: 0] <= nowMilliseconds,
                state.busy.count < NotificationLimits.channelsAtOnceMax
            else { return false }
            return state.busy.insert(channel).inserted
        }
    }

    private func end(_ channel: String) {
        _ = self.state.withLock { $0.busy.remove(channel) }
        // What came in meanwhile, and what another channel could not start.
        self.context.bell.ring()
    }

    private func noteUnknown(_ channel: String) {
        guard self.state.withLock({ $0.unknown.insert(channel).inserted }) else { return }
        self.context.logger.error(
            "Messages wait for a channel that no rule file knows; they stay until it is there",
            metadata: ["channel": "\(channel)"])
    }

    /// Sends what is due of one channel, oldest first, until there is nothing more or one fails.
    private func drain(_ channel: WebhookChannel, _ sender: WebhookSender) async {
        while !Task.isCancelled {
            let page: [PendingOutboxRow]
            do {
                page = try await self.read {
                    try $0.outbox(channel: channel.id, limit: NotificationLimits.pageRows)
                }
            } catch {
                return self.context.logger.error("The outbox cannot be read", metadata: ["error": "\(error)"])
            }
            for message in page {
                guard message.dueMilliseconds <= self.context.clock.nowMilliseconds,
                    await self.deliver(message.row, to: channel, sender)
                else { return }
            }
            if page.count < NotificationLimits.pageRows { return }
        }
    }

    /// - Returns: Whether the next message of the channel may follow.
    private func deliver(_ message: OutboxRow, to channel: WebhookChannel, _ sender: WebhookSender) async -> Bool {
        let isKnownDelivered = self.state.withLock { $0.unmarked[channel.id] == message.id }
        if !isKnownDelivered, let problem = await sender.post(message.body, key: message.key, to: channel) {
            guard !Task.isCancelled else { return false }
            await self.noteFailure(message, channel, problem)
            return false
        }
        let now = self.context.clock.nowMilliseconds
        do {
            try await self.context.mailbox.submit { try $0.markDelivered(outbox: message.id, atMilliseconds: now) }
        } catch {
            self.state.withLock { state in
                state.unmarked[channel.id] = message.id
                state.restsUntil[channel.id] = now + NotificationLimits.firstRetryMilliseconds
            }
            self.context.logger.error(
                "A delivered message could not be marked; it is marked later",
                metadata: ["channel": "\(channel.id)", "error": "\(error)"])
            return false
        }
        let recovered = self.state.withLock { state in
            state.unmarked[channel.id] = nil
            state.restsUntil[channel.id] = nil
            return state.failing.remove(channel.id) != nil
        }
        if recovered { self.context.logger.notice("Channel works again", metadata: ["channel": "\(channel.id)"]) }
        return true
    }

    private func noteFailure(_ message: OutboxRow, _ channel: WebhookChannel, _ problem: String) async {
        let wait = Backoff.delayMilliseconds(attempt: message.attempts + 1, id: message.id)
        let next = self.context.clock.nowMilliseconds + wait
        let isNew = self.state.withLock { state in
            state.restsUntil[channel.id] = next
            return state.failing.insert(channel.id).inserted
        }
        if isNew {
            self.context.logger.warning(
                "Channel does not take messages; they are kept and tried again",
                metadata: ["channel": "\(channel.id)", "error": "\(problem)"])
        }
        do {
            try await self.context.mailbox.submit {
                try $0.markFailed(outbox: message.id, error: problem, nextMilliseconds: next)
            }
        } catch {
            self.context.logger.error(
                "A failed delivery could not be noted", metadata: ["channel": "\(channel.id)", "error": "\(error)"])
        }
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (StoreReader) throws -> Value
    ) async throws -> Value {
        let reader = self.context.reader
        return try await withCheckedThrowingContinuation { continuation in
            self.reads.async { continuation.resume(with: Result { try body(reader) }) }
        }
    }
}
