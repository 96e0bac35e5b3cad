import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import WebServer

struct SeriesAnswerTests {
    private static let start: Int64 = 1_795_366_800_000  // 2026-11-23T00:00:00+07:00

    private func store() throws -> TestStore {
        try TestStore([
            .station("st-1", [("PM10", "µg/m³", false), ("WindDir", "°", true)]),
            .station("st-2", [("PM10", "µg/m³", false)]),
        ])
    }

    private struct Rows: Decodable {
        let rows: [[Double?]]
    }

    /// A reading every 5 minutes; every tenth is a calibration.
    private func fill(_ store: TestStore, _ series: Series, count: Int, from start: Int64 = Self.start) throws {
        var readings: [(time: Int64, value: Double, status: Status)] = []
        for index in 0..<count {
            let value = Double(index % 700) / 10 + 0.3
            readings.append((start + Int64(index) * 300_000, value, index % 10 == 9 ? .calibrating : .measuring))
        }
        try store.commit(series, readings, receivedSeconds: start / 1_000 + Int64(count) * 300)
    }

    @Test(arguments: [false, true])
    func `hours are those of the store, merged or not`(isMerged: Bool) async throws {
        let store = try self.store()
        let series = store.series("st-1", "PM10")
        try self.fill(store, series, count: 600)
        if isMerged { try store.merge() }
        let answer = try await RouterProbe(store).get(
            "/api/v1/series/st-1/PM10?level=1h&from=2026-11-23&to=2026-11-26&columns=start,mean,n,n_valid,n_due,min_at")
        #expect(answer.status == 200)
        let object = try answer.object()
        #expect(object["station"] as? String == "st-1")
        #expect(object["parameter"] as? String == "PM10")
        #expect(object["unit"] as? String == "µg/m³")
        #expect(object["level"] as? String == "1h")
        #expect(object["timeZone"] as? String == "Asia/Ho_Chi_Minh")
        #expect(object["columns"] as? [String] == ["start", "mean", "n", "n_valid", "n_due", "min_at"])
        #expect(object["next"] == nil)
        // JSONSerialization loses the last digits of a double; JSONDecoder does not.
        let rows = try JSONDecoder().decode(Rows.self, from: Data(answer.body.utf8)).rows
        let expected = try store.reader.rollups(
            of: series, level: .hour, from: Self.start, to: Self.start + 3 * 86_400_000, limit: 1_000)
        #expect(rows.count == 50 && expected.count == 50)
        for (row, hour) in zip(rows, expected) {
            #expect(row[0] == Double(hour.bucket.startMilliseconds))
            #expect(row[1] == hour.rollup.mean(method: .plain))
            #expect(row[2] == Double(hour.rollup.n))
            #expect(row[3] == Double(hour.rollup.nValid))
            #expect(row[4] == 12)
            #expect(row[5] == Double(hour.rollup.minAtMilliseconds))
        }
    }

    @Test func `a bucket without a valid reading has no values`() async throws {
        let store = try self.store()
        try store.commit(
            store.series("st-2", "PM10"), [(time: Self.start, value: 5, status: .fault)], receivedSeconds: 1)
        let answer = try await RouterProbe(store).get(
            "/api/v1/series/st-2/PM10?level=1d&from=2026-11-23&to=2026-11-24"
                + "&columns=start,end,n,n_valid,n_due,mean,sum,min,min_at,max,max_at,first,last")
        let row = "[\(Self.start),\(Self.start + 86_400_000),1,0,288,null,null,null,null,null,null,null,null]"
        #expect(answer.body.contains("\"rows\":[\(row)]"), "\(answer.body)")
    }

    @Test func `of a direction only the mean means something`() async throws {
        let store = try self.store()
        try store.commit(
            store.series("st-1", "WindDir"),
            [
                (time: Self.start, value: 350, status: .measuring),
                (time: Self.start + 300_000, value: 10, status: .measuring),
            ], receivedSeconds: 1)
        let answer = try await RouterProbe(store).get(
            "/api/v1/series/st-1/WindDir?from=2026-11-23&to=2026-11-24&columns=mean,sum,min,max,first,last")
        let rows = try #require(try answer.object()["rows"] as? [[Any]])
        let mean = try #require((rows.first?.first as? NSNumber)?.doubleValue)
        #expect(min(mean, 360 - mean) < 1e-9)
        #expect(rows.first?.dropFirst().map { ($0 as? NSNumber)?.doubleValue } == [nil, nil, nil, 350, 10])
    }

