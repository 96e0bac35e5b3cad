import Foundation
import GRDB
import Monitoring
import Testing

@testable import TimeSeriesStore

/// What retention deletes besides raw, what keeps it from deleting, and what becomes of the space.
struct RetentionStoreTests {
    private static let day: Int64 = 86_400_000
    private static let base = TestStations.baseMilliseconds
    /// The readings below lie within ten days; ten days later all of them are older than a week.
    private static let now = base + 20 * day

    /// A reading every half an hour for ten days.
    private static func filled() throws -> (store: TestStore, series: Series) {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        try store.commit(series, (0..<480).map { (Self.base + Int64($0) * 1_800_000, Double($0)) })
        try store.writer.mergeEverything(nowMilliseconds: Self.now)
        return (store, series)
    }

    private static func delete(
        _ store: TestStore, _ policy: RetentionPolicy, hasLake: Bool = false, now: Int64 = RetentionStoreTests.now
    ) throws -> (held: [Int32: RetentionHold], work: RetentionWork) {
        let plan = try store.reader.retentionPlan(policy, hasLake: hasLake, nowMilliseconds: now)
        let held = try store.writer.seal(plan, nowMilliseconds: now)
        var work = store.writer.retentionWork(plan, policy: policy, nowMilliseconds: now)
        while try store.writer.retentionSlice(&work) {}
        return (held, work)
    }

    private static func count(_ store: TestStore, _ series: Series, _ level: Level) throws -> Int {
        try level == .raw
            ? store.reader.readings(of: series, from: 0, to: TimeBounds.endMilliseconds, limit: 10_000).count
            : store.reader.rollups(of: series, level: level, from: 0, to: TimeBounds.endMilliseconds, limit: 10_000)
                .count
    }

    @Test func `hours and days have durations of their own, and what was measured equals what was deleted`() throws {
        let (store, series) = try Self.filled()
        let policy = RetentionLife.policy(raw: "11d", hours: "13d", days: "15d")
        let plan = try store.reader.retentionPlan(policy, hasLake: false, nowMilliseconds: Self.now)
        let station = try #require(plan.stations.first { $0.number == 1 })
        let expected = try RetentionLevel.allCases.map { try store.reader.retentionAmount(station, $0) }
        let days = try Self.count(store, series, .day)
        let (held, work) = try Self.delete(store, policy)
        #expect(held.isEmpty && work.problems.isEmpty)
        for (level, amount) in zip(RetentionLevel.allCases, expected) {
            let deleted = work.deleted[.init(station: 1, level: level)]
            #expect(deleted?.count == amount.count && amount.count > 0, "\(level)")
            #expect(deleted?.oldestMilliseconds == amount.oldestMilliseconds, "\(level)")
        }
        func start(_ days: Int64) -> Int64 {
            let zone = required(ZoneDatabase.zone(named: "Asia/Ho_Chi_Minh"))
            return zone.dayBucket(containing: Self.now - days * Self.day).startMilliseconds
        }
        let first = try store.reader.readings(of: series, from: 0, to: .max, limit: 1).first
        #expect(first?.timeMilliseconds == start(11))
        let hour = try store.reader.rollups(of: series, level: .hour, from: 0, to: .max, limit: 1).first
        #expect(hour?.bucket.startMilliseconds == start(13))
        let dayRow = try store.reader.rollups(of: series, level: .day, from: 0, to: .max, limit: 1).first
        #expect(dayRow?.bucket.startMilliseconds == start(15))
        #expect(try Self.count(store, series, .day) == days - Int(work.deleted[.init(station: 1, level: .days)]!.count))
        #expect(try StoreVerifier(store.reader).run().problems.isEmpty)
    }

    @Test func `the same run again deletes nothing`() throws {
        let (store, _) = try Self.filled()
        let policy = RetentionLife.policy(raw: "12d", hours: "15d")
        #expect(try !Self.delete(store, policy).work.deleted.isEmpty)
        let change = store.writer.change
        let plan = try store.reader.retentionPlan(policy, hasLake: false, nowMilliseconds: Self.now)
        #expect(plan.stations.allSatisfy { $0.wantedMilliseconds == nil })
        #expect(try store.writer.seal(plan, nowMilliseconds: Self.now).isEmpty)
        #expect(store.writer.change == change, "nothing was sealed again")
        #expect(try Self.delete(store, policy).work.deleted.isEmpty)
    }

