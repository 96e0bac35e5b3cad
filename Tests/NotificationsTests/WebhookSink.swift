import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// A receiver of webhooks on a socket, that answers as the test says and remembers what it was sent.
final class WebhookSink: Sendable {
    struct Request: Sendable, Equatable {
        let path: String
        let key: String?
        let secret: String?
        let body: String
    }

    private struct State {
        var requests: [Request] = []
        var answer: @Sendable (Request) -> HTTPResponse.Status = { _ in .ok }
        /// Paths whose requests are not answered.
        var silent: Set<String> = []
    }

    private let state = Mutex(State())
    private let arrived = AsyncStream.makeStream(of: Request.self)

    var requests: [Request] { self.state.withLock { $0.requests } }

    func answer(_ body: @escaping @Sendable (Request) -> HTTPResponse.Status) {
        self.state.withLock { $0.answer = body }
    }

    func stayQuiet(at path: String) { self.state.withLock { _ = $0.silent.insert(path) } }

    /// Requests as they come; one listener.
    var arrivals: AsyncStream<Request> { self.arrived.stream }

    /// Runs the receiver while `body` runs; the text is its address.
    func run(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
        let ports = AsyncStream.makeStream(of: Int.self)
        let router = Router()
        router.on("{path}", method: .post) { request, _ in try await self.take(request) }
        router.on("{path}", method: .get) { request, _ in try await self.take(request) }
        let quiet = Logger(label: "sink", factory: { _ in SwiftLogNoOpLogHandler() })
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { ports.continuation.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        let group = ServiceGroup(configuration: .init(services: [application], logger: quiet))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.stream.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            do {
                try await body("http://127.0.0.1:\(port)")
            } catch {
                tasks.cancelAll()
                throw error
            }
            // Connections that are never answered would hold up a graceful shutdown.
            tasks.cancelAll()
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    private func take(_ request: Hummingbird.Request) async throws -> HTTPResponse.Status {
        let body = try await request.body.collect(upTo: 1 << 20)
        let taken = Request(
            path: request.uri.path, key: request.headers[HTTPField.Name("Idempotency-Key")!],
            secret: request.headers[HTTPField.Name("X-Key")!], body: String(buffer: body))
        let (answer, isSilent) = self.state.withLock { state in
            state.requests.append(taken)
            return (state.answer(taken), state.silent.contains(taken.path))
        }
        self.arrived.continuation.yield(taken)
        if isSilent { try await Task.sleep(for: .seconds(3_600)) }
        return answer
    }
}
