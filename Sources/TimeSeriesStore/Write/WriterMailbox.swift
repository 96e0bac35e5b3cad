import Dispatch
import Synchronization

/// How everybody but the writing thread writes: leaves work in the mailbox and waits until that thread has done it.
package final class WriterMailbox: Sendable {
    private typealias Work = @Sendable (Result<StoreWriterBox, any Error>) -> Void

    private struct State {
        var work: [Work] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Called when there is work; wakes the writing thread.
    private let wake: @Sendable () -> Void

    package init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    /// Runs `body` on the writing thread, between two batches.
    package func submit<Value: Sendable>(
        _ body: @escaping @Sendable (StoreWriter) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.post { result in
                continuation.resume(with: result.flatMap { box in Result { try body(box.writer) } })
            }
        }
    }

    /// The same for a caller on a thread of its own, which waits.
    package func submitAndWait<Value: Sendable>(
        _ body: @escaping @Sendable (StoreWriter) throws -> Value
    ) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<Result<Value, any Error>?>(nil)
        self.post { result in
            let value = result.flatMap { box in Result { try body(box.writer) } }
            answer.withLock { $0 = value }
            done.signal()
        }
        done.wait()
        guard let value = answer.withLock({ $0 }) else { throw StoreError(.refused, "the service is stopping") }
        return try value.get()
    }

    private func post(_ work: @escaping Work) {
        let isClosed = self.state.withLock { state in
            if !state.isClosed { state.work.append(work) }
            return state.isClosed
        }
        if isClosed { work(.failure(StoreError(.refused, "the service is stopping"))) } else { self.wake() }
    }

    /// Does what has been left; only the writing thread calls this.
    package func run(on writer: StoreWriter) {
        let work = self.state.withLock { state in
            defer { state.work = [] }
            return state.work
        }
        let box = StoreWriterBox(writer: writer)
        for item in work { item(.success(box)) }
    }

    /// Refuses what is left and what comes.
    package func close() {
        let work = self.state.withLock { state in
            defer { state.work = [] }
            state.isClosed = true
            return state.work
        }
        for item in work { item(.failure(StoreError(.refused, "the service is stopping"))) }
    }
}

/// Hands the writer to work that runs on the writer's own thread.
private struct StoreWriterBox: @unchecked Sendable {
    let writer: StoreWriter
}
