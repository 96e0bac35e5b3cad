import Foundation
import Monitoring
import Synchronization
import Testing
import TimeSeriesStore

@testable import DataLake

/// The lake and the deletion of raw readings: first published, then deleted, then never stated again (I8, I11).
@Suite(.enabled(if: LakeFixture.isDuckDBThere, "DuckDB's program is neither on PATH nor in .tools/bin"))
struct LakeRetentionTests {
    private static let later = LakeFixture.midnight + 30 * 86_400_000

    @Test func `nothing is deleted before it is published, and what is deleted is never stated again`() async throws {
        let fixture = try LakeFixture()
        let raw = try fixture.store.reader.status().readings
        let held = try await fixture.deleteOld(nowMilliseconds: Self.later)
        #expect(Set(held.values) == [.unpublished(day: LakeFixture.day - 1)])
        #expect(try fixture.store.reader.status().readings == raw)

        fixture.clock.advance(to: Self.later)
        try await fixture.publisher().publish(.request)
        #expect(try await fixture.deleteOld(nowMilliseconds: Self.later).isEmpty)
        #expect(try fixture.store.reader.status().readings == 0)
        let (tree, parts) = (try fixture.tree(), try fixture.parts)
        try await fixture.publisher().publish(.request)
        #expect(try fixture.tree() == tree)
        #expect(try fixture.parts == parts)

        // An emptied lake is not filled with days that are only half there.
        try FileManager.default.removeItem(atPath: fixture.destination)
        let report = try await fixture.publisher().publish(.request)
        #expect(report.published.isEmpty && report.failed.isEmpty)
        #expect(try fixture.parts == parts)
    }

    @Test func `a day that changed while it was published is looked at once more, and then it may go`() async throws {
        let fixture = try LakeFixture()
        fixture.clock.advance(to: Self.later)
        let partsWritten = Mutex(0)
        try await fixture.publisher(afterStep: { step in
            guard step == .partWritten else { return }
            let isFirst = partsWritten.withLock { count in
                count += 1
                return count == 1
            }
            // The day before is being published: the list of days and their changes is made already.
            guard isFirst else { return }
            try fixture.arriveLate()
            try fixture.store.merge()
        }).publish(.request)
        let part = try #require(try fixture.partsOfDay.first)
        #expect(part.rows == 3 * 1_440 + 1, "the late reading is in the part")
        let day = try #require(try fixture.store.reader.lakeDays().first { $0.day == LakeFixture.day })
        #expect(day.change > part.changeTo && day.examinedThrough < day.change)
        let held = try await fixture.deleteOld(nowMilliseconds: Self.later)
        #expect(Set(held.values) == [.unpublished(day: LakeFixture.day)])

        let report = try await fixture.publisher().publish(.request)
        #expect(report.published.isEmpty && report.unchanged == 1)
        // Noted in the store: the next process need not look again.
        #expect(try await fixture.publisher().publish(.request).unchanged == 0)
        #expect(try await fixture.deleteOld(nowMilliseconds: Self.later).isEmpty)
        #expect(try fixture.store.reader.status().readings == 0)
    }
}
