import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import WebServer

struct CorrectedAnswerTests {
    private static let start: Int64 = 1_795_366_800_000  // 2026-11-23T00:00:00+07:00

    private func store() throws -> TestStore {
        let store = try TestStore([.station("st-1", [("PM10", "µg/m³", false)])])
        try store.commit(
            store.series("st-1", "PM10"), [0, 1, 2, 3].map { (Self.start + $0 * 300_000, Double($0), .measuring) },
            receivedSeconds: Self.start / 1_000 + 3_600)
        return store
    }

    private func correct(_ store: TestStore, _ kind: Correction.Kind, from: Int64, to: Int64) throws {
        let series = store.series("st-1", "PM10")
        _ = try store.mailbox.submitAndWait {
            try $0.addCorrection(
                to: series,
                CorrectionDraft(
                    fromMilliseconds: from, toMilliseconds: to, kind: kind, who: "Lan", why: "\"drift\"",
                    madeMilliseconds: Self.start + 7_200_000))
        }
    }

    private func get(_ store: TestStore, _ query: String) async throws -> (rows: [[Any]], object: [String: Any]) {
        let answer = try await RouterProbe(store).get(
            "/api/v1/series/st-1/PM10?from=2026-11-23&to=2026-11-24&\(query)")
        try #require(answer.status == 200, "\(answer.body)")
        let object = try answer.object()
        return (try #require(object["rows"] as? [[Any]]), object)
    }

    @Test func `a series is corrected unless asked for as received, and says what was laid over it`() async throws {
        let store = try self.store()
        let plain = try await self.get(store, "level=raw")
        #expect(plain.object["view"] as? String == "corrected")
        #expect((plain.object["corrections"] as? [Any])?.isEmpty == true)
        try self.correct(store, .invalidate(.invalidated), from: Self.start, to: Self.start + 1)
        try self.correct(store, .annotate("Khói"), from: Self.start + 900_000, to: Self.start + 900_001)
        try self.correct(store, .replace(9, .fault), from: Self.start - 10_000, to: Self.start)
        let raw = try await self.get(store, "level=raw")
        #expect(raw.rows.map { $0[2] as? String } == ["INV", "00", "00", "00"])
        let corrections = try #require(raw.object["corrections"] as? [[String: Any]])
        #expect(corrections.map { $0["kind"] as? String } == ["invalidate", "annotate"])
        #expect(corrections.first?["who"] as? String == "Lan")
        #expect(corrections.first?["why"] as? String == "\"drift\"")
        #expect(corrections.first?["to"] as? Int == Int(Self.start + 1))
        #expect(corrections.last?["note"] as? String == "Khói")
        let hours = try await self.get(store, "level=1h&columns=n,n_valid,mean")
        #expect(hours.rows.first?.map { ($0 as? NSNumber)?.doubleValue } == [4, 3, 2])
        let received = try await self.get(store, "level=1h&columns=n,n_valid,mean&view=as-received")
        #expect(received.rows.first?.map { ($0 as? NSNumber)?.doubleValue } == [4, 4, 1.5])
        #expect(received.object["view"] as? String == "as-received")
        #expect((received.object["corrections"] as? [Any])?.isEmpty == true)
    }

    @Test(arguments: [Level.raw, .minute, .hour, .day])
    func `asking on from next gives every corrected row once, however short the pages are`(level: Level) throws {
        let store = try self.store()
        let series = store.series("st-1", "PM10")
        for start in [0, 1_000] as [Int64] {
            let readings = (start..<(start + 1_000)).map { (Self.start + $0 * 300_000, Double($0), Status.measuring) }
            try store.commit(series, readings, receivedSeconds: Self.start / 1_000)
            if start == 0 { try store.merge() }
        }
        try self.correct(store, .replace(9, .measuring), from: Self.start, to: Self.start + 400 * 300_000)
        func page(_ from: Int64, rowsMax: Int) throws -> (rows: [[Double]], next: Int64?) {
            let pairs = [
                (key: "level", value: level.rawValue), (key: "from", value: "\(from)"),
                (key: "to", value: "\(Self.start + 30 * 86_400_000)"),
                (key: "columns", value: level == .raw ? "time,value" : "start,mean"),
            ]
            let query = try SeriesQuery(pairs, zone: store.reader.registry.zone(of: series), nowMilliseconds: 0)
            let json = try SeriesAnswer(reader: store.reader, series: series, query: query, rowsMax: rowsMax).write()
            let object = try #require(try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any])
            let rows = try #require(object["rows"] as? [[NSNumber]]).map { $0.map(\.doubleValue) }
            return (rows, (object["next"] as? NSNumber)?.int64Value)
        }
        let whole = try page(Self.start, rowsMax: 100_000)
        #expect(whole.next == nil && whole.rows.first?.last == 9)
        #expect(whole.rows.map { $0[0] } == Array(Set(whole.rows.map { $0[0] })).sorted())
        // Nothing kept, and a few readings folded in a transaction: pages end early.
        store.reader.correctedRollups.bound(bytes: 0, readings: 30)
        for rowsMax in [7, 100_000] {
            var collected: [[Double]] = []
            var from: Int64? = Self.start
            while let start = from, collected.count <= whole.rows.count {
                let next = try page(start, rowsMax: rowsMax)
                #expect(next.rows.count <= rowsMax)
                collected += next.rows
                from = next.next
            }
            #expect(collected == whole.rows)
        }
    }

    @Test func `the list of stations shows the last reading corrected, as the series does`() async throws {
        let store = try self.store()
        try self.correct(store, .replace(77, .measuring), from: Self.start, to: Self.start + 86_400_000)
        let stations = try #require(try await RouterProbe(store).get("/api/v1/stations").json() as? [[String: Any]])
        let parameters = try #require(stations.first?["parameters"] as? [[String: Any]])
        #expect((parameters.first?["last"] as? [String: Any])?["value"] as? Double == 77)
    }

    @Test func `raw as of an instant is what was known then`() async throws {
        let store = try self.store()
        try self.correct(store, .replace(9, .measuring), from: Self.start, to: Self.start + 1)
        func values(_ hour: String) async throws -> [Double?] {
            try await self.get(store, "level=raw&as-of=2026-11-23T\(hour):00:00%2B07:00").rows
                .map { ($0[1] as? NSNumber)?.doubleValue }
        }
        #expect(try await values("00") == [])
        #expect(try await values("01") == [0, 1, 2, 3])
        #expect(try await values("02") == [9, 1, 2, 3])
    }

    @Test(arguments: [("view=raw", "view"), ("level=1h&as-of=2026-11-23", "as-of"), ("level=raw&as-of=x", "as-of")])
    func `a view that is none names its key`(query: String, key: String) async throws {
        let answer = try await RouterProbe(try self.store()).get("/api/v1/series/st-1/PM10?\(query)")
        #expect(answer.status == 400)
        #expect(answer.error.hasPrefix("\(key): "), "\(answer.error)")
    }
}
