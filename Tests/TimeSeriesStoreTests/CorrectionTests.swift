import GRDB
import Monitoring
import Testing
import TimeSeriesStore

struct CorrectionTests {
    private static let base = TestStations.baseMilliseconds
    private static let hour: Int64 = 3_600_000

    private func store() throws -> (store: TestStore, series: Series) {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        try store.commit(series, (0..<240).map { (Self.base + Int64($0) * 60_000, Double($0 % 60)) })
        return (store, series)
    }

    private func draft(
        _ kind: Correction.Kind, from: Int64 = base, to: Int64 = base + hour, who: String = "Lan", why: String = "drift"
    ) -> CorrectionDraft {
        CorrectionDraft(
            fromMilliseconds: from, toMilliseconds: to, kind: kind, who: who, why: why,
            madeMilliseconds: Self.base + 5_000)
    }

    private func means(_ reader: StoreReader, _ series: Series, _ view: ServedView) throws -> [Double?] {
        try reader.rollups(of: series, level: .hour, from: 0, to: 1 << 42, limit: 100, view: view)
            .map { $0.rollup.mean(method: .plain) }
    }

    @Test func `a reader beside the service, and one after a restart, see what was corrected`() throws {
        let (store, series) = try self.store()
        _ = try store.writer.addCorrection(to: series, self.draft(.replace(7, .measuring)))
        #expect(try self.means(store.reader, series, .corrected) == [7, 29.5, 29.5, 29.5])
        #expect(try self.means(store.reader, series, .asReceived) == [29.5, 29.5, 29.5, 29.5])
        let beside = try StoreReader.open(path: store.path, defaultZone: "UTC")
        #expect(try self.means(beside, series, .corrected) == [7, 29.5, 29.5, 29.5])
        try store.crash()
        #expect(try self.means(store.reader, series, .corrected) == [7, 29.5, 29.5, 29.5])
    }

    @Test func `a correction survives an import of stations`() throws {
        let (store, series) = try self.store()
        _ = try store.writer.addCorrection(to: series, self.draft(.replace(7, .measuring)))
        _ = try store.writer.importStations(
            StationFile(sites: [
                .init(
                    id: "new", name: "New (TEST)", kind: .mine, timeZone: nil,
                    stations: [TestStations.station("new-1", [TestStations.parameter("SO2")])])
            ]), validFromMilliseconds: nil, nowMilliseconds: Self.base)
        #expect(try self.means(store.reader, series, .corrected).first == 7)
    }

