import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Takes requests for the writer on `<store>.sock` while the service runs.
///
/// One thread accepts, one more per connection waits for the writer: nothing here touches the cooperative pool or the
/// ingest thread. Whoever starts it must hold the store's lock.
final class ControlServer: Sendable {
    private let path: String
    private let perform: @Sendable (StoreRequest) -> StoreReply
    /// Closing the writing end wakes the accepting thread for good.
    private let wakeDescriptors: (read: Int32, write: Int32)
    private let connections = Mutex(0)
    private let isStopped = Mutex(false)
    private let finished = DispatchSemaphore(value: 0)

    /// Listens, and answers each request with what `perform` returns; it is called on threads of the server.
    init(path: String, perform: @escaping @Sendable (StoreRequest) -> StoreReply) throws {
        self.path = path
        self.perform = perform
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw UnixSocket.Failure("pipe") }
        for end in ends { UnixSocket.closeOnExec(end) }
        self.wakeDescriptors = (ends[0], ends[1])
        let listener = try UnixSocket.listening(at: path).released()
        Thread.detachNewThread { self.acceptLoop(UnixSocket(owning: listener)) }
    }

    /// Stops listening and removes the socket; requests under way get their answers.
    ///
    /// The second time does nothing.
    func stop() {
        let isFirst = self.isStopped.withLock { isStopped in
            defer { isStopped = true }
            return !isStopped
        }
        guard isFirst else { return }
        close(self.wakeDescriptors.write)
        self.finished.wait()
        close(self.wakeDescriptors.read)
    }

    private func acceptLoop(_ listener: consuming UnixSocket) {
        var polled = [
            pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: self.wakeDescriptors.read, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let ready = poll(&polled, 2, -1)
            if ready < 0, errno != EINTR { break }
            if polled[1].revents != 0 { break }
            guard ready > 0, polled[0].revents != 0 else { continue }
            if let connection = listener.accepted() { self.take(connection) }
        }
        // Removed before the lock can be given up, so a successor's socket is never the one that goes.
        unlink(self.path)
        self.finished.signal()
    }

    private func take(_ connection: consuming UnixSocket) {
        connection.setTimeouts(readSeconds: ControlLimits.requestSecondsMax, writeSeconds: 30)
        let hasRoom = self.connections.withLock { count in
            guard count < ControlLimits.connectionsMax else { return false }
            count += 1
            return true
        }
        guard hasRoom else {
            // Fits the empty send buffer: the accepting thread does not wait here.
            let busy = VerbFailure.unavailable("the service is busy with other requests; try again")
            return self.send(StoreReply(busy), over: connection)
        }
        let handedOver = connection.released()
        Thread.detachNewThread {
            self.serve(UnixSocket(owning: handedOver))
            self.connections.withLock { $0 -= 1 }
        }
    }

    private func serve(_ connection: consuming UnixSocket) {
        let reply: StoreReply
        do {
            // A client that only looks whether we are there closes without a word.
            guard let line = try connection.readLine(bytesMax: ControlLimits.lineBytesMax) else { return }
            reply = self.perform(try JSONDecoder().decode(StoreRequest.self, from: Data(line)))
        } catch let failure as UnixSocket.Failure {
            reply = StoreReply(VerbFailure.usage("the request could not be read: \(failure)"))
        } catch {
            reply = StoreReply(VerbFailure.usage("the service does not know this request; is it older than the verb?"))
        }
        self.send(reply, over: connection)
    }

    private func send(_ reply: StoreReply, over connection: borrowing UnixSocket) {
        // A client that has gone misses its answer; what it asked for is done all the same.
        guard let line = try? JSONEncoder().encode(reply) else { return }
        try? connection.writeLine(Array(line))
    }
}
