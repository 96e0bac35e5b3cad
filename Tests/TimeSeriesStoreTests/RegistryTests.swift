import Foundation
import GRDB
import Monitoring
import Testing
import TimeSeriesStore

struct RegistryTests {
    private static let base = TestStations.baseMilliseconds

    private func refusal(_ body: () throws -> Void) -> StoreError? {
        do { try body() } catch { return error as? StoreError }
        return nil
    }

    @discardableResult
    private func importing(
        _ store: TestStore, from: Int64? = nil, now: Int64 = base, _ change: (inout StationFile) -> Void = { _ in }
    ) throws -> ImportReport {
        var file = TestStations.file
        change(&file)
        return try store.writer.importStations(file, validFromMilliseconds: from, nowMilliseconds: now)
    }

    @Test func `the second import of a file does nothing`() throws {
        let store = try TestStore()
        let first = try self.importing(store)
        #expect(first.sitesAdded == 4 && first.stationsAdded == 4 && first.seriesAdded == 16 && first.changes.isEmpty)
        let series = store.writer.registry.series
        #expect(try self.importing(store, now: Self.base + 5).isEmpty)
        #expect(store.writer.registry.series == series)
        try store.reopen()
        #expect(try self.importing(store, now: Self.base + 9).isEmpty)
        #expect(store.writer.registry.series == series)
    }

    @Test func `what is no longer in the file stays`() throws {
        let store = try TestStore()
        try self.importing(store)
        let report = try self.importing(store) { $0.sites.removeLast(3) }
        #expect(report.isEmpty && store.writer.registry.stations.count == 4)
    }

    @Test func `a changed unit needs to know from when`() throws {
        let store = try TestStore()
        try self.importing(store)
        let change = { (file: inout StationFile) in file.sites[0].stations[0].parameters[0].unit = "mg/m³" }
        let refused = self.refusal { try self.importing(store, change) }
        #expect(refused?.code == .refused && refused?.detail.contains("--from") == true)
        #expect(store.series("hcm-1", "PM10").unit.latest == "µg/m³")
        let report = try self.importing(store, from: Self.base + 1_000, change)
        #expect(report.changes.count == 1)
        let unit = store.series("hcm-1", "PM10").unit
        #expect(unit.value(at: Self.base + 999) == "µg/m³" && unit.value(at: Self.base + 1_000) == "mg/m³")
        #expect(unit.value(at: 0) == "µg/m³")
        #expect(try self.importing(store, from: Self.base + 1_000, change).isEmpty)
        #expect(try self.importing(store, change).isEmpty)
        // Before what is already in force nothing can be said any more.
        #expect(self.refusal { try self.importing(store, from: Self.base + 500) }?.code == .refused)
        #expect(store.series("hcm-1", "PM10").unit.entries.count == 2)
        try store.reopen()
        #expect(store.series("hcm-1", "PM10").unit == unit)
    }

    @Test func `a changed interval holds from its date on and what is due follows it`() throws {
        let store = try TestStore()
        try self.importing(store)
        try self.importing(store, now: Self.base + 7_200_000) {
            $0.sites[0].stations[0].intervalMilliseconds = 300_000
        }
        let station = store.writer.registry.stations[0]
        func due(_ start: Int64) -> Int? {
            station.due(in: Bucket(startMilliseconds: start, endMilliseconds: start + 3_600_000))
        }
        #expect(due(Self.base) == 60 && due(Self.base + 3_600_000) == 60 && due(Self.base + 7_200_000) == 12)
        try self.importing(store, now: Self.base + 9_000_000) { $0.sites[0].stations[0].intervalMilliseconds = nil }
        let without = store.writer.registry.stations[0]
        #expect(without.due(in: Bucket(startMilliseconds: Self.base + 9_000_000, endMilliseconds: .max)) == nil)
        #expect(without.intervalMilliseconds.entries.count == 3)
    }

