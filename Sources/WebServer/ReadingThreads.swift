import Dispatch
import Synchronization

/// A few threads for reads that block, with a bounded queue before them.
///
/// The cooperative pool has as many threads as there are cores; one read of SQLite on it would hold up every request.
final class ReadingThreads: Sendable {
    /// More requests wait than `WebLimits.readsWaitingMax`.
    struct Full: Error {}

    private typealias Work = @Sendable () -> Void

    private struct State {
        var running = 0
        /// Oldest first.
        var waiting: [Work] = []
    }

    private enum Admission {
        case starts
        case waits
        case refused
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "quantrac.web.reads", attributes: .concurrent)
    private let atOnceMax: Int
    private let waitingMax: Int

    init(atOnceMax: Int = WebLimits.readsAtOnceMax, waitingMax: Int = WebLimits.readsWaitingMax) {
        self.atOnceMax = atOnceMax
        self.waitingMax = waitingMax
    }

    /// Requests that wait now.
    var waitingCount: Int { self.state.withLock { $0.waiting.count } }

    /// Runs `body` on one of the threads; throws ``Full`` when too many wait already.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let work: Work = { continuation.resume(with: Result { try body() }) }
            let admission = self.state.withLock { state in
                if state.running < self.atOnceMax {
                    state.running += 1
                    return Admission.starts
                }
                guard state.waiting.count < self.waitingMax else { return .refused }
                state.waiting.append(work)
                return .waits
            }
            switch admission {
            case .starts: self.queue.async { self.work(off: work) }
            case .waits: break
            case .refused: continuation.resume(throwing: Full())
            }
        }
    }

    /// Does one piece of work and then those that wait.
    private func work(off first: @escaping @Sendable () -> Void) {
        var next: Work? = first
        while let work = next {
            work()
            next = self.state.withLock { state in
                guard !state.waiting.isEmpty else {
                    state.running -= 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
        }
    }
}
