package import DataLake
package import Logging
package import Monitoring
package import TimeSeriesStore

/// What the HTTP API serves from and where it listens; wired by the program.
package struct WebContext: Sendable {
    package var host: String
    /// 0 lets the system choose; see ``onListening``.
    package var port: Int
    package var reader: StoreReader
    package var metrics: ServiceMetrics
    /// How the service is; called per request, so it must not block.
    package var health: @Sendable () -> HealthReport
    /// What has been published; nil when there is no lake; may block.
    package var lake: (@Sendable () throws -> LakeStatus)?
    package var clock: any WallClock
    package var logger: Logger
    /// Told the port once the server listens.
    package var onListening: @Sendable (Int) -> Void

    package init(
        host: String = "127.0.0.1", port: Int = 8_420, reader: StoreReader, metrics: ServiceMetrics,
        health: @escaping @Sendable () -> HealthReport,
        lake: (@Sendable () throws -> LakeStatus)? = nil, clock: any WallClock, logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.reader = reader
        self.metrics = metrics
        self.health = health
        self.lake = lake
        self.clock = clock
        self.logger = logger
        self.onListening = onListening
    }
}