    @Test func `raw readings carry value, status and receipt`() async throws {
        let store = try self.store()
        let series = store.series("st-1", "PM10")
        try store.commit(
            series,
            [
                (time: Self.start, value: 12.5, status: .measuring),
                (time: Self.start + 1, value: -0.001, status: Status("A9")!),
            ], receivedSeconds: 1_795_366_805)
        let path = "/api/v1/series/st-1/PM10?level=raw&from=2026-11-23&to=2026-11-24"
        let plain = try await RouterProbe(store).get(path)
        #expect(
            plain.body.hasSuffix(
                "\"columns\":[\"time\",\"value\",\"status\"],"
                    + "\"rows\":[[\(Self.start),12.5,\"00\"],[\(Self.start + 1),-0.001,\"A9\"]]}"), "\(plain.body)")
        let received = try await RouterProbe(store).get(path + "&columns=received,value")
        #expect(received.body.contains("\"rows\":[[1795366805000,12.5],[1795366805000,-0.001]]"), "\(received.body)")
    }

    @Test(arguments: [Level.raw, .minute, .hour, .day])
    func `asking on from next gives every row once`(level: Level) throws {
        let store = try self.store()
        let series = store.series("st-1", "PM10")
        try self.fill(store, series, count: 2_000)
        try store.merge()
        try self.fill(store, series, count: 500, from: Self.start + 2_000 * 300_000)
        let to = Self.start + 30 * 86_400_000
        let column = level == .raw ? "time" : "start"
        func rows(_ from: Int64, rowsMax: Int) throws -> (starts: [Int64], next: Int64?) {
            let pairs = [
                (key: "level", value: level.rawValue), (key: "from", value: "\(from)"), (key: "to", value: "\(to)"),
                (key: "columns", value: column),
            ]
            let query = try SeriesQuery(pairs, zone: store.reader.registry.zone(of: series), nowMilliseconds: 0)
            let json = try SeriesAnswer(reader: store.reader, series: series, query: query, rowsMax: rowsMax).write()
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any])
            let starts = try #require(object["rows"] as? [[NSNumber]]).map { $0[0].int64Value }
            return (starts, (object["next"] as? NSNumber)?.int64Value)
        }
        let whole = try rows(Self.start, rowsMax: 100_000)
        #expect(whole.next == nil)
        #expect(whole.starts.count > 8 && whole.starts == Array(Set(whole.starts)).sorted())
        var collected: [Int64] = []
        var from: Int64? = Self.start
        while let start = from {
            let page = try rows(start, rowsMax: 7)
            #expect(page.starts.count <= 7)
            collected += page.starts
            from = page.next
            if collected.count > whole.starts.count { break }
        }
        #expect(collected == whole.starts)
    }

    @Test func `an answer that takes too long ends at a page, with next`() throws {
        let store = try self.store()
        let series = store.series("st-1", "PM10")
        try self.fill(store, series, count: 10)
        let query = try SeriesQuery(
            [(key: "from", value: "\(Self.start)"), (key: "to", value: "\(Self.start + 1)")],
            zone: store.reader.registry.zone(of: series), nowMilliseconds: 0)
        let json = try SeriesAnswer(
            reader: store.reader, series: series, query: query, timeLimit: .zero
        ).write()
        #expect(String(decoding: json.bytes, as: UTF8.self).hasSuffix("\"rows\":[],\"next\":\(Self.start)}"))
    }

    @Test func `a year of five-minute data as hourly means is read in a few milliseconds`() throws {
        let store = try self.store()
        let series = store.series("st-2", "PM10")
        #if DEBUG
        let days: Int64 = 30
        #else
        let days: Int64 = 365
        #endif
        try self.fill(store, series, count: Int(days) * 288)
        try store.merge()
        let query = try SeriesQuery(
            [
                (key: "from", value: "\(Self.start)"), (key: "to", value: "\(Self.start + days * 86_400_000)"),
                (key: "columns", value: "start,mean"),
            ], zone: store.reader.registry.zone(of: series), nowMilliseconds: 0)
        var best = Duration.seconds(1_000)
        for _ in 0..<20 {
            var bytes = 0
            best = min(
                best,
                try ContinuousClock().measure {
                    bytes = try SeriesAnswer(reader: store.reader, series: series, query: query).write().bytes.count
                })
            #expect(bytes > Int(days) * 24 * 20)
        }
        print("hourly means of \(days) days: \(best)")
        #if !DEBUG
        #expect(best < .milliseconds(5))
        #endif
    }
}
