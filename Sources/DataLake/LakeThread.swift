import Dispatch

/// A thread for what blocks: the lake's files, and reads of the store for it.
enum LakeThread {
    private static let queue = DispatchQueue(label: "quantrac.lake")

    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
