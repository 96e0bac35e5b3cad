import HTTPTypes
import Hummingbird
import Monitoring
import NIOCore
import TimeSeriesStore

/// The paths of the API.
struct WebRoutes: Sendable {
    let context: WebContext
    let threads: ReadingThreads
    private let stations: StationList

    init(context: WebContext, threads: ReadingThreads = ReadingThreads()) {
        self.context = context
        self.threads = threads
        self.stations = StationList(reader: context.reader, clock: context.clock)
    }

    func router() -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: FailuresAsJSON())
        router.get("/") { _, _ in Self.frontPage }
        router.get("/healthz") { _, _ in self.health() }
        router.get("/metrics") { _, _ in self.metrics() }
        router.get("/api/v1/stations") { _, _ in
            Response.json(try await self.threads.run { try self.stations.write() })
        }
        router.get("/api/v1/series/{station}/{parameter}") { request, context in
            try await self.series(
                station: try context.parameters.require("station"),
                parameter: try context.parameters.require("parameter"), request: request)
        }
        router.get("/api/v1/incidents") { request, _ in try await self.incidents(request) }
        router.get("/api/v1/status") { _, _ in
            Response.json(try await self.threads.run { try StatusAnswer.status(self.context) })
        }
        return router
    }

    private func health() -> Response {
        let report = self.context.health()
        var json = JSONWriter()
        report.write(to: &json)
        return .json(json, status: report.isHealthy ? .ok : .serviceUnavailable)
    }

    private func metrics() -> Response {
        let text = MetricsText.render(self.context.metrics)
        return Response(
            status: .ok, headers: [.contentType: MetricsText.contentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private func series(station: String, parameter: String, request: Request) async throws -> Response {
        let registry = self.context.reader.registry
        guard let id = StationID(station), registry.station(id) != nil else {
            throw WebFailure.notFound("there is no station \(station)")
        }
        guard let parameterID = ParameterID(parameter), let series = registry.series(id, parameterID) else {
            throw WebFailure.notFound("station \(station) has no parameter \(parameter)")
        }
        let query = try SeriesQuery(
            try Self.pairs(of: request), zone: registry.zone(of: series),
            nowMilliseconds: self.context.clock.nowMilliseconds)
        let answer = SeriesAnswer(reader: self.context.reader, series: series, query: query)
        return .json(try await self.threads.run { try answer.write() })
    }

    private func incidents(_ request: Request) async throws -> Response {
        var openOnly = true
        for (key, value) in try Self.pairs(of: request) {
            guard key == "open" else { throw WebFailure.badQuery("\(key): not a key of this query; allowed: open") }
            guard value == "true" || value == "false" else {
                throw WebFailure.badQuery("open: \(value) is neither; allowed: true, false")
            }
            openOnly = value == "true"
        }
        let wanted = openOnly
        return .json(
            try await self.threads.run { try StatusAnswer.incidents(self.context.reader, openOnly: wanted) })
    }

    /// The query's keys and values, decoded.
    private static func pairs(of request: Request) throws -> [(key: String, value: String)] {
        guard (request.uri.query?.utf8.count ?? 0) <= WebLimits.queryBytesMax else {
            throw WebFailure.badQuery("the query is longer than \(WebLimits.queryBytesMax) bytes")
        }
        return request.uri.queryParameters.map { (key: String($0.key), value: String($0.value)) }
    }

    /// Plain links until the console comes.
    private static var frontPage: Response {
        let page = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>Quantrac</title></head><body>
            <h1>Quantrac</h1>
            <ul>
            <li><a href="/api/v1/status">Status</a></li>
            <li><a href="/api/v1/stations">Stations with their last readings</a></li>
            <li><a href="/api/v1/incidents">Open incidents</a></li>
            <li><a href="/healthz">Health</a></li>
            <li><a href="/metrics">Metrics</a></li>
            </ul>
            <p>One series:
            <code>/api/v1/series/STATION/PARAMETER?level=1h&amp;from=2026-11-01&amp;to=2026-11-24</code></p>
            </body></html>

            """
        return Response(
            status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: page)))
    }
}
