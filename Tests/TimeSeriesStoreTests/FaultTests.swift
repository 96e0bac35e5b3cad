import Monitoring
import Testing
import TimeSeriesStore

private struct DiskTrouble: Error {}

/// A transaction that fails changes nothing: not the file, not the head, not the counters (I1, I2, I5).
struct FaultTests {
    @Test(arguments: [StoreFaults.Call.begin, .commit], TestSeeds.fromEnvironmentOrRandom(1))
    func `any transaction may fail and nothing is lost or doubled`(call: StoreFaults.Call, seed: UInt64) throws {
        var nth = 1
        while try self.scenario(seed, failing: call, nth: nth) { nth += 1 }
        #expect(nth > 12, "the scenario had only \(nth - 1) transactions")
    }

    /// - Returns: whether the fault came.
    private func scenario(_ seed: UInt64, failing call: StoreFaults.Call, nth: Int) throws -> Bool {
        let store = try TestStore()
        try store.importStations()
        let registry = store.writer.registry
        var naive = NaiveStore(registry)
        var traffic = Traffic(registry, seed: seed)
        let frames = traffic.frames(Traffic.Plan(samples: 40...60, contradictions: 20)).flatMap { frame in
            frame.messages.map { TestFrame(receivedMilliseconds: frame.receivedMilliseconds, messages: [$0]) }
        }.prefix(7)
        store.writer.faults = StoreFaults(call, nth: nth, error: DiskTrouble())
        var failures = 0
        var done = 0
        func attempt(_ what: String, _ body: () throws -> Void) throws {
            do { try body() } catch is DiskTrouble {
                failures += 1
                let note = "seed \(seed), \(what) failed as \(call) \(nth)"
                try self.compare(store, naive, note)
                try body()
            }
        }
        for (index, frame) in frames.enumerated() {
            try attempt("commit") {
                let committed = try store.commit(frame)
                done += 1
                #expect(committed.sequence == Int64(done), "seed \(seed): sequence numbers have no holes")
            }
            naive.take(frame)
            if index % 3 == 1 {
                var policy = MergePolicy.everything
                policy.sliceMillisecondsMax = 0
                var isMore = true
                while isMore {
                    try attempt("merge") {
                        isMore = try store.writer.mergeSlice(policy, nowMilliseconds: 0) != nil
                    }
                }
            }
            if index % 4 == 2 {
                try attempt("fold") { try store.writer.foldLedger(alertSnapshot: [1, 2, 3]) }
                try attempt("trim") { _ = try store.writer.trimJournal() }
            }
            if index == 4 {
                try attempt("import") {
                    var file = TestStations.file
                    file.sites[0].stations.append(TestStations.station("new-1", [TestStations.parameter("PM10")]))
                    _ = try store.writer.importStations(file, validFromMilliseconds: nil, nowMilliseconds: 0)
                }
                try attempt("probe") { try store.writer.probe() }
            }
        }
        try self.compare(store, naive, "seed \(seed), at the end, \(call) \(nth)")
        return failures > 0
    }

    /// The head in memory, and what a program that opens these files now would see.
    private func compare(_ store: TestStore, _ naive: NaiveStore, _ note: String) throws {
        let fresh = try StoreReader.open(path: try store.copyOfFiles(), defaultZone: "Asia/Ho_Chi_Minh")
        for (reader, who) in [(store.reader, "in memory"), (fresh, "opened anew")] {
            let check = StoreCheck(reader: reader, naive: naive, note: "\(note), \(who)")
            try check.everything(limit: 1_000)
            try check.ledgers(isMerged: false)
        }
        #expect(store.reader.registry.stations.map(\.id) == fresh.registry.stations.map(\.id), "\(note)")
    }
}
