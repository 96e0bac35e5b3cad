import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import quantrac

/// A store on disk that nobody holds, with four readings, one of them revised later.
private struct Site {
    static let start: Int64 = 1_795_366_800_000  // 2026-11-23T00:00:00+07:00
    let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
        try Data("store: {path: \(self.folder.path("q.db"))}\n".utf8).write(
            to: URL(filePath: self.folder.path("quantrac.yaml")))
        let writer = try StoreWriter(path: self.folder.path("q.db"), defaultZone: "Asia/Ho_Chi_Minh", isDemo: false)
        let stations = """
            sites:
              - id: s
                kind: mine
                stations:
                  - {id: b, interval: 15m, parameters: [{id: P, unit: t}, {id: N, unit: t, kind: counter}]}
                  - {id: a, interval: 15m, parameters: [{id: P, unit: t}]}
            """
        _ = try writer.importStations(
            StationFileReader.read(text: stations, file: "s"), validFromMilliseconds: nil, nowMilliseconds: 0)
        let station = try #require(StationID("b"))
        let parameter = try #require(ParameterID("P"))
        let series = try #require(writer.registry.series(station, parameter))
        let number = writer.registry.station(of: series).number
        let frame = FrameWriter()
        // 10, 20, 30, 40 every quarter of an hour; an hour later the first one is 11.
        for (received, samples) in [(0, [10.0, 20, 30, 40]), (3_600_000, [11])] as [(Int64, [Double])] {
            frame.begin(receivedMilliseconds: Self.start + 3_600_000 + received)
            frame.beginMessage(
                station: number, flags: [], quarantinedCount: 0, sequence: nil,
                boot: UnsafeBufferPointer(start: nil, count: 0))
            frame.beginSamples(count: samples.count)
            for (index, value) in samples.enumerated() {
                frame.beginSample(
                    timeMilliseconds: Self.start + Int64(index) * 900_000, readingCount: 1, allMeasuring: true)
                frame.addReading(series: series.number, value: value, status: .measuring)
            }
            let header = FrameHeader(
                kind: .messages, receivedMilliseconds: Self.start + 3_600_000 + received, messageCount: 1)
            _ = try writer.commit(frame, header, BatchEffects())
        }
    }

    func run(_ arguments: [String]) async -> Int32 {
        await Program.run(arguments + ["--config", self.folder.path("quantrac.yaml")])
    }

    func add(_ arguments: String...) async -> Int32 {
        await self.run(
            ["correction", "add", "--station", "b", "--parameter", "P", "--who", "Lan", "--why", "test"] + arguments)
    }

    /// Rows of an export without the header, in fields.
    func export(_ arguments: String...) async throws -> [[String]] {
        let path = self.folder.path("out.csv")
        let code = await self.run(["export", "--station", "b", "--parameter", "P", "--output", path] + arguments)
        try #require(code == ExitStatus.done)
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    func corrections(includingRevoked: Bool = false) throws -> [Correction] {
        try StoreReader.open(path: self.folder.path("q.db"), defaultZone: "UTC")
            .corrections(includingRevoked: includingRevoked)
    }
}

@Suite struct CorrectionVerbTests {
    @Test func `an export is corrected unless it is asked for as received`() async throws {
        let site = try Site()
        let from = "2026-11-23T00:15:00+07:00"
        #expect(await site.add("--from", from, "--to", "2026-11-23T00:45:00+07:00", "--invalidate") == 0)
        #expect(await site.add("--from", "2026-11-23", "--to", "2026-11-24", "--scale", "2", "--offset", "-1") == 0)
        let raw = try await site.export()
        #expect(raw.map { $0[5] } == ["21", "39", "59", "79"])
        #expect(raw.map { $0[6] } == ["00", "INV", "INV", "00"])
        #expect(try await site.export("--corrected") == raw)
        let received = try await site.export("--as-received")
        #expect(received.map { $0[5] } == ["11", "20", "30", "40"])
        #expect(received.allSatisfy { $0[6] == "00" })
        let revisions = try await site.export("--revisions")
        #expect(revisions.map { $0[5] + " " + $0[7] } == ["19 1", "21 2", "39 1", "59 1", "79 1"])
        for level in ["1h", "1d"] {
            let row = try #require(try await site.export("--level", level).first)
            // n, n_valid, n_due, mean, sum, min: of 21 and 79.
            #expect(row[5...10].joined(separator: " ") == "4 2 \(level == "1h" ? 4 : 96) 50 100 21")
            let plain = try #require(try await site.export("--level", level, "--as-received").first)
            #expect(plain[5...10].joined(separator: " ") == "4 4 \(level == "1h" ? 4 : 96) 25.25 101 11")
        }
        let minutes = try await site.export("--level", "1m")
        #expect(minutes.map { $0[8] } == ["21", "", "", "79"])
    }

