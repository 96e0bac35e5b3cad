import Foundation
import Synchronization

/// A receiver of webhooks that keeps what it gets.
final class WebhookSink: Sendable {
    struct Request: Sendable {
        let start: String
        let headers: [String: String]
        let body: [UInt8]

        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(self.body))) as? [String: Any] ?? [:]
        }
    }

    let port: Int
    private let listener: Listener
    private let requests = Mutex<[Request]>([])
    private let refusals: Mutex<Int>

    /// - Parameter refusing: So many requests are answered with 503 first.
    init(port: Int = 0, refusing: Int = 0) throws {
        let listener = try Listener(port: port)
        self.listener = listener
        self.port = listener.port
        self.refusals = Mutex(refusing)
        let thread = Thread { [weak self] in
            while let connection = listener.next() {
                self?.serve(connection)
                connection.close()
            }
        }
        thread.start()
    }

    deinit { self.listener.close() }

    func close() { self.listener.close() }

    var received: [Request] { self.requests.withLock { $0 } }

    /// Those of one kind: firing, cleared.
    func received(_ kind: String) -> [Request] { self.received.filter { $0.json["kind"] as? String == kind } }

    private func serve(_ connection: Connection) {
        var bytes: [UInt8] = []
        while true {
            let more = connection.read()
            guard !more.isEmpty else { return }
            bytes += more
            guard let message = HTTPMessage(bytes), message.isComplete else { continue }
            let isRefused = self.refusals.withLock { rest in
                guard rest > 0 else { return false }
                rest -= 1
                return true
            }
            if !isRefused {
                let request = Request(start: message.start, headers: message.headers, body: message.body)
                self.requests.withLock { $0.append(request) }
            }
            let status = isRefused ? "503 Service Unavailable" : "204 No Content"
            connection.write(Array("HTTP/1.1 \(status)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8))
            return
        }
    }
}
