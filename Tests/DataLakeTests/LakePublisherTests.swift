import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import DataLake

@Suite(.enabled(if: LakeFixture.isDuckDBThere, "DuckDB's program is neither on PATH nor in .tools/bin"))
struct LakePublisherTests {
    @Test func `a closed day becomes one part with a manifest that fits it`() async throws {
        let fixture = try LakeFixture()
        let report = try await fixture.publisher().publish(.schedule)
        #expect(report.failed.isEmpty)
        // The hour before midnight is a day of its own.
        #expect(report.published.map(\.day) == [LakeFixture.day - 1, LakeFixture.day])
        let part = try #require(try fixture.partsOfDay.first)
        #expect(part.generation == 1 && part.changeFrom == 1)
        #expect(part.file == "readings/date=2026-11-23/part-1-\(part.changeTo)-g1.parquet")
        let manifest = try #require(try fixture.manifest())
        #expect(manifest.date == "2026-11-23" && manifest.table == "readings" && manifest.schemaVersion == 1)
        #expect(manifest.current.rows == part.rows && manifest.current.rowsHash == part.rowsHash)
        #expect(manifest.current.minTime == LakeFixture.midnight)
        #expect(manifest.current.maxTime == LakeFixture.midnight + 86_340_000 + 2)
        #expect(try fixture.tree()[part.file] == part.sha256)
        #expect(
            try fixture.tree().keys.sorted() == [
                "manifest/readings/date=2026-11-22.json", "manifest/readings/date=2026-11-23.json",
                "readings/date=2026-11-22/\(try #require(try fixture.parts.first).file.split(separator: "/")[2])",
                part.file,
            ])
    }

    @Test func `the part holds the day's readings bit for bit, in order`() async throws {
        let fixture = try LakeFixture()
        try await fixture.publisher().publish(.schedule)
        let part = try #require(try fixture.partsOfDay.first)
        let summary = try await DuckDB.find(setting: nil).summarize("\(fixture.destination)/\(part.file)")
        // An independent pass over the store, not through the publisher's reader.
        var hash = LakeRowHash()
        let registry = fixture.store.reader.registry
        for (station, parameter) in [("st-1", "TempC"), ("st-1", "pH"), ("st-2", "PM10")] {
            let series = fixture.store.series(station, parameter)
            for reading in try fixture.store.reader.readings(
                of: series, from: LakeFixture.midnight, to: LakeFixture.midnight + 86_400_000, limit: 10_000)
            {
                hash.add(
                    LakeRow(
                        site: registry.sites[0].id, station: station, parameter: parameter, unit: series.unit.latest,
                        timeMilliseconds: reading.timeMilliseconds, offsetSeconds: 25_200,
                        receivedSeconds: Int64(reading.receivedSeconds), value: reading.value,
                        status: reading.status.description))
            }
        }
        #expect(summary == LakeRowSummary(hash))
        #expect(summary.rows == 3 * 1_440)
    }

    @Test func `publishing again changes nothing`() async throws {
        let fixture = try LakeFixture()
        try await fixture.publisher().publish(.request)
        let (tree, parts) = (try fixture.tree(), try fixture.parts)
        for _ in 0..<2 {
            let report = try await fixture.publisher().publish(.request)
            #expect(report.published.isEmpty && report.failed.isEmpty)
            #expect(try fixture.tree() == tree)
            #expect(try fixture.parts == parts)
        }
    }

    @Test func `two lakes of the same readings have the same bytes`() async throws {
        let (one, other) = (try LakeFixture(), try LakeFixture())
        try await one.publisher().publish(.schedule)
        try await other.publisher().publish(.schedule)
        #expect(try one.tree() == other.tree())
        #expect(try !one.tree().isEmpty)
    }

    @Test(arguments: LakeStep.allCases)
    func `a crash after any step leads to the same files`(step: LakeStep) async throws {
        let undisturbed = try LakeFixture()
        try await undisturbed.publisher().publish(.schedule)
        let fixture = try LakeFixture()
        // The second day fails as well when the first is done by then.
        for _ in 0..<2 {
            _ = await #expect(throws: LakeInterruption.self) {
                try await fixture.publisher(failingAfter: step).publish(.schedule)
            }
            if step == .recorded || step == .manifestRenamed { break }
        }
        try await fixture.publisher().publish(.schedule)
        #expect(try fixture.tree() == undisturbed.tree())
        #expect(try fixture.parts == undisturbed.parts)
    }

    @Test(arguments: LakeStep.allCases)
    func `a crash while a day is restated leads to the same files`(step: LakeStep) async throws {
        let undisturbed = try LakeFixture()
        try await undisturbed.publisher().publish(.request)
        try undisturbed.arriveLate()
        try await undisturbed.publisher().publish(.request)
        let fixture = try LakeFixture()
        try await fixture.publisher().publish(.request)
        try fixture.arriveLate()
        _ = await #expect(throws: LakeInterruption.self) {
            try await fixture.publisher(failingAfter: step).publish(.request)
        }
        try await fixture.publisher().publish(.request)
        #expect(try fixture.tree() == undisturbed.tree())
        #expect(try fixture.parts == undisturbed.parts)
    }

    @Test func `late data make a second generation and the first stays`() async throws {
        let fixture = try LakeFixture()
        try await fixture.publisher().publish(.schedule)
        let first = try #require(try fixture.partsOfDay.first)
        let bytes = try fixture.tree()[first.file]
        try fixture.arriveLate()
        // Not within six hours of its own accord …
        #expect(try await fixture.publisher().publish(.schedule).published.isEmpty)
        fixture.clock.advance(by: 6 * 3_600_000)
        // … and then once.
        let report = try await fixture.publisher().publish(.schedule)
        let second = try #require(report.published.first)
        #expect(report.published.count == 1 && second.generation == 2)
        #expect(second.changeFrom == first.changeTo + 1 && second.rows == first.rows + 1)
        #expect(second.file.hasSuffix("-g2.parquet"))
        #expect(try fixture.tree()[first.file] == bytes)
        let manifest = try #require(try fixture.manifest())
        #expect(manifest.current.generation == 2 && manifest.earlier.map(\.file) == [first.file])
    }

    @Test func `a resent reading touches the day and makes no new generation`() async throws {
        let fixture = try LakeFixture()
        try await fixture.publisher().publish(.request)
        let tree = try fixture.tree()
        try fixture.store.commit(
            fixture.store.series("st-2", "PM10"), [(time: LakeFixture.midnight, value: 0, status: .measuring)],
            receivedSeconds: LakeFixture.midnight / 1_000 + 95_000)
        try await fixture.publisher().publish(.request)
        let changed = try fixture.tree()
        #expect(changed != tree, "a revision is a new generation")
        let reading = try fixture.store.reader.readings(
            of: fixture.store.series("st-1", "pH"), from: LakeFixture.midnight, to: LakeFixture.midnight + 600_000,
            limit: 1)[0]
        try fixture.store.commit(
            fixture.store.series("st-1", "pH"),
            [(time: reading.timeMilliseconds, value: reading.value, status: reading.status)],
            receivedSeconds: LakeFixture.midnight / 1_000 + 96_000)
        try await fixture.publisher().publish(.request)
        #expect(try fixture.tree() == changed)
    }

    @Test func `a day is not published before half an hour after its end`() async throws {
        let fixture = try LakeFixture()
        let early = ManualClock(LakeFixture.midnight + 86_400_000 + 1_799_999)
        var context = fixture.publisher().context
        context.clock = early
        let publisher = LakePublisher(context: context)
        #expect(try await publisher.publish(.request).published.map(\.day) == [LakeFixture.day - 1])
        early.advance(by: 1)
        #expect(try await publisher.publish(.request).published.map(\.day) == [LakeFixture.day])
    }

    @Test func `what an interrupted run left is cleared away and nothing else`() async throws {
        let fixture = try LakeFixture()
        let folder = "\(fixture.destination)/readings/date=2026-11-23"
        try LakeFiles.makeFolder(folder)
        try LakeFiles.write(Data("half".utf8), to: "\(folder)/.part.parquet.unfinished")
        try LakeFiles.write(Data("half".utf8), to: "\(folder)/part-1-99-g1.parquet")
        try LakeFiles.write(Data("mine".utf8), to: "\(folder)/notes.txt")
        try await fixture.publisher().publish(.schedule)
        let part = try #require(try fixture.partsOfDay.first)
        #expect(LakeFiles.names(in: folder) == ["notes.txt", part.file.split(separator: "/").last.map(String.init)!])
    }

    @Test func `an emptied lake is filled with the same files`() async throws {
        let fixture = try LakeFixture()
        try await fixture.publisher().publish(.schedule)
        let tree = try fixture.tree()
        try FileManager.default.removeItem(atPath: fixture.destination)
        try await fixture.publisher().publish(.schedule)
        #expect(try fixture.tree() == tree)
    }

    @Test func `a damaged part is published anew under a new number`() async throws {
        let fixture = try LakeFixture()
        try await fixture.publisher().publish(.schedule)
        let part = try #require(try fixture.partsOfDay.first)
        try LakeFiles.write(Data("damaged".utf8), to: "\(fixture.destination)/\(part.file)")
        try fixture.arriveLate()
        try await fixture.publisher().publish(.request)
        let manifest = try #require(try fixture.manifest())
        #expect(manifest.current.generation == 2)
        #expect(try fixture.tree()[manifest.current.file] == manifest.current.sha256)
    }

    @Test func `status tells published, pending, changed and open days`() async throws {
        let fixture = try LakeFixture()
        let zone = fixture.publisher().context.zone
        func states() throws -> [LakeStatus.State] {
            try LakeStatus.read(
                fixture.store.reader, zone: zone, nowMilliseconds: fixture.clock.nowMilliseconds
            ).days.map(\.state)
        }
        try fixture.store.merge()
        #expect(try states() == [.pending, .pending])
        try await fixture.publisher().publish(.schedule)
        #expect(try states() == [.published, .published])
        try fixture.arriveLate()
        try fixture.store.commit(
            fixture.store.series("st-2", "PM10"),
            [(time: LakeFixture.midnight + 86_400_000, value: 1, status: .measuring)],
            receivedSeconds: LakeFixture.midnight / 1_000 + 95_000)
        try fixture.store.merge()
        #expect(try states() == [.published, .changed, .open])
    }
}