    @Test func `an export is whole, however few readings a transaction folds`() async throws {
        let site = try Site()
        #expect(await site.add("--from", "2026-11-23", "--to", "2026-11-24", "--scale", "2") == 0)
        let reader = try StoreReader.open(path: site.folder.path("q.db"), defaultZone: "Asia/Ho_Chi_Minh")
        func export(_ level: Level, _ name: String) throws -> String {
            let sink = try ExportSink(path: site.folder.path(name))
            var job = ExportJob(reader: reader, level: level, revisions: false, row: RowBuilder(format: .csv))
            let spans = try ExportSelection(stations: ["all"], parameters: ["all"], from: nil, to: nil)
                .spans(registry: reader.registry)
            try job.run(spans, into: sink) { _, _, _ in }
            _ = try sink.finish()
            return try String(contentsOfFile: site.folder.path(name), encoding: .utf8)
        }
        for level in [Level.minute, .hour, .day] {
            reader.correctedRollups.bound(bytes: 32 << 20)
            let whole = try export(level, "whole.csv")
            reader.correctedRollups.bound(bytes: 0, readings: 1)
            #expect(try export(level, "pages.csv") == whole)
            #expect(whole.split(separator: "\n").count == (level == .minute ? 5 : 2))
        }
    }

    @Test func `an export as of an instant holds what was known then`() async throws {
        let site = try Site()
        // Before the revision arrived; corrections are made at the time of the test, far later or earlier than both.
        let early = try await site.export("--as-of", "2026-11-23T01:30:00+07:00")
        #expect(early.map { $0[5] } == ["10", "20", "30", "40"])
        #expect(early.map { $0[4] }.allSatisfy { $0 == "2026-11-23T01:00:00+07:00" })
        #expect(try await site.export("--as-of", "2026-11-23T00:59:59+07:00").isEmpty)
        #expect(try await site.export("--as-of", "2026-11-23").isEmpty)
        let late = try await site.export("--as-of", "2026-11-23T02:00:00+07:00", "--revisions")
        #expect(late.map { $0[5] + " " + $0[7] } == ["10 1", "11 2", "20 1", "30 1", "40 1"])
        #expect(await site.run(["export", "--level", "1h", "--as-of", "2026-11-23"]) == ExitStatus.usage)
        #expect(await site.run(["export", "--as-of", "yesterday"]) == ExitStatus.usage)
    }