    @Test func `a station that differs only in upper and lower case is refused`() throws {
        let store = try TestStore()
        try self.importing(store)
        let refused = self.refusal {
            try self.importing(store) {
                $0.sites[0].stations.append(TestStations.station("HCM-1", [TestStations.parameter("PM10")]))
            }
        }
        #expect(refused?.code == .refused && refused?.detail.contains("hcm-1") == true)
        #expect(store.writer.registry.stations.count == 4)
    }

    @Test func `a kind or a direction cannot change under a name`() throws {
        let store = try TestStore()
        try self.importing(store)
        #expect(
            self.refusal { try self.importing(store) { $0.sites[0].stations[0].parameters[0].kind = .counter } }?.code
                == .refused)
        #expect(
            self.refusal { try self.importing(store) { $0.sites[0].stations[0].parameters[2].isDirection = false } }?
                .code == .refused)
    }

    @Test func `a refused import changes nothing at all`() throws {
        let store = try TestStore()
        try self.importing(store)
        let refused = self.refusal {
            try self.importing(store) {
                $0.sites[0].stations.append(TestStations.station("new-1", [TestStations.parameter("PM10")]))
                $0.sites[3].stations[0].parameters[0].unit = "ppm"
            }
        }
        #expect(refused?.code == .refused)
        try store.reopen()
        #expect(store.writer.registry.stations.count == 4)
        let report = try self.importing(store) {
            $0.sites[0].stations.append(TestStations.station("new-1", [TestStations.parameter("PM10")]))
        }
        #expect(report.stationsAdded == 1 && report.changes.isEmpty)
    }

    @Test func `a zone this machine does not know is refused and the store opens again`() throws {
        let store = try TestStore()
        #expect(self.refusal { try self.importing(store) { $0.sites[0].timeZone = "Mars/Base" } }?.code == .refused)
        try store.reopen()
        #expect(store.writer.registry.stations.isEmpty)
    }

    @Test func `a clock changes only behind the readings that were summed up by the old one`() throws {
        let store = try TestStore()
        try self.importing(store)
        let series = store.series("hcm-1", "PM10")
        let newest = Self.base + 40 * 3_600_000 + 1_800_000
        let times = (0...40).map { Self.base + Int64($0) * 3_600_000 } + [newest]
        try store.commit(series, times.map { ($0, 1) })
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        let change = { (file: inout StationFile) in file.sites[0].timeZone = "Asia/Kathmandu" }
        #expect(self.refusal { try self.importing(store, change) }?.detail.contains("--from") == true)
        #expect(self.refusal { try self.importing(store, from: newest, change) }?.code == .refused)
        try self.importing(store, from: newest + 1, change)
        try store.commit(series, [(newest + 1, 1), (newest + 86_400_000, 1), (Self.base + 5, 1)])
        let before = try store.reader.rollups(of: series, level: .day, from: 0, to: 1 << 42, limit: 100)
        #expect(before.reduce(0) { $0 + $1.rollup.n } == times.count + 3)
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        let after = try store.reader.rollups(of: series, level: .day, from: 0, to: 1 << 42, limit: 100)
        #expect(before == after)
        #expect(try StoreVerifier(store.reader).run().problems == [])
        // Moving the station to a site with another clock would do the same by the back door.
        let moved = self.refusal {
            try self.importing(store) { file in
                file.sites[0].timeZone = "Asia/Kathmandu"
                file.sites[1].stations.append(file.sites[0].stations.removeFirst())
            }
        }
        #expect(moved?.code == .refused)
    }

    @Test func `a station without readings may move to another site`() throws {
        let store = try TestStore()
        try self.importing(store)
        let report = try self.importing(store) { $0.sites[1].stations.append($0.sites[0].stations.removeFirst()) }
        #expect(report.changes == ["station hcm-1: site changed"])
        let registry = store.writer.registry
        #expect(registry.station(StationID("hcm-1")!).map { registry.site(of: $0).id } == "berlin")
    }
}

struct StoreOpeningTests {
    private func code(_ body: () throws -> Void) -> StoreError.Code? {
        do { try body() } catch { return (error as? StoreError)?.code }
        return nil
    }

