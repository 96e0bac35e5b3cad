import Dispatch
import Logging
import Monitoring
import ServiceLifecycle
import Testing

@testable import WebServer

/// The few things only a socket shows.
struct LiveServerTests {
    @Test func `a taken port is named`() async throws {
        let store = try TestStore([.station("st-1", [("PM10", "µg/m³", false)])])
        let ports = AsyncStream.makeStream(of: Int.self)
        let metrics = ServiceMetrics()
        func context(port: Int) -> WebContext {
            WebContext(
                port: port, reader: store.reader, metrics: metrics, health: { .fine }, clock: ManualClock(0),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                onListening: { ports.continuation.yield($0) })
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: WebServer(context: context(port: 0)))],
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.stream.makeAsyncIterator()
            let port = try #require(await iterator.next())
            #expect(port > 0)
            await #expect(throws: WebServerError.portTaken(host: "127.0.0.1", port: port)) {
                try await WebServer(context: context(port: port)).run()
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