    @Test func `what was revoked stays in the list of all, with who and why`() throws {
        let (store, series) = try self.store()
        let first = try store.writer.addCorrection(to: series, self.draft(.invalidate(.invalidated)))
        let second = try store.writer.addCorrection(to: series, self.draft(.annotate("Khói rơm rạ")))
        #expect(second.id > first.id && second.change > first.change)
        _ = try store.writer.revokeCorrection(first.id, who: "Minh", why: "mistake", atMilliseconds: Self.base + 9_000)
        #expect(try self.means(store.reader, series, .corrected) == [29.5, 29.5, 29.5, 29.5])
        #expect(try store.reader.corrections(includingRevoked: false) == [second])
        let all = try store.reader.corrections(includingRevoked: true)
        #expect(all.map(\.id) == [first.id, second.id])
        let revocation = try #require(all.first?.revocation)
        #expect(revocation.who == "Minh" && revocation.why == "mistake" && revocation.change > second.change)
        #expect(throws: StoreError.self) {
            try store.writer.revokeCorrection(first.id, who: "Minh", why: "again", atMilliseconds: Self.base)
        }
        // The number of a revoked one is never given again.
        let third = try store.writer.addCorrection(to: series, self.draft(.invalidate(.invalidated)))
        #expect(third.id == second.id + 1)
    }

    @Test func `merging, correcting and revoking draw different changes`() throws {
        let (store, series) = try self.store()
        let one = try store.writer.addCorrection(to: series, self.draft(.replace(1, .measuring)))
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        let two = try store.writer.addCorrection(to: series, self.draft(.replace(2, .measuring)))
        try store.reopen()
        let three = try store.writer.addCorrection(to: series, self.draft(.replace(3, .measuring)))
        #expect(two.change >= one.change + 2)
        #expect(three.change > two.change)
    }

    @Test func `a draft that says nothing, or what was said already, is refused`() throws {
        let (store, series) = try self.store()
        let good = self.draft(.replace(1, .measuring))
        _ = try store.writer.addCorrection(to: series, good)
        let bad: [(CorrectionDraft, String)] = [
            (good, "correction 1 of Lan already"), (self.draft(.replace(1, .measuring), to: Self.base), "half-open"),
            (self.draft(.replace(2, .measuring), who: " "), "who"),
            (self.draft(.replace(2, .measuring), why: ""), "why"),
            (self.draft(.replace(2, .measuring), why: String(repeating: "x", count: 5_000)), "4096"),
        ]
        for (draft, words) in bad {
            let error = #expect(throws: StoreError.self) { try store.writer.addCorrection(to: series, draft) }
            #expect(error?.code == .refused && error?.detail.contains(words) == true, "\(error?.detail ?? "")")
        }
        let counter = store.series("hcm-1", "Tonnage")
        let scale = Correction.Scale(factor: 0.9, offset: 0, endFactor: 0.9, endOffset: 0)
        let error = #expect(throws: StoreError.self) {
            try store.writer.addCorrection(to: counter, self.draft(.scale(scale)))
        }
        #expect(error?.detail.contains("counter") == true)
        #expect(try store.reader.corrections(includingRevoked: true).count == 1)
    }

    @Test func `a correction that failed to commit is not there`() throws {
        let (store, series) = try self.store()
        store.writer.faults = StoreFaults(.commit, nth: 1, error: StoreError(.refused, "injected"))
        #expect(throws: StoreError.self) {
            try store.writer.addCorrection(to: series, self.draft(.replace(1, .measuring)))
        }
        #expect(try store.reader.corrections(includingRevoked: true).isEmpty)
        #expect(try self.means(store.reader, series, .corrected) == [29.5, 29.5, 29.5, 29.5])
        #expect(try store.writer.addCorrection(to: series, self.draft(.replace(1, .measuring))).id == 1)
    }

    @Test func `rollups are kept until readings or corrections of the series change`() throws {
        let (store, series) = try self.store()
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        let reader = store.reader
        #expect(reader.correctedRollups.bytes == 0)
        _ = try self.means(reader, series, .corrected)
        #expect(reader.correctedRollups.bytes == 0, "without corrections nothing is folded or kept")
        let draft = self.draft(.replace(7, .measuring), to: Self.base + 2 * Self.hour)
        let added = try store.writer.addCorrection(to: series, draft)
        #expect(try self.means(reader, series, .corrected) == [7, 7, 29.5, 29.5])
        let kept = reader.correctedRollups.bytes
        #expect(kept > 0)
        #expect(try self.means(reader, series, .corrected) == [7, 7, 29.5, 29.5])
        #expect(reader.correctedRollups.bytes == kept)
        // Late data in a corrected hour: first unmerged, then merged.
        try store.commit(series, [(Self.base + 1, 100)])
        try store.commit(series, [(Self.base + 2 * Self.hour + 1, 29.5)])
        #expect(try self.means(reader, series, .corrected) == [7, 7, 29.5, 29.5])
        #expect(
            try reader.rollups(of: series, level: .hour, from: 0, to: 1 << 42, limit: 1, view: .corrected)[0]
                .rollup.n == 61)
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        #expect(
            try reader.rollups(of: series, level: .hour, from: 0, to: 1 << 42, limit: 1, view: .corrected)[0]
                .rollup.n == 61)
        _ = try store.writer.revokeCorrection(added.id, who: "Lan", why: "test", atMilliseconds: Self.base)
        let half = self.draft(.replace(8, .measuring))
        _ = try store.writer.addCorrection(to: series, half)
        #expect(try self.means(reader, series, .corrected) == [8, 29.5, 29.5, 29.5])
    }

    @Test func `where raw readings are gone an hour is shown as it was received`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        try store.commit(series, (0..<2_400).map { (Self.base + Int64($0) * 60_000, Double($0 % 60)) })
        try store.writer.mergeEverything(nowMilliseconds: Self.base)
        let draft = self.draft(.replace(7, .measuring), to: Self.base + 40 * Self.hour)
        _ = try store.writer.addCorrection(to: series, draft)
        store.close()
        try DatabaseQueue(path: store.path).write {
            // The first 1,024 readings: 17 hours and 4 minutes.
            let first = Int64(series.number) << 44
            try $0.execute(
                sql: "DELETE FROM chunk WHERE key BETWEEN ? AND ?", arguments: [first, first + Self.base])
            #expect($0.changesCount == 1)
        }
        try store.open()
        let expected = Array(repeating: 29.5, count: 18) + Array(repeating: 7.0, count: 22)
        #expect(try self.means(store.reader, series, .corrected) == expected)
        #expect(try self.means(store.reader, series, .corrected) == expected)
        #expect(try store.reader.readings(of: series, from: 0, to: 1 << 42, limit: 1, view: .corrected)[0].value == 7)
    }

    @Test func `verify names a correction of a series that is not there, or that cannot be read`() throws {
        let (store, series) = try self.store()
        _ = try store.writer.addCorrection(to: series, self.draft(.replace(7, .measuring)))
        _ = try store.writer.addCorrection(to: series, self.draft(.replace(8, .measuring)))
        #expect(try StoreVerifier(store.reader).run().problems.isEmpty)
        store.close()
        try DatabaseQueue(path: store.path).write {
            try $0.execute(sql: "UPDATE correction SET series = 999 WHERE id = 1")
            try $0.execute(sql: "UPDATE correction SET what = 'x' WHERE id = 2")
        }
        try store.open()
        let problems = try StoreVerifier(store.reader).run().problems
        #expect(problems.count == 2 && problems[0].contains("correction 1") && problems[1].contains("correction 2"))
        #expect(try self.means(store.reader, series, .corrected) == [29.5, 29.5, 29.5, 29.5])
    }
}
