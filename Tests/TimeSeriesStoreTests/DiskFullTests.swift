import GRDB
import Monitoring
import Testing

@testable import TimeSeriesStore

/// SQLite itself says "full", in the middle of whatever it was doing.
struct DiskFullTests {
    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(3))
    func `a full disk loses nothing that was committed, and writing goes on when there is room`(seed: UInt64) throws {
        let store = try TestStore()
        try store.importStations()
        let registry = store.writer.registry
        var naive = NaiveStore(registry)
        var traffic = Traffic(registry, seed: seed)
        let frames = traffic.frames(Traffic.Plan(samples: 300...500, contradictions: 10))
        var full = 0
        var random = TestRandom(seed: seed)
        func pages(_ count: Int) throws {
            try store.writer.pool.writeWithoutTransaction { database in
                _ = try Int.fetchOne(database, sql: "PRAGMA max_page_count = \(count)")
            }
        }
        func used() throws -> Int {
            try store.writer.pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA page_count") ?? 0 }
        }
        func attempt(_ body: () throws -> Void) throws {
            do { try body() } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
                full += 1
                let fresh = try StoreReader.open(path: try store.copyOfFiles(), defaultZone: "Asia/Ho_Chi_Minh")
                for reader in [store.reader, fresh] {
                    let check = StoreCheck(
                        reader: reader, naive: naive, note: "seed \(seed), full for the \(full). time")
                    try check.samples(&random, count: 3)
                    try check.ledgers(isMerged: false)
                }
                try pages(Int(Int32.max))
                try body()
                try pages(try used() + random.int(0...6))
            }
        }
        try pages(try used())
        for frame in frames {
            try attempt { try store.commit(frame) }
            naive.take(frame)
            if random.chance(10) {
                try attempt {
                    _ = try store.writer.mergeSlice(.everything, nowMilliseconds: frame.receivedMilliseconds)
                }
            }
            if random.chance(5) { try attempt { try store.writer.foldLedger(alertSnapshot: []) } }
        }
        #expect(full > 0, "seed \(seed): it never was full")
        try pages(Int(Int32.max))
        try store.writer.mergeEverything(nowMilliseconds: 0)
        let check = StoreCheck(reader: store.reader, naive: naive, note: "seed \(seed), at the end")
        try check.everything(limit: 1_000)
        try check.ledgers(isMerged: true)
    }
}