    @Test func `an export as of an instant knows the corrections of that instant`() async throws {
        let site = try Site()
        let writer = try StoreWriter(
            path: site.folder.path("q.db"), defaultZone: "Asia/Ho_Chi_Minh", isDemo: false)
        let at = Site.start + 3 * 3_600_000
        let series = try #require(writer.registry.series.first { $0.parameter.text == "P" && $0.stationIndex == 0 })
        let added = try writer.addCorrection(
            to: series,
            CorrectionDraft(
                fromMilliseconds: Site.start, toMilliseconds: Site.start + 1, kind: .replace(5, .fault), who: "Lan",
                why: "test", madeMilliseconds: at))
        _ = try writer.revokeCorrection(added.id, who: "Lan", why: "test", atMilliseconds: at + 3_600_000)
        func first(_ hour: Int, _ view: String) async throws -> String {
            let row = try #require(
                try await site.export("--as-of", "2026-11-23T0\(hour):00:00+07:00", view).first)
            return row[5] + " " + row[6]
        }
        #expect(try await first(2, "--corrected") == "11 00")
        #expect(try await first(3, "--corrected") == "5 02")
        #expect(try await first(3, "--as-received") == "11 00")
        #expect(try await first(4, "--corrected") == "11 00")
    }

    @Test func `what was added can be listed and revoked, once`() async throws {
        let site = try Site()
        #expect(
            await site.add("--from", "2026-11-23", "--to", "2026-11-24", "--replace", "-3.5", "--status", "02") == 0)
        let added = try #require(try site.corrections().first)
        #expect(added.kind == .replace(-3.5, .fault) && added.who == "Lan" && added.why == "test")
        #expect(added.fromMilliseconds == Site.start && added.toMilliseconds == Site.start + 86_400_000)
        #expect(await site.run(["correction", "list"]) == 0)
        #expect(await site.run(["correction", "list", "--all", "--json", "--station", "a", "b"]) == 0)
        #expect(await site.run(["correction", "list", "--station", "c"]) == ExitStatus.usage)
        let revoke = ["correction", "revoke", "\(added.id)", "--who", "Minh", "--why", "mistake"]
        #expect(await site.run(revoke) == 0)
        #expect(try site.corrections().isEmpty)
        #expect(try site.corrections(includingRevoked: true).first?.revocation?.who == "Minh")
        #expect(await site.run(revoke) == ExitStatus.usage)
        #expect(await site.run(["correction", "revoke", "99", "--who", "M", "--why", "x"]) == ExitStatus.usage)
        #expect(try await site.export().map { $0[5] } == ["11", "20", "30", "40"])
    }

    @Test(arguments: [
        [], ["--invalidate", "--annotate", "x"], ["--invalidate", "--status", "00"],
        ["--annotate", "x", "--status", "02"],
        ["--replace", "inf"], ["--offset", "3"], ["--scale", "0"], ["--scale", "2", "--replace", "1"],
        ["--invalidate", "--from", "yesterday"], ["--invalidate", "--station", "z"],
        ["--invalidate", "--parameter", "Z"],
        ["--invalidate", "--to", "2026-11-23"], ["--parameter", "N", "--scale", "2"], ["--invalidate", "--why", " "],
    ])
    func `what cannot be meant is a usage error and changes nothing`(arguments: [String]) async throws {
        let site = try Site()
        var all = [
            "--station": "b", "--parameter": "P", "--from": "2026-11-23", "--to": "2026-11-24", "--who": "Lan",
            "--why": "test",
        ]
        var rest = arguments
        for (index, option) in arguments.enumerated() where all[option] != nil {
            all[option] = arguments[index + 1]
            rest.removeAll { $0 == option || $0 == arguments[index + 1] }
        }
        let code = await site.run(["correction", "add"] + all.flatMap { [$0.key, $0.value] } + rest)
        #expect(code == ExitStatus.usage)
        #expect(try site.corrections(includingRevoked: true).isEmpty)
    }

    @Test func `the list in JSON has the keys of the correction's kind`() throws {
        let zone = Zone(name: "Asia/Ho_Chi_Minh", offsetSeconds: 25_200)
        let correction = Correction(
            id: 3, series: 9, fromMilliseconds: Site.start, toMilliseconds: Site.start + 1_000,
            kind: .scale(.init(factor: 1.5, offset: 0, endFactor: 2, endOffset: -1)), who: "Lan", why: "drift",
            madeMilliseconds: Site.start, change: 17,
            revocation: .init(who: "Minh", why: "x", atMilliseconds: Site.start, change: 18))
        let item = CorrectionItem(correction, .empty, TimeText(zone: zone))
        let object = try #require(
            try JSONSerialization.jsonObject(with: try JSONEncoder().encode(item)) as? [String: Any])
        #expect(
            object.keys.sorted() == [
                "change", "endFactor", "endOffset", "factor", "from", "id", "kind", "made", "offset", "parameter",
                "revoked", "revokedBy", "revokedChange", "revokedWhy", "station", "to", "who", "why",
            ])
        #expect(object["kind"] as? String == "scale" && object["endFactor"] as? Double == 2)
        #expect(object["from"] as? String == "2026-11-23T00:00:00.000+07:00")
        #expect(item.cells[5] == "scale × 1.5 + 0, drifting to × 2 − 1")
    }
}
