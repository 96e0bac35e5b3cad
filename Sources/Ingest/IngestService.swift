package import Alerting
import Foundation
package import Logging
package import Monitoring
import Synchronization
package import TimeSeriesStore

/// What the ingest is told by the settings.
package struct IngestConfiguration: Sendable {
    package var broker: BrokerSettings
    package var timeBounds: DeviceTimeBounds
    package var mergePolicy: MergePolicy
    package var reserveBytes: Int64
    /// The program's.
    package var version: String

    package init(
        broker: BrokerSettings, timeBounds: DeviceTimeBounds, mergePolicy: MergePolicy, reserveBytes: Int64,
        version: String
    ) {
        self.broker = broker
        self.timeBounds = timeBounds
        self.mergePolicy = mergePolicy
        self.reserveBytes = reserveBytes
        self.version = version
    }
}

/// The ingest on its own thread: the one writer of the store.
package final class IngestService: Sendable {
    package let mailbox: WriterMailbox
    package let reader: StoreReader
    package let board = IngestStateBoard()
    private let wake: WakeUp
    private let isStopping = Atomic(false)
    private let stopped = DispatchSemaphore(value: 0)
    private let pendingRules = Mutex<RuleSet?>(nil)

    /// Opens the store, rebuilds what a crash left, and starts the thread.
    ///
    /// - Parameters:
    ///   - clock: our time, ms since 1970.
    ///   - onOutbox: called when there are new messages to deliver.
    ///   - onRefused: called when another live service has the broker's session of our client id and we never had it;
    ///     we go on trying until somebody stops us.
    package init(
        _ configuration: IngestConfiguration, writer: sending StoreWriter, ruleSet: RuleSet, metrics: ServiceMetrics,
        logger: Logger, clock: @escaping @Sendable () -> Int64 = systemMilliseconds,
        onOutbox: @escaping @Sendable () -> Void, onRefused: @escaping @Sendable (SessionInUse) -> Void = { _ in }
    ) throws {
        let wake = try WakeUp()
        self.wake = wake
        self.mailbox = WriterMailbox { wake.signal() }
        self.reader = writer.reader
        let loop = try IngestLoop(
            configuration, writer: writer, ruleSet: ruleSet, board: self.board, metrics: metrics, logger: logger,
            clock: clock, mailbox: self.mailbox, wake: wake, onOutbox: onOutbox, onRefused: onRefused)
        let box = LoopBox(loop: loop)
        let thread = Thread { [self] in
            box.loop.run {
                if let rules = self.pendingRules.withLock({ pending in
                    defer { pending = nil }
                    return pending
                }) {
                    box.loop.rebind(rules, clock())
                }
                return self.isStopping.load(ordering: .acquiring)
            }
            self.stopped.signal()
        }
        thread.name = "quantrac.ingest"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Puts other rules in force, between two batches.
    package func replaceRules(_ ruleSet: RuleSet) {
        self.pendingRules.withLock { $0 = ruleSet }
        self.wake.signal()
    }

    /// Commits, acknowledges, says goodbye to the broker and ends the thread; waits for it.
    package func stop() {
        self.isStopping.store(true, ordering: .releasing)
        self.wake.signal()
        self.stopped.wait()
        self.stopped.signal()
    }
}

/// Hands the loop to its thread; nobody else touches it afterwards.
private struct LoopBox: @unchecked Sendable {
    let loop: IngestLoop
}

/// Our clock, ms since 1970.
@Sendable
package func systemMilliseconds() -> Int64 { SystemTime.nowMilliseconds() }
