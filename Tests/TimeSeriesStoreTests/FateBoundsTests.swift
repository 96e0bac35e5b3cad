import GRDB
import Monitoring
import Testing

@testable import TimeSeriesStore

/// What could not be stored is kept up to a bound, and beyond it an incident says so.
struct FateBoundsTests {
    private let now = TestStations.baseMilliseconds

    private func store(_ change: (inout FateBounds.Limits) -> Void) throws -> TestStore {
        let store = try TestStore()
        try store.importStations()
        self.limit(store, change)
        return store
    }

    private func limit(_ store: TestStore, _ change: (inout FateBounds.Limits) -> Void) {
        var limits = FateBounds.Limits()
        change(&limits)
        store.writer.fateBounds = FateBounds(limits)
    }

    private func letter(_ topic: String, _ payload: String, at time: Int64) -> DeadLetter {
        DeadLetter(
            receivedMilliseconds: time, topic: topic, station: nil, reason: .notJSON, detail: "",
            byteCount: payload.utf8.count, payload: Array(payload.utf8), sha256: nil)
    }

    private func send(_ store: TestStore, _ topic: String, _ payload: String, at time: Int64) throws {
        var effects = BatchEffects()
        effects.deadLetters = [self.letter(topic, payload, at: time)]
        try store.writer.apply(effects, atMilliseconds: time)
    }

    private func setAside(_ store: TestStore, _ station: String, _ number: Int, at time: Int64) throws {
        var effects = BatchEffects()
        effects.quarantined = [
            QuarantinedValue(
                receivedMilliseconds: time, station: station, parameter: "PM10", timeMilliseconds: time,
                value: Double(number), text: nil, status: "00", reason: .tooOld)
        ]
        try store.writer.apply(effects, atMilliseconds: time)
    }

    private func payloads(_ store: TestStore) throws -> [String] {
        try store.reader.deadLetters(limit: 1_000).reversed().map { String(decoding: $0.payload, as: UTF8.self) }
    }

    private func open(_ store: TestStore) throws -> [String] {
        try store.reader.incidents(openOnly: true).map { "\($0.rule) \($0.subject)" }.sorted()
    }

    @Test func `a topic keeps so many dead letters of a day and the last, also over a restart`() throws {
        let store = try self.store { $0.deadLettersPerTopicAndDay = 3 }
        for number in 1...4 { try self.send(store, "a", "a\(number)", at: self.now) }
        try store.reopen()
        self.limit(store) { $0.deadLettersPerTopicAndDay = 3 }
        try self.send(store, "a", "a5", at: self.now)
        try self.send(store, "b", "b1", at: self.now)
        #expect(try self.payloads(store) == ["a1", "a2", "a5", "b1"])
        #expect(try self.open(store) == ["quantrac.dead-letters topic:a"])
        // The next day begins anew.
        let tomorrow = self.now + Civil.millisecondsPerDay
        try self.send(store, "a", "a6", at: tomorrow)
        #expect(try self.payloads(store) == ["a1", "a2", "a5", "b1", "a6"])
        #expect(try self.open(store).isEmpty)
    }

    @Test func `all dead letters together keep to a bound; the last is kept and an incident says so`() throws {
        let row = StoreLimits.deadLetterRowBytes
        // Three rows of ten bytes, and the one that goes beyond.
        func limits(_ limits: inout FateBounds.Limits) { limits.deadLetterBytes = Int64(3 * (row + 10)) }
        let store = try self.store(limits)
        for number in 0..<6 { try self.send(store, "topic \(number)", "payload \(number)\(number)", at: self.now) }
        #expect(try self.payloads(store) == ["payload 00", "payload 11", "payload 55"])
        #expect(try self.open(store) == ["quantrac.dead-letters topics"])
        try store.reopen()
        self.limit(store, limits)
        try self.send(store, "topic 6", "payload 66", at: self.now)
        #expect(try self.payloads(store) == ["payload 00", "payload 11", "payload 66"])
        // Somebody brought two back: there is room again, and it is noticed.
        try store.writer.pool.writeWithoutTransaction { try $0.execute(sql: "DELETE FROM dead_letter WHERE id <= 2") }
        let later = self.now + StoreLimits.deadLetterSumMilliseconds
        try self.send(store, "topic 7", "payload 77", at: later)
        #expect(try self.payloads(store) == ["payload 66", "payload 77"])
        #expect(try self.open(store).isEmpty)
    }

