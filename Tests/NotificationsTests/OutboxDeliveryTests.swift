import HTTPTypes
import Logging
import Monitoring
import ServiceLifecycle
import Synchronization
import Testing
import TimeSeriesStore

@testable import Notifications

struct OutboxDeliveryTests {
    private func store() throws -> TestStore { try TestStore([.station("st-1", [("PM10", "µg/m³", false)])]) }

    private func post(_ store: TestStore, _ messages: [(channel: String, key: String)]) throws {
        var effects = BatchEffects()
        for message in messages {
            effects.outbox.append(
                OutboxMessage(
                    key: message.key, channel: message.channel, body: "{\"id\":\"\(message.key)\"}",
                    createdMilliseconds: 1_000))
        }
        try store.commit(effects)
    }

    private func delivery(
        _ store: TestStore, _ clock: ManualClock, _ bell: OutboxBell, _ channels: [WebhookChannel],
        heartbeatURL: String? = nil, isGood: @escaping @Sendable () -> Bool = { true }
    ) -> OutboxDelivery {
        OutboxDelivery(
            context: .init(
                reader: store.reader, mailbox: store.mailbox, channels: { channels }, bell: bell,
                heartbeatURL: heartbeatURL, isLastCommitGood: isGood, clock: clock,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
    }

    /// Runs the delivery while `body` runs, and stops it the hard way.
    private func running(_ delivery: OutboxDelivery, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await delivery.run() }
            do { try await body() } catch {
                tasks.cancelAll()
                throw error
            }
            tasks.cancelAll()
            while let result = await tasks.nextResult() { _ = result }
        }
    }

    private func undelivered(_ store: TestStore) throws -> [OutboxRow] {
        try store.reader.dueOutbox(nowMilliseconds: .max, limit: 1_000)
    }

    private func untilDelivered(_ store: TestStore) async throws {
        while try !self.undelivered(store).isEmpty { await Task.yield() }
    }

    @Test func `a message is posted with its key, the channel's headers and the body as stored`() async throws {
        let store = try self.store()
        let sink = WebhookSink()
        try self.post(store, [("duty", "k-1")])
        try await sink.run { url in
            let channel = WebhookChannel(id: "duty", url: url + "/a", headers: [.init(name: "X-Key", value: "abc")])
            try await self.running(self.delivery(store, ManualClock(2_000), OutboxBell(), [channel])) {
                try await self.untilDelivered(store)
            }
        }
        #expect(sink.requests == [.init(path: "/a", key: "k-1", secret: "abc", body: "{\"id\":\"k-1\"}")])
    }

    @Test func `the bell sends a new message out without the clock moving`() async throws {
        let store = try self.store()
        let sink = WebhookSink()
        let bell = OutboxBell()
        try await sink.run { url in
            let clock = ManualClock(2_000)
            try await self.running(self.delivery(store, clock, bell, [.init(id: "duty", url: url + "/a")])) {
                while clock.awaited.isEmpty { await Task.yield() }
                let started = ContinuousClock.now
                try self.post(store, [("duty", "k-1")])
                bell.ring()
                for await _ in sink.arrivals { break }
                print("commit to webhook: \(started.duration(to: .now))")
                try await self.untilDelivered(store)
            }
        }
        #expect(sink.requests.map(\.key) == ["k-1"])
    }

    @Test func `a channel that fails is tried again later, in order, and holds up no other`() async throws {
        let store = try self.store()
        let sink = WebhookSink()
        let bell = OutboxBell()
        let clock = ManualClock(2_000)
        let isDown = Mutex(true)
        sink.answer { request in request.path == "/dead" && isDown.withLock { $0 } ? .serviceUnavailable : .ok }
        try self.post(store, (1...200).map { ("dead", "d-\($0)") } + (1...3).map { ("duty", "k-\($0)") })
        try await sink.run { url in
            let channels = [WebhookChannel(id: "dead", url: url + "/dead"), .init(id: "duty", url: url + "/duty")]
            try await self.running(self.delivery(store, clock, bell, channels)) {
                while sink.requests.count < 4 { await Task.yield() }
                #expect(sink.requests.filter { $0.path == "/duty" }.map(\.key) == ["k-1", "k-2", "k-3"])
                #expect(sink.requests.filter { $0.path == "/dead" }.map(\.key) == ["d-1"])
                while try store.reader.outboxHeads().first?.row.attempts != 1 { await Task.yield() }
                let head = try #require(try store.reader.outboxHeads().first)
                #expect((2_750...3_000).contains(head.dueMilliseconds), "\(head.dueMilliseconds)")
                // Too early: nothing leaves, however often the bell rings.
                bell.ring()
                clock.advance(to: 2_700)
                bell.ring()
                isDown.withLock { $0 = false }
                clock.advance(to: head.dueMilliseconds)
                bell.ring()
                try await self.untilDelivered(store)
            }
        }
        let dead = sink.requests.filter { $0.path == "/dead" }.map { $0.key ?? "" }
        #expect(dead == ["d-1"] + (1...200).map { "d-\($0)" })
    }