    @Test func `readings go only when their day is in the lake with its last change`() throws {
        let (store, series) = try Self.filled()
        let policy = RetentionLife.policy(raw: "7d")
        let none = try Self.delete(store, policy, hasLake: true)
        #expect(none.work.deleted.isEmpty)
        let days = try store.reader.lakeDays()
        func publish(_ day: LakeDay) throws {
            try store.writer.recordPublished(
                LakePart(
                    day: day.day, generation: (day.published?.generation ?? 0) + 1, changeFrom: 1, changeTo: day.change,
                    rows: 1, file: "f", sha256: "s", rowsHash: "r", publishedMilliseconds: Self.now))
        }
        for day in days where day.day != days[4].day { try publish(day) }
        let some = try Self.delete(store, policy, hasLake: true)
        let zone = store.writer.registry.zone(of: series)
        let first = try store.reader.readings(of: series, from: 0, to: .max, limit: 1).first?.timeMilliseconds
        #expect(first == zone.start(ofLocalDay: days[4].day))
        #expect(some.work.deleted[.init(station: 1, level: .raw)] != nil)

        // A late reading of a day that is published, unmerged when the plan is made: merging it changes the day.
        try publish(days[4])
        try store.commit(series, [(zone.start(ofLocalDay: days[6].day) + 7, 1)])
        let changed = try Self.delete(store, policy, hasLake: true)
        #expect(changed.held[1] == .unpublished(day: days[6].day))
        #expect(changed.work.deleted.isEmpty)
        #expect(try Self.delete(store, policy, hasLake: true).held.isEmpty)
        let held = try store.reader.readings(of: series, from: 0, to: .max, limit: 1).first?.timeMilliseconds
        #expect(held == zone.start(ofLocalDay: days[6].day))

        // Found to say what was published: as good as published again.
        try store.writer.recordExamined(
            day: days[6].day,
            change: try #require(
                try store.reader.lakeDays()
                    .first { $0.day == days[6].day }
            ).change)
        _ = try Self.delete(store, policy, hasLake: true)
        #expect(try Self.count(store, series, .raw) == 0)
        // A day is sealed for all stations at once.
        let stations = store.writer.registry.stations
        #expect(stations.allSatisfy { $0.sealedBeforeMilliseconds > Self.base + 9 * Self.day })
        #expect(try store.reader.lakeDays().allSatisfy(\.isSealed))
        #expect(try StoreVerifier(store.reader).run().problems.isEmpty)
    }

    @Test func `a station that cannot be merged keeps what is sealed of nobody else`() throws {
        let (store, _) = try Self.filled()
        let other = store.series("berlin-1", "PM10")
        try store.commit(other, [(Self.base, 1)])
        try store.writer.mergeEverything(nowMilliseconds: Self.now)
        try store.writer.pool.write { database in
            try database.execute(sql: "UPDATE tail SET raw = x'0102' WHERE series = ?", arguments: [other.number])
        }
        try store.commit(other, [(Self.base + 1, 1)])
        let policy = RetentionLife.policy(raw: "7d")
        let plan = try? store.reader.retentionPlan(policy, hasLake: false, nowMilliseconds: Self.now)
        // Its open end cannot be read: what there is of it is not known, and it stays.
        #expect(plan?.stations.first { $0.number == 2 }?.rawBeforeMilliseconds == 0)
        let (_, work) = try Self.delete(store, policy)
        #expect(work.deleted[.init(station: 1, level: .raw)]?.count == 480)
        #expect(work.deleted[.init(station: 2, level: .raw)] == nil)
    }

    @Test func `rows that are old go, but no incident that is open or that nobody has seen`() throws {
        let store = try TestStore()
        try store.importStations()
        func at(_ days: Int64) -> Int64 { Self.now - days * Self.day }
        var effects = BatchEffects()
        for (index, days) in [100, 50, 1].enumerated() {
            effects.events.append((1, "blast", "e\(index)", "{}"))
            effects.deadLetters.append(
                DeadLetter(
                    receivedMilliseconds: at(Int64(days)), topic: "t", station: nil, reason: .notJSON, detail: "",
                    byteCount: 1, payload: [1], sha256: nil))
        }
        try store.commit(TestFrame(receivedMilliseconds: at(100), messages: []), effects)
        func open(_ id: Int64, _ subject: String) -> IncidentChange {
            .open(
                id: id, name: subject, rule: "r", subject: subject, series: nil, station: nil, severity: "warning",
                openedMilliseconds: at(100), sinceMilliseconds: at(100), value: nil, bound: nil, foundLate: false,
                detail: "")
        }
        var incidents = BatchEffects()
        for (id, subject) in ["seen", "unseen", "open"].enumerated() {
            incidents.incidents.append(open(Int64(id + 1), subject))
        }
        for subject in ["seen", "unseen"] {
            incidents.incidents.append(.cleared(rule: "r", subject: subject, atMilliseconds: at(99)))
        }
        incidents.outbox = [
            OutboxMessage(key: "sent", channel: "c", body: "{}", createdMilliseconds: at(100)),
            OutboxMessage(key: "waiting", channel: "c", body: "{}", createdMilliseconds: at(100)),
        ]
        try store.writer.apply(incidents, atMilliseconds: at(100))
        for id in [1, 3] as [Int64] {
            try store.writer.acknowledge(
                incident: id, by: "an", why: "w", untilMilliseconds: nil, atMilliseconds: at(98))
        }
        try store.writer.markDelivered(outbox: 1, atMilliseconds: at(100))
        var policy = RetentionLife.policy(raw: "forever")
        policy.eventsMilliseconds = 99 * Self.day
        policy.incidentsMilliseconds = 60 * Self.day
        policy.setAsideMilliseconds = 30 * Self.day
        let expected: [ExpiringTable: Int] = [
            .events: 3, .incidents: 1, .messages: 1, .deadLetters: 2, .quarantine: 0,
        ]
        #expect(try store.reader.expiredRows(policy, nowMilliseconds: Self.now) == expected)
        let (_, work) = try Self.delete(store, policy)
        #expect(work.deletedRows == expected.filter { $0.value > 0 })
        #expect(try store.reader.incidents(openOnly: false).map(\.name).sorted() == ["open", "unseen"])
        #expect(try store.reader.outbox(channel: "c", limit: 9).map(\.row.key) == ["waiting"])
        #expect(try store.reader.deadLetters(limit: 9).count == 1)
    }

    @Test func `space is given back in small steps, with commits in between`() throws {
        let (store, series) = try Self.filled()
        let payload = [UInt8](repeating: 7, count: 64 << 10)
        for index in 0..<700 {
            var effects = BatchEffects()
            effects.deadLetters = [
                DeadLetter(
                    receivedMilliseconds: Self.base, topic: "t\(index)", station: nil, reason: .notJSON, detail: "",
                    byteCount: payload.count, payload: payload, sha256: nil)
            ]
            try store.writer.apply(effects, atMilliseconds: Self.base)
        }
        var policy = RetentionLife.policy(raw: "forever")
        policy.setAsideMilliseconds = Self.day
        #expect(try store.reader.filePages().surplus == 0)
        #expect(try Self.delete(store, policy).work.deletedRows[.deadLetters] == 700)
        let before = try store.reader.filePages()
        var surplus = before.surplus
        #expect(surplus > 6_000)
        var steps = 0
        while surplus > 0 {
            surplus = try store.writer.giveBackPages(surplus)
            steps += 1
            try store.commit(series, [(Self.base + 600 * 1_800_000 + Int64(steps), 1)])
        }
        #expect(steps > 20)
        let after = try store.reader.filePages()
        #expect(after.total < before.total - 6_000 && after.surplus == 0)
        try store.writer.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        #expect(store.writer.files.databaseBytes == Int(after.total) * Connections.pageBytes)
        #expect(try Self.count(store, series, .raw) == 480 + steps)
        try store.crash()
        #expect(try Self.count(store, series, .raw) == 480 + steps)
        #expect(try StoreVerifier(store.reader).run().problems.isEmpty)
    }

    @Test func `one size of the file stays for each day`() throws {
        let store = try TestStore()
        for (day, bytes) in [(5, 10), (6, 20), (6, 25), (7, 30)] {
            try store.writer.note(FileSize(day: Int64(day), bytes: Int64(bytes)))
        }
        #expect(
            try store.reader.fileSizes() == [
                FileSize(day: 5, bytes: 10), FileSize(day: 6, bytes: 25), FileSize(day: 7, bytes: 30),
            ])
    }
}