    @Test(arguments: [true, false])
    func `a demo store and a real one are not mixed up`(isDemo: Bool) throws {
        let store = try TestStore(isDemo: isDemo)
        store.close()
        let path = store.path
        #expect(
            self.code { _ = try StoreWriter(path: path, defaultZone: "UTC", isDemo: !isDemo) } == .wrongFile)
        // The refused writer has let go of the lock.
        try store.open()
    }

    @Test func `a second writer is refused as long as the first one lives`() throws {
        let store = try TestStore()
        let path = store.path
        let second = { _ = try StoreWriter(path: path, defaultZone: "UTC", isDemo: false) }
        do { try second() } catch let error as StoreError {
            #expect(error.code == .locked)
            #expect(error.detail.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
        }
        #expect(self.code(second) == .locked)
        store.close()
        #expect(self.code(second) == nil)
    }

    @Test func `a store of a newer program is refused by writer and reader`() throws {
        let store = try TestStore()
        store.close()
        let queue = try DatabaseQueue(path: store.path)
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')") }
        try queue.close()
        let path = store.path
        #expect(self.code { _ = try StoreWriter(path: path, defaultZone: "UTC", isDemo: false) } == .tooNew)
        #expect(self.code { _ = try StoreReader.open(path: path, defaultZone: "UTC") } == .tooNew)
    }

    @Test func `a file that is no database is refused and left alone`() throws {
        let store = try TestStore()
        let path = store.folder.appending(path: "notes.txt").path
        let text = Data("these are my notes and not a database, thank you very much".utf8)
        try text.write(to: URL(filePath: path))
        #expect(self.code { _ = try StoreWriter(path: path, defaultZone: "UTC", isDemo: false) } == .wrongFile)
        #expect(self.code { _ = try StoreReader.open(path: path, defaultZone: "UTC") } == .wrongFile)
        #expect(FileManager.default.contents(atPath: path) == text)
    }

    @Test func `another program's database is refused and left alone`() throws {
        let store = try TestStore()
        let path = store.folder.appending(path: "other.db").path
        let bytes = { FileManager.default.contents(atPath: path) }
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: "CREATE TABLE recipe (name TEXT)") }
        try queue.close()
        let before = bytes()
        #expect(self.code { _ = try StoreWriter(path: path, defaultZone: "UTC", isDemo: false) } == .wrongFile)
        #expect(self.code { _ = try StoreReader.open(path: path, defaultZone: "UTC") } == .wrongFile)
        #expect(bytes() == before)
    }

    @Test func `a reader does not create a store`() throws {
        let store = try TestStore()
        let path = store.folder.appending(path: "missing.db").path
        #expect(self.code { _ = try StoreReader.open(path: path, defaultZone: "UTC") } == .wrongFile)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a new file has the page size, the vacuum mode and the log it should`() throws {
        let store = try TestStore()
        try store.importStations()
        store.close()
        let found = try DatabaseQueue(path: store.path).read { database in
            try ["page_size", "auto_vacuum"].map { try Int.fetchOne(database, sql: "PRAGMA \($0)") }
        }
        #expect(found == [4_096, 2])
    }
}

struct JournalTests {
    private static let base = TestStations.baseMilliseconds

    @Test func `frames go only when they are merged and folded`() throws {
        let store = try TestStore()
        try store.importStations()
        let writer = store.writer
        try store.commit(store.series("hcm-1", "PM10"), [(Self.base, 1)])
        try store.commit(store.series("ktm-1", "PM10"), [(Self.base, 2)])
        try store.commit(store.series("hcm-1", "Rain"), [(Self.base, 3)])
        #expect(try !writer.trimJournal() && writer.journalFrames == 3)
        try writer.foldLedger(alertSnapshot: [7])
        #expect(try !writer.trimJournal() && writer.journalFrames == 3)
        var policy = MergePolicy.everything
        policy.sliceMillisecondsMax = 0
        #expect(try writer.mergeSlice(policy, nowMilliseconds: Self.base)?.stations == 1)
        _ = try writer.trimJournal()
        #expect(writer.journalFrames == 1 + 1, "the first frame is merged, the second is not, the third is behind it")
        try writer.mergeEverything(nowMilliseconds: Self.base)
        try store.commit(store.series("hcm-1", "Rain"), [(Self.base + 1, 3)])
        try writer.mergeEverything(nowMilliseconds: Self.base)
        _ = try writer.trimJournal()
        #expect(writer.journalFrames == 1, "merged, but not folded")
        try writer.foldLedger(alertSnapshot: [8])
        _ = try writer.trimJournal()
        #expect(writer.journalFrames == 0 && writer.journalBytes == 0)
        try store.crash()
        #expect(try store.writer.alertSnapshot() == [8])
        let next = try store.commit(store.series("hcm-1", "Rain"), [(Self.base + 2, 3)]).sequence
        #expect(next == 5, "numbers are not used again")
    }

