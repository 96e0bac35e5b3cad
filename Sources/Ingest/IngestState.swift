import Synchronization

/// How the ingest is, for `/healthz`, `doctor` and the heartbeat.
package struct IngestState: Sendable, Hashable {
    /// The session stands and the subscriptions were granted.
    package var isConnected = false
    /// Our own marker came back: everything the broker had queued for us was read.
    package var isCaughtUp = false
    /// The last commit or probe succeeded.
    package var canWrite = true
    /// Why we are not reading, or what is wrong; empty when all is well.
    package var reasons: [String] = []
    /// When something was last committed, ms; 0 before the first.
    package var lastCommitMilliseconds: Int64 = 0

    package init() {}
}

/// The state, shared with those who only look.
package final class IngestStateBoard: Sendable {
    private let state = Mutex(IngestState())

    package init() {}

    package var current: IngestState { self.state.withLock { $0 } }

    func update(_ body: (inout IngestState) -> Void) { self.state.withLock { body(&$0) } }
}
