import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Posts one message; says whether the receiver has it.
struct WebhookSender: Sendable {
    let client: HTTPClient

    /// Nobody follows a redirect: a receiver that has moved is to be written into the rules file.
    static func makeClient() -> HTTPClient {
        HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: HTTPClient.Configuration(
                redirectConfiguration: .disallow,
                timeout: HTTPClient.Configuration.Timeout(
                    connect: .seconds(NotificationLimits.connectSecondsMax),
                    read: .seconds(NotificationLimits.requestSecondsMax))))
    }

    /// - Returns: nil when it was delivered, else what went wrong.
    func post(_ body: String, key: String, to channel: WebhookChannel) async -> String? {
        var request = HTTPClientRequest(url: channel.url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json; charset=utf-8")
        for header in channel.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        request.headers.replaceOrAdd(name: "Idempotency-Key", value: key)
        request.body = .bytes(ByteBuffer(string: body))
        return await self.send(request)
    }

    /// - Returns: nil when the answer was good, else what went wrong.
    func get(_ url: String) async -> String? { await self.send(HTTPClientRequest(url: url)) }

    private func send(_ request: HTTPClientRequest) async -> String? {
        do {
            let answer = try await self.client.execute(
                request, timeout: .seconds(NotificationLimits.requestSecondsMax))
            // Read to its end, or the connection could not be used again.
            _ = try? await answer.body.collect(upTo: NotificationLimits.answerBytesMax)
            guard (200..<300).contains(answer.status.code) else { return "answered \(answer.status.code)" }
            return nil
        } catch {
            return String("\(error)".prefix(NotificationLimits.errorCharactersMax))
        }
    }
}
