import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The HTTP API as a service: on loopback unless told otherwise, until the graceful shutdown.
package struct WebServer: Service {
    private let context: WebContext

    package init(context: WebContext) {
        _ = WebLimits.checked
        self.context = context
    }

    package func run() async throws {
        let onListening = self.context.onListening
        let logger = self.context.logger
        let application = Application(
            router: WebRoutes(context: self.context).router(),
            configuration: ApplicationConfiguration(
                address: .hostname(self.context.host, port: self.context.port),
                availableConnectionsDelegate: MaximumAvailableConnections(WebLimits.connectionsMax)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                logger.info("HTTP API is listening", metadata: ["port": "\(port)"])
                onListening(port)
            },
            logger: logger)
        do {
            try await application.run()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw WebServerError.portTaken(host: self.context.host, port: self.context.port)
        } catch let error as IOError where error.errnoCode == EADDRNOTAVAIL || error.errnoCode == EACCES {
            throw WebServerError.cannotListen(host: self.context.host, port: self.context.port, why: "\(error)")
        }
    }
}

/// Why the HTTP API does not run, in words that say what to do.
package enum WebServerError: Error, Hashable, CustomStringConvertible {
    case portTaken(host: String, port: Int)
    case cannotListen(host: String, port: Int, why: String)

    package var description: String {
        switch self {
        case .portTaken(let host, let port):
            "http.port: port \(port) on \(host) is taken by another program; stop it or set http.port to a free one"
        case .cannotListen(let host, let port, let why):
            "http.host: cannot listen on \(host) port \(port): \(why)"
        }
    }
}
