import HTTPTypes
import Hummingbird
import Logging

/// A request that cannot be answered, in words for whoever asked.
struct WebFailure: Error, HTTPResponseError, Equatable {
    let status: HTTPResponse.Status
    let message: String

    /// Nothing of that name.
    static func notFound(_ message: String) -> Self { Self(status: .notFound, message: message) }
    /// A query we do not understand; the text names the key and says what is allowed.
    static func badQuery(_ message: String) -> Self { Self(status: .badRequest, message: message) }
    /// Too many requests at once.
    static let busy = Self(
        status: .serviceUnavailable, message: "too many requests at once; try again in a moment")
    static let unreadable = Self(
        status: .internalServerError, message: "the store could not be read; the service's log says why")

    func response(from request: Request, context: some RequestContext) -> Response { self.response }

    /// The answer: `{"error": "…"}`.
    var response: Response {
        var json = JSONWriter()
        json.beginObject()
        json.key("error")
        json.value(self.message)
        json.endObject()
        var response = Response.json(json, status: self.status)
        if self.status == .serviceUnavailable { response.headers[.retryAfter] = String(WebLimits.retryAfterSeconds) }
        return response
    }
}

extension Response {
    /// An answer in JSON; nobody on the way may keep it.
    static func json(_ json: JSONWriter, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: json.buffer))
    }
}

/// Turns whatever goes wrong into `{"error": …}`, and logs what is our fault.
struct FailuresAsJSON<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as WebFailure {
            return failure.response
        } catch is ReadingThreads.Full {
            return WebFailure.busy.response
        } catch let error as HTTPError {
            let text = error.status == .notFound ? "there is nothing at \(request.uri.path)" : error.status.reasonPhrase
            return WebFailure(status: error.status, message: text).response
        } catch {
            context.logger.error("Request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return WebFailure.unreadable.response
        }
    }
}