    @Test func `a reader beside a writer sees the unmerged tail and goes on when it is merged and trimmed`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("berlin-1", "PM10")
        try store.commit(series, [(Self.base, 1), (Self.base + 60_000, 2)])
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        try store.commit(series, [(Self.base + 120_000, 3), (Self.base, 9)], received: Self.base + 5_000)

        let beside = try StoreReader.open(path: store.path, defaultZone: "UTC")
        func values() throws -> [Double] {
            try beside.readings(of: series, from: 0, to: 1 << 42, limit: 10).map(\.value)
        }
        #expect(try values() == [9, 2, 3])
        #expect(try beside.latest(of: series)?.value == 3)
        #expect(try beside.versions(of: series, from: 0, to: 1 << 42, limit: 10).map(\.version) == [1, 2, 1, 1])
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        try store.writer.foldLedger(alertSnapshot: [])
        _ = try store.writer.trimJournal()
        #expect(try values() == [9, 2, 3])
        #expect(try beside.rollups(of: series, level: .hour, from: 0, to: 1 << 42, limit: 9).map(\.rollup.n) == [3])
        for counts in try beside.ledger().values { #expect(counts.messagesBalance && counts.undecided == 0) }
        #expect(try StoreVerifier(beside).run().problems == [])
    }

    @Test func `a reader opens a store that nobody writes, and one whose writer crashed`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("berlin-1", "PM10")
        try store.commit(series, [(Self.base, 1)])
        let crashed = try StoreReader.open(path: try store.copyOfFiles(), defaultZone: "UTC")
        #expect(try crashed.latest(of: series)?.value == 1)
        store.close()
        let closed = try StoreReader.open(path: store.path, defaultZone: "UTC")
        #expect(try closed.latest(of: series)?.value == 1)
        #expect(try StoreVerifier(closed).run().problems == [])
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(1))
    func `verify finds nothing in a sound store, merged or not, and a changed rollup`(seed: UInt64) throws {
        let store = try TestStore()
        try store.importStations()
        var traffic = Traffic(store.writer.registry, seed: seed)
        for (index, frame) in traffic.frames(Traffic.Plan(samples: 50...90, contradictions: 20)).enumerated() {
            try store.commit(frame)
            if index % 5 == 3 {
                _ = try store.writer.mergeSlice(.everything, nowMilliseconds: 0)
                #expect(try StoreVerifier(store.reader).run().problems == [], "seed \(seed)")
            }
        }
        #expect(try StoreVerifier(store.reader).run().problems == [], "seed \(seed)")
        try store.writer.mergeEverything(nowMilliseconds: 0)
        try store.writer.foldLedger(alertSnapshot: [])
        let report = try StoreVerifier(store.reader).run()
        #expect(report.problems == [] && report.seriesChecked == 16, "seed \(seed)")
        store.close()
        let queue = try DatabaseQueue(path: store.path)
        try queue.write { try $0.execute(sql: "UPDATE ledger SET stored = stored + 1 WHERE station > 0") }
        try queue.write { try $0.execute(sql: "UPDATE tail SET readings = readings + 1 WHERE length(hours) > 0") }
        try queue.close()
        try store.open()
        #expect(try StoreVerifier(store.reader).run().problems.count >= 3, "seed \(seed)")
    }
}
