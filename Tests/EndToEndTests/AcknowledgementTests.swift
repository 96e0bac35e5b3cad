import Foundation
import Monitoring
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    /// Invariant I1 at the level of bytes: a PUBACK leaves only after the COMMIT.
    @Suite(.serialized)
    struct AcknowledgementTests {
        private let time = nowMilliseconds() / 1_000 * 1_000 - 600_000
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"
        private let history = "quantrac/v1/nd-dust-1/history"

        private func payloads(_ numbers: Range<Int>) -> [String] {
            numbers.map { #"{"seq": \#($0), "ts": \#(time + Int64($0)), "values": {"PM10": \#($0)}}"# }
        }

        private func installation(_ broker: FakeBroker) throws -> Installation {
            let site = try Installation(settings: ["broker.port": "\(broker.port)"])
            try site.importStations(plainStations())
            return site
        }

        @Test func `a service killed by the first acknowledgement has stored all that it acknowledged`() throws {
            let seed = UInt64(nowMilliseconds() % 1_000_000)
            print("seed \(seed)")
            var random = SeededGenerator(seed)
            let broker = try FakeBroker()
            defer { broker.stop() }
            let site = try self.installation(broker)
            var number = 0
            var numberOf: [UInt16: Int] = [:]
            for _ in 0..<8 {
                let child = try site.launch()
                try eventually("the service subscribes") { broker.isSubscribed && broker.isHistorySubscribed }
                let processID = child.processID
                broker.whenAcknowledged { kill(processID, SIGKILL) }
                for session in FakeBroker.Session.allCases.shuffled(using: &random) {
                    let topic = session == .live ? self.telemetry : self.history
                    let size = Int.random(in: 1...600, using: &random)
                    let identifiers = broker.deliver(topic, self.payloads(number..<(number + size)), to: session)
                    for (offset, identifier) in identifiers.enumerated() { numberOf[identifier] = number + offset }
                    number += size
                }
                try child.wait()
                broker.whenAcknowledged(nil)
                // What was on its way when it died counts, too.
                try eventually("the connections have ended") {
                    !broker.isSubscribed && !broker.isHistorySubscribed
                }
                let stored = Set(try site.export().compactMap { Double($0[5]) }.map { Int($0) })
                let acknowledged = Set(broker.acknowledged.compactMap { numberOf[$0] })
                #expect(!acknowledged.isEmpty)
                #expect(
                    acknowledged.isSubset(of: stored), "lost: \(acknowledged.subtracting(stored).sorted().prefix(5))")
            }
            try site.start()
            try eventually("everything is acknowledged") { broker.unacknowledgedCount == 0 }
            #expect(try site.export().map { $0[5] } == (0..<number).map { "\($0)" })
            #expect(try site.stopService() == 0)
            #expect(try site.quantrac("verify").exitCode == 0)
        }

        @Test func `while commits fail nothing is acknowledged, and afterwards everything is stored once`() throws {
            let broker = try FakeBroker()
            defer { broker.stop() }
            let site = try self.installation(broker)
            try site.start()
            _ = broker.deliver(self.telemetry, self.payloads(0..<10))
            try eventually("the first ten are acknowledged") { broker.acknowledged.count == 10 }
            // Another program holds the file's write lock.
            let lock = try StoreHold(site, "BEGIN IMMEDIATE;")
            // More than the 277 withheld messages after which errno lies.
            _ = broker.deliver(self.history, self.payloads(10..<410), to: .history)
            _ = broker.deliver(self.telemetry, self.payloads(410..<1_010))
            try eventually("the service says that it cannot write", seconds: 40) { site.health()?.status == 503 }
            #expect(broker.acknowledged.count == 10)
            #expect(try site.export().count == 10)
            lock.release()
            try eventually("everything is acknowledged", seconds: 60) { broker.unacknowledgedCount == 0 }
            try site.awaitHealthy()
            #expect(try site.export().map { $0[5] } == (0..<1_010).map { "\($0)" })
            #expect(try site.stopService() == 0)
            #expect(try site.quantrac("verify").exitCode == 0)
        }

        @Test func `an orderly end acknowledges what it committed and nothing else`() throws {
            let broker = try FakeBroker()
            defer { broker.stop() }
            let site = try self.installation(broker)
            try site.start()
            let identifiers = broker.deliver(self.telemetry, self.payloads(0..<600))
            try eventually("something is acknowledged") { !broker.acknowledged.isEmpty }
            #expect(try site.stopService() == 0)
            try eventually("the connections have ended") {
                !broker.isSubscribed && !broker.isHistorySubscribed
            }
            let stored = Set(try site.export().compactMap { Double($0[5]) }.map { Int($0) })
            let acknowledged = Set(broker.acknowledged.compactMap { identifiers.firstIndex(of: $0) })
            #expect(acknowledged.isSubset(of: stored))
            let missing = stored.subtracting(acknowledged).sorted()
            #expect(
                missing.isEmpty,
                "committed, not acknowledged: \(missing.count) of \(stored.count): \(missing.prefix(5))")
        }
    }
}

/// Another program with a transaction on the store, until it is released.
final class StoreHold {
    private let child: Child

    init(_ site: Installation, _ statement: String) throws {
        // Reading a FIFO nobody writes keeps sqlite3 waiting with its transaction open.
        let pipe = site.folder.file("hold-\(nowMilliseconds())")
        guard mkfifo(pipe, 0o600) == 0 else { throw Trouble("no FIFO: \(String(cString: strerror(errno)))") }
        let child = try Child(
            ["sqlite3", site.storePath, statement, ".shell touch \(pipe).held", ".read \(pipe)"], log: pipe)
        self.child = child
        try eventually("the other program holds the store") {
            guard child.isRunning else { throw Trouble("sqlite3 ended: \(child.errors)") }
            return FileManager.default.fileExists(atPath: "\(pipe).held")
        }
    }

    func release() { self.child.kill() }
}