/// What needs no DuckDB.
struct LakeWithoutDuckDBTests {
    @Test func `a missing program is said clearly and loses nothing`() async throws {
        let fixture = try LakeFixture()
        let publisher = fixture.publisher(duckdb: "/nowhere/duckdb")
        let error = await #expect(throws: LakeError.self) { try await publisher.publish(.schedule) }
        #expect(error?.code == .duckdbMissing)
        #expect(publisher.lastError?.contains("lake.duckdb: there is no program /nowhere/duckdb") == true)
        #expect(try fixture.tree().isEmpty)
        #expect(try fixture.parts.isEmpty)
    }

    @Test func `a program that fails is quoted and nothing is published`() async throws {
        let fixture = try LakeFixture()
        let program = fixture.store.folder + "/duckdb"
        try Data("#!/bin/sh\necho 'out of order' >&2\nexit 3\n".utf8).write(to: URL(fileURLWithPath: program))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        let publisher = fixture.publisher(duckdb: program)
        let report = try await publisher.publish(.schedule)
        #expect(report.failed.count == 2)
        #expect(report.failed.first?.error.contains("out of order") == true, "\(report)")
        #expect(publisher.lastError?.contains("2026-11-22") == true)
        #expect(try fixture.parts.isEmpty)
    }
}
