import Simulation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Turns all links in one thread: connect, send, wait for sockets, read.
final class Engine {
    let links: [Link]
    let truth: TruthRecorder?
    private let startedMilliseconds = SystemClock.monotonicMilliseconds()
    private var polled: [pollfd] = []
    private var lastProgressMilliseconds: Int64 = 0
    private var lastProgressMessages = 0

    init(links: [Link], truth: TruthRecorder?) {
        self.links = links
        self.truth = truth
    }

    var isIdle: Bool { self.links.allSatisfy(\.isIdle) }

    var tally: Tally {
        self.links.reduce(into: Tally()) { sum, link in
            sum.messagesSent += link.tally.messagesSent
            sum.messagesAcknowledged += link.tally.messagesAcknowledged
            sum.readingsAcknowledged += link.tally.readingsAcknowledged
            sum.reconnects += link.tally.reconnects
            sum.resent += link.tally.resent
            sum.messagesLost += link.tally.messagesLost
            sum.commands += link.tally.commands
        }
    }

    /// One turn.
    ///
    /// - Parameters:
    ///   - nowMilliseconds: The simulation's clock: what is older than ten minutes on it is backlog.
    ///   - waitMilliseconds: How long to wait for sockets when there is nothing else to do.
    /// - Throws: When the truth file cannot be written.
    func turn(nowMilliseconds: Int64, waitMilliseconds: Int64) throws {
        let monotonic = SystemClock.monotonicMilliseconds()
        for link in self.links { link.send(nowMilliseconds: nowMilliseconds, monotonicMilliseconds: monotonic) }
        var wait = min(max(waitMilliseconds, 0), 200)
        self.polled.removeAll(keepingCapacity: true)
        for link in self.links {
            let events = Int16(POLLIN | (link.wantsToWrite ? POLLOUT : 0))
            // A negative descriptor is skipped by poll.
            self.polled.append(pollfd(fd: link.socket ?? -1, events: events, revents: 0))
            if let wake = link.wakeMilliseconds { wait = min(wait, max(wake - monotonic, 1)) }
        }
        poll(&self.polled, nfds_t(self.polled.count), Int32(wait))
        let arrival = SystemClock.monotonicMilliseconds()
        for (link, answer) in zip(self.links, self.polled) where answer.fd >= 0 && answer.revents & ~Int16(POLLOUT) != 0
        {
            try link.receive(monotonicMilliseconds: arrival)
        }
        self.showProgress(arrival)
    }

    /// Ends all connections, writes the truth, says how it went.
    func finish() throws {
        for link in self.links { link.close() }
        let unacknowledged = self.links.reduce(0) { $0 + $1.unacknowledged }
        for link in self.links { try link.writeUnfinished() }
        try self.truth?.flush()
        if Console.isTerminal { Console.write("\r") }
        let tally = self.tally
        let seconds = Double(max(SystemClock.monotonicMilliseconds() - self.startedMilliseconds, 1)) / 1_000
        let rate = Int((Double(tally.messagesAcknowledged) / seconds).rounded())
        var line = "sent \(tally.messagesSent) messages, acked \(tally.messagesAcknowledged), "
        line += "readings \(tally.readingsAcknowledged), \(seconds) s, \(rate) msg/s"
        if tally.reconnects > 0 { line += ", \(tally.reconnects) reconnects, \(tally.resent) sent again" }
        if tally.messagesLost > 0 { line += ", \(tally.messagesLost) lost on the way" }
        if tally.commands > 0 { line += ", \(tally.commands) commands answered" }
        Console.say(line)
        if unacknowledged > 0 { Console.say("\(unacknowledged) messages were not acknowledged") }
    }

    /// On a terminal, one line a second.
    private func showProgress(_ monotonicMilliseconds: Int64) {
        guard Console.isTerminal, monotonicMilliseconds - self.lastProgressMilliseconds >= 1_000 else { return }
        let messages = self.tally.messagesAcknowledged
        let elapsed = monotonicMilliseconds - max(self.lastProgressMilliseconds, self.startedMilliseconds)
        let rate = elapsed > 0 ? Int64(messages - self.lastProgressMessages) * 1_000 / elapsed : 0
        Console.write("\r\(messages) messages acked, \(rate)/s      ")
        self.lastProgressMilliseconds = monotonicMilliseconds
        self.lastProgressMessages = messages
    }
}
