import FoundationEssentials
import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Gets a request done by whoever may write: this process when the store's lock is free, else the running service.
struct StoreClient {
    /// Who is to do the work.
    enum Outcome {
        /// We hold the lock: do it with this writer.
        case ours(StoreWriter)
        /// The service did it.
        case answered(StoreReply)
    }

    let settings: Settings
    /// How long to try to reach a holder of the lock that does not listen.
    var patience: Duration = .seconds(ControlLimits.connectSecondsMax)

    /// Blocks until the request is done.
    ///
    /// With `createsStore` a store that is not there yet is made.
    func perform(_ request: StoreRequest, createsStore: Bool = false) throws -> StoreReply {
        switch try self.openOrAsk(request, createsStore: createsStore) {
        case .ours(let writer):
            StoreRequestHandler(settings: self.settings).perform(request, on: OwnStore(writer: writer))
        case .answered(let reply): reply
        }
    }

    /// Takes the lock, or has the service do the request.
    func openOrAsk(_ request: StoreRequest, createsStore: Bool = false) throws -> Outcome {
        let path = self.settings.store.path
        guard createsStore || FileManager.default.fileExists(atPath: path) else {
            throw VerbFailure.usage(
                "\(path): no store there yet; `quantrac serve` or `quantrac station import` makes one")
        }
        let deadline = ContinuousClock.now + self.patience
        while true {
            do {
                return .ours(
                    try StoreWriter(path: path, defaultZone: self.settings.timeZone, isDemo: self.settings.demo))
            } catch let error as StoreError where error.code == .locked {
                do {
                    return .answered(try self.ask(request))
                } catch let failure as UnixSocket.Failure {
                    // Held, but nobody listens: a service that is starting or stopping, or another verb at work.
                    guard failure.isNobodyListening, ContinuousClock.now < deadline else {
                        throw VerbFailure.unavailable("\(error.detail), which does not answer: \(failure)")
                    }
                    usleep(100_000)
                }
            }
        }
    }

    /// Whether a service listens beside the store.
    var isServiceRunning: Bool { (try? UnixSocket.connected(to: self.settings.socketPath)) != nil }

    private func ask(_ request: StoreRequest) throws -> StoreReply {
        let socket = try UnixSocket.connected(to: self.settings.socketPath)
        let question = Array(try JSONEncoder().encode(request))
        guard let line = try socket.exchange(question, bytesMax: ControlLimits.lineBytesMax) else {
            throw VerbFailure.unavailable("the service ended before it answered; look at its log, then ask again")
        }
        return try JSONDecoder().decode(StoreReply.self, from: Data(line))
    }
}

extension UnixSocket.Failure {
    /// The socket is not there (yet), or left over from a dead process.
    fileprivate var isNobodyListening: Bool { self.code == ENOENT || self.code == ECONNREFUSED }
}
