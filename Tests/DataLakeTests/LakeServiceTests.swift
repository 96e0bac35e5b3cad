import Monitoring
import Testing
import TimeSeriesStore

@testable import DataLake

struct LakeServiceTests {
    private let zone = ZoneDatabase.zone(named: "Asia/Ho_Chi_Minh")!

    @Test func `the next run is half an hour after midnight or six hours on`() {
        let midnight = LakeFixture.midnight
        func next(_ afterMidnight: Int64, hasFailed: Bool = false) -> Int64 {
            LakeService.nextRun(afterMilliseconds: midnight + afterMidnight, zone: self.zone, hasFailed: hasFailed)
                - midnight
        }
        #expect(next(0) == 1_800_000)
        #expect(next(1_800_000) == 1_800_000 + 6 * 3_600_000)
        #expect(next(20 * 3_600_000) == 24 * 3_600_000 + 1_800_000)
        #expect(next(0, hasFailed: true) == 600_000)
    }

    @Test(.enabled(if: LakeFixture.isDuckDBThere, "DuckDB's program is neither on PATH nor in .tools/bin"))
    func `the service publishes by itself when a day has ended`() async throws {
        let fixture = try LakeFixture()
        let clock = fixture.clock
        let service = LakeService(publisher: fixture.publisher())
        let life = Task { try await service.run() }
        while clock.awaited.isEmpty { await Task.yield() }
        clock.advance(by: 60_000)
        while try fixture.parts.count < 2 { await Task.yield() }
        while clock.awaited.isEmpty { await Task.yield() }
        try fixture.arriveLate()
        clock.advance(by: 6 * 3_600_000)
        while try fixture.parts.count < 3 { await Task.yield() }
        life.cancel()
        try await life.value
        #expect(try fixture.partsOfDay.map(\.generation) == [1, 2])
    }
}

struct LakeTransferTests {
    @Test func `a row survives the way to DuckDB's text and back`() {
        let values = [
            0.1, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 31.4, -1e-7, 123_456_789.125,
        ]
        for (index, value) in values.enumerated() {
            let row = LakeRow(
                site: "mỏ\t\"1\",\n", station: "st-1", parameter: "PM2.5", unit: "µg/m³",
                timeMilliseconds: 1_795_366_800_000 + Int64(index), offsetSeconds: -12_600, receivedSeconds: 7,
                value: value, status: "A9")
            var bytes: [UInt8] = []
            LakeTransfer.append(row, to: &bytes)
            #expect(bytes.last == LakeTransfer.lineFeed)
            let back = LakeTransfer.parse(bytes.dropLast())
            #expect(back == row && back?.value.bitPattern == value.bitPattern)
        }
    }

    @Test func `lines are cut wherever the pieces end`() {
        let text = Array("one\ntwo\n\nthree\n".utf8)
        for size in 1...text.count {
            var splitter = LineSplitter()
            var lines: [String] = []
            for start in stride(from: 0, to: text.count, by: size) {
                text[start..<min(start + size, text.count)].withUnsafeBytes { piece in
                    splitter.append(piece) { lines.append(String(decoding: $0, as: UTF8.self)) }
                }
            }
            #expect(lines == ["one", "two", "", "three"] && splitter.isEmpty)
        }
    }
}