    @Test func `a receiver that never answers holds up no other channel`() async throws {
        let store = try self.store()
        let sink = WebhookSink()
        sink.stayQuiet(at: "/quiet")
        try self.post(store, [("quiet", "q-1"), ("duty", "k-1"), ("quiet", "q-2"), ("duty", "k-2")])
        try await sink.run { url in
            let channels = [WebhookChannel(id: "quiet", url: url + "/quiet"), .init(id: "duty", url: url + "/duty")]
            try await self.running(self.delivery(store, ManualClock(2_000), OutboxBell(), channels)) {
                while try self.undelivered(store).count > 2 { await Task.yield() }
            }
        }
        #expect(sink.requests.filter { $0.path == "/duty" }.map(\.key) == ["k-1", "k-2"])
        #expect(try self.undelivered(store).map(\.key) == ["q-1", "q-2"])
    }

    @Test func `a service killed between sending and marking sends again with the same key`() async throws {
        let store = try self.store()
        let sink = WebhookSink()
        let clock = ManualClock(2_000)
        try self.post(store, [("duty", "k-1"), ("duty", "k-2")])
        try await sink.run { url in
            let channel = WebhookChannel(id: "duty", url: url + "/duty")
            // The mailbox of a service that dies: what is left in it is never done.
            let dead = OutboxDelivery(
                context: .init(
                    reader: store.reader, mailbox: WriterMailbox(wake: {}), channels: { [channel] },
                    bell: OutboxBell(), clock: clock,
                    logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
            let life = Task { try await dead.run() }
            for await _ in sink.arrivals { break }
            #expect(try self.undelivered(store).map(\.key) == ["k-1", "k-2"])
            try await self.running(self.delivery(store, clock, OutboxBell(), [channel])) {
                try await self.untilDelivered(store)
            }
            life.cancel()
        }
        #expect(sink.requests.map(\.key) == ["k-1", "k-1", "k-2"])
        #expect(Set(sink.requests.filter { $0.key == "k-1" }.map(\.body)).count == 1)
    }

    @Test func `a message for a channel nobody knows stays and hinders nobody`() async throws {
        let store = try self.store()
        let sink = WebhookSink()
        try self.post(store, [("gone", "g-1"), ("duty", "k-1")])
        try await sink.run { url in
            let channel = WebhookChannel(id: "duty", url: url + "/duty")
            try await self.running(self.delivery(store, ManualClock(2_000), OutboxBell(), [channel])) {
                while try self.undelivered(store).count > 1 { await Task.yield() }
            }
        }
        #expect(try self.undelivered(store).map(\.key) == ["g-1"])
        #expect(try self.undelivered(store).first?.attempts == 0)
    }

    @Test func `the heartbeat beats every minute while commits are good`() async throws {
        let store = try self.store()
        let sink = WebhookSink()
        let clock = ManualClock(0)
        let isGood = Mutex(true)
        try await sink.run { url in
            let delivery = self.delivery(
                store, clock, OutboxBell(), [], heartbeatURL: url + "/beat", isGood: { isGood.withLock { $0 } })
            try await self.running(delivery) {
                while sink.requests.count < 1 { await Task.yield() }
                while !clock.awaited.contains(60_000) { await Task.yield() }
                clock.advance(to: 60_000)
                while sink.requests.count < 2 { await Task.yield() }
                while !clock.awaited.contains(120_000) { await Task.yield() }
                isGood.withLock { $0 = false }
                clock.advance(to: 120_000)
                while !clock.awaited.contains(180_000) { await Task.yield() }
                isGood.withLock { $0 = true }
                clock.advance(to: 180_000)
                while sink.requests.count < 3 { await Task.yield() }
            }
        }
        #expect(sink.requests.map(\.path) == ["/beat", "/beat", "/beat"])
    }
}
