import Foundation
import GRDB
import Monitoring
import Testing

@testable import TimeSeriesStore

/// A disk that rots under one series.
struct DamageTests {
    @Test func `a damaged open end stops the merging of its station only, and its readings stay in the journal`() throws
    {
        let store = try TestStore()
        try store.importStations()
        let registry = store.writer.registry
        let stations = Array(registry.stations.prefix(2))
        func send(_ minute: Int64) throws {
            let time = 1_795_420_800_000 + minute * 60_000
            let messages = stations.map { station in
                TestMessage(
                    station: station.number,
                    samples: [
                        TestSample(
                            timeMilliseconds: time,
                            readings: [
                                TestReading(
                                    series: registry.series[station.seriesIndices[0]].number, value: Double(minute))
                            ])
                    ])
            }
            _ = try store.commit(TestFrame(receivedMilliseconds: time, messages: messages))
        }
        try send(0)
        try store.writer.mergeEverything(nowMilliseconds: 0)
        let damaged = registry.series[stations[0].seriesIndices[0]]
        let sound = registry.series[stations[1].seriesIndices[0]]
        try store.writer.pool.writeWithoutTransaction { database in
            let raw = try #require(
                try Data.fetchOne(database, sql: "SELECT raw FROM tail WHERE series = ?", arguments: [damaged.number]))
            var bytes = raw
            bytes[bytes.count / 2] ^= 1
            try database.execute(
                sql: "UPDATE tail SET raw = ? WHERE series = ?", arguments: [bytes, damaged.number])
        }
        try send(1)
        try store.writer.mergeEverything(nowMilliseconds: 0)
        #expect(Array(store.writer.unmergeable.keys) == [stations[0].number])
        #expect(try store.writer.trimJournal() == false && store.writer.journalFrames == 2)
        #expect(try store.reader.readings(of: sound, from: 0, to: .max, limit: 10).map(\.value) == [0, 1])
        #expect(throws: StoreError.self) { try store.reader.readings(of: damaged, from: 0, to: .max, limit: 10) }
        let report = try StoreVerifier(store.reader).run()
        #expect(report.problems.contains { $0.contains(stations[0].id.text) && $0.contains("damaged") })
    }
}