    @Test func `what a failed transaction did is not counted`() throws {
        let store = try self.store { $0.deadLettersPerTopicAndDay = 3 }
        try self.send(store, "a", "a1", at: self.now)
        for _ in 0..<5 {
            store.writer.faults = StoreFaults(.commit, nth: 1, error: StoreError(.refused, "test"))
            #expect(throws: StoreError.self) { try self.send(store, "a", "lost", at: self.now) }
        }
        store.writer.faults = nil
        for number in 2...3 { try self.send(store, "a", "a\(number)", at: self.now) }
        #expect(try self.payloads(store) == ["a1", "a2", "a3"])
        #expect(try self.open(store).isEmpty)
    }

    @Test func `a station has so many values set aside in a day, and an incident of its own`() throws {
        let store = try self.store { $0.quarantineRowsPerStationAndDay = 2 }
        for number in 1...4 { try self.setAside(store, "hcm-1", number, at: self.now) }
        try self.setAside(store, "berlin-1", 9, at: self.now)
        #expect(try store.reader.quarantined(limit: 100).reversed().map(\.value) == [1, 2, 9])
        let incident = try #require(try store.reader.incidents(openOnly: true).first)
        let number = required(store.writer.registry.station(required(StationID("hcm-1")))).number
        #expect(incident.rule == "quantrac.quarantine" && incident.subject == "station:\(number)")
        #expect(incident.station == "hcm-1" && incident.detail.contains("hcm-1"))
        // It ends with its day, whether anything comes or not.
        try store.writer.endDailyBounds(nowMilliseconds: self.now + 1)
        #expect(try self.open(store).count == 1)
        try store.writer.endDailyBounds(nowMilliseconds: self.now + Civil.millisecondsPerDay)
        #expect(try self.open(store).isEmpty)
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(10))
    func `whatever comes, no bound is passed, the last is there, and the total is that of the rows`(seed: UInt64) throws
    {
        var random = TestRandom(seed: seed)
        let bytesMax = Int64(random.int(1_000...20_000))
        let perTopic = random.int(1...8)
        func limits(_ limits: inout FateBounds.Limits) {
            limits.deadLetterBytes = bytesMax
            limits.deadLettersPerTopicAndDay = perTopic
        }
        let store = try self.store(limits)
        var time = self.now
        var largest: Int64 = 0
        for number in 0..<150 {
            time += random.int64(0...1_800_000)
            let payload = "\(number) " + String(repeating: "x", count: random.int(0...3_000))
            largest = max(largest, Int64(payload.utf8.count + StoreLimits.deadLetterRowBytes))
            if random.chance(20) {
                store.writer.faults = StoreFaults(.commit, nth: 1, error: StoreError(.refused, "test"))
                #expect(throws: StoreError.self) { try self.send(store, "t", payload, at: time) }
                store.writer.faults = nil
            }
            if random.chance(5) {
                try store.reopen()
                self.limit(store, limits)
            }
            try self.send(store, "t\(random.int(0...4))", payload, at: time)
            let rows = try store.reader.deadLetters(limit: 1_000)
            #expect(String(decoding: rows.first?.payload ?? [], as: UTF8.self) == payload, "seed \(seed), \(number)")
            let total = rows.reduce(0) { $0 + Int64($1.payload.count + StoreLimits.deadLetterRowBytes) }
            #expect(total <= bytesMax + 6 * largest, "seed \(seed), \(number)")
            let remembered = try store.writer.pool.read { try Meta.integer($0, .deadLetterBytes) }
            #expect(remembered == total, "seed \(seed), \(number)")
            let days = Dictionary(grouping: rows) {
                "\($0.topic) \($0.receivedMilliseconds / Civil.millisecondsPerDay)"
            }
            #expect(days.values.allSatisfy { $0.count <= perTopic }, "seed \(seed), \(number)")
        }
    }
}
