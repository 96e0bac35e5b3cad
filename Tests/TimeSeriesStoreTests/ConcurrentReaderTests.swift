import Foundation
import Monitoring
import Synchronization
import Testing
import TimeSeriesStore

/// Readers on threads of their own while the writer commits, merges, folds and trims.
struct ConcurrentReaderTests {
    private final class Progress: Sendable {
        let committed = Mutex(0)
        let isDone = Mutex(false)
        let problems = Mutex<[String]>([])
        let rounds = Mutex(0)
    }

    @Test func `a reader never misses what was committed before it asked`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        let reader = store.reader
        let progress = Progress()
        let finished = DispatchGroup()
        for _ in 0..<2 {
            finished.enter()
            Thread.detachNewThread {
                Self.read(series, reader, progress)
                finished.leave()
            }
        }
        for index in 0..<400 {
            let first = TestStations.baseMilliseconds + Int64(index) * 10_000
            try store.commit(series, (0..<10).map { (first + Int64($0) * 1_000, Double($0)) })
            progress.committed.withLock { $0 += 10 }
            if index % 2 == 1 { _ = try store.writer.mergeSlice(.everything, nowMilliseconds: 0) }
            if index % 5 == 4 { try store.writer.foldLedger(alertSnapshot: []) }
            if index % 7 == 6 { _ = try store.writer.trimJournal() }
        }
        progress.isDone.withLock { $0 = true }
        finished.wait()
        #expect(progress.problems.withLock { $0 } == [])
        #expect(progress.rounds.withLock { $0 } > 10)
    }

    private static func read(_ series: Series, _ reader: StoreReader, _ progress: Progress) {
        func note(_ problem: String) { progress.problems.withLock { if $0.count < 5 { $0.append(problem) } } }
        while !progress.isDone.withLock({ $0 }) {
            do {
                let before = progress.committed.withLock { $0 }
                let readings = try reader.readings(of: series, from: 0, to: 1 << 42, limit: 100_000)
                let isWhole = readings.enumerated().allSatisfy {
                    $1.timeMilliseconds == TestStations.baseMilliseconds + Int64($0) * 1_000
                        && $1.value == Double($0 % 10)
                        && $1.receivedSeconds > 0
                }
                if readings.count < before || !isWhole { note("\(readings.count) readings after \(before)") }
                let hours = try reader.rollups(of: series, level: .hour, from: 0, to: 1 << 42, limit: 1_000)
                if hours.reduce(0, { $0 + $1.rollup.n }) < readings.count { note("hours of less than the readings") }
                let days = try reader.rollups(of: series, level: .day, from: 0, to: 1 << 42, limit: 1_000)
                if days.reduce(0, { $0 + $1.rollup.n }) < readings.count { note("days of less than the readings") }
                let counts = try reader.ledger().values.reduce(into: (received: 0, undecided: 0)) {
                    $0 = ($0.received + $1.received, $0.undecided + $1.undecided)
                    if $1.undecided < 0 || !$1.messagesBalance { note("\($1)") }
                }
                if counts.received < readings.count {
                    note("\(counts.received) messages of \(readings.count) readings")
                }
                if try StoreVerifier(reader).run().problems != [] { note("verify found something") }
                progress.rounds.withLock { $0 += 1 }
            } catch { note("\(error)") }
        }
    }
}
