import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Monitoring
import NIOCore
import NIOEmbedded
import Synchronization
import TimeSeriesStore

@testable import WebServer

/// Asks the routes without a socket.
struct RouterProbe {
    struct Answer {
        let status: Int
        let headers: HTTPFields
        let body: String

        /// The body as JSON.
        func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(self.body.utf8)) }
        func object() throws -> [String: Any] { try self.json() as? [String: Any] ?? [:] }
        /// What `error` says.
        var error: String { ((try? self.object())?["error"] as? String) ?? "" }
    }

    let context: WebContext
    private let responder: RouterResponder<BasicRequestContext>

    init(
        _ store: TestStore, clock: ManualClock = ManualClock(0), threads: ReadingThreads = ReadingThreads(),
        metrics: ServiceMetrics = ServiceMetrics(),
        health: @escaping @Sendable () -> HealthReport = { .fine }
    ) {
        self.context = WebContext(
            reader: store.reader, metrics: metrics, health: health, clock: clock, logger: Logger(label: "test"))
        self.responder = WebRoutes(context: self.context, threads: threads).router().buildResponder()
    }

    func get(_ path: String, method: HTTPRequest.Method = .get) async throws -> Answer {
        let head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path)
        let context = BasicRequestContext(
            source: ApplicationRequestContextSource(channel: NIOAsyncTestingChannel(), logger: Logger(label: "test")))
        let response = try await self.responder.respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer())), context: context)
        let collected = CollectingWriter()
        try await response.body.write(collected)
        return Answer(status: Int(response.status.code), headers: response.headers, body: collected.text)
    }
}

extension HealthReport {
    static let fine = HealthReport(
        reasons: [], isBrokerConnected: true, isCaughtUp: true, lastCommitMilliseconds: 1_000,
        clockOffsetSeconds: 0.001)
}

private final class CollectingWriter: ResponseBodyWriter {
    private let collected = Mutex(ByteBuffer())

    var text: String { self.collected.withLock { String(buffer: $0) } }

    func write(_ buffer: ByteBuffer) async throws { self.collected.withLock { _ = $0.writeImmutableBuffer(buffer) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
