import Foundation
import TimeSeriesStore

/// What reaches the disk when 300 stations of 12 parameters report once a minute, within 2 s of it.
///
/// A batch is what arrived in 50 ms (the service waits so long for a small one), so 40 commits a minute. Folds every 10
/// s, a checkpoint after every second in which something was written, merges when a reading is an hour old: as the
/// service does it, with a clock of our own.
enum WrittenRun {
    private static let stationCount = 300
    private static let batchesPerSecond = 20
    private static let minutesBefore: Int64 = 9 * 60

    static func run(path: String, minutes: Int64) throws -> [String: Double] {
        let store = try BenchStore(
            path: path, stationCount: self.stationCount, parameters: BenchStore.parameters(12), intervalSeconds: 60)
        let checkpointer = try Checkpointer(files: store.writer.files)
        var station = Stations(count: self.stationCount)
        let start: Int64 = 1_790_812_800_000
        // Some hours at once, so that the open ends are half full.
        for hour in 0..<(self.minutesBefore / 60) {
            let from = start + hour * 3_600_000
            store.begin(receivedMilliseconds: from)
            for minute in 0..<60 {
                for index in 0..<self.stationCount { station.add(index, from + Int64(minute) * 60_000, to: store) }
            }
            try store.commit(receivedMilliseconds: from)
            try store.merge(nowMilliseconds: from + 3_600_000)
            try store.foldAndTrim()
        }
        let commitsBefore = store.commits
        let readingsBefore = store.readings
        let bytesBefore = Self.writtenBytes
        var commitBytes = 0
        for minute in 0..<minutes {
            let now = start + (self.minutesBefore + minute) * 60_000
            for second in 0..<2 {
                let before = Self.writtenBytes
                try self.second(now + Int64(second) * 1_000, minuteStart: now, &station, store)
                commitBytes += Self.writtenBytes - before
                self.checkpoint(checkpointer)
            }
            for tenth in 1...6 {
                try store.merge(nowMilliseconds: now + Int64(tenth) * 10_000)
                try store.foldAndTrim()
                self.checkpoint(checkpointer)
            }
        }
        // The checkpoint of the last merge belongs to it.
        usleep(1_000_000)
        return [
            "readings": Double(store.readings - readingsBefore), "commits": Double(store.commits - commitsBefore),
            "writtenBytes": Double(Self.writtenBytes - bytesBefore), "commitBytes": Double(commitBytes),
        ]
    }

    /// One of the two seconds in which the stations report: half of them, in batches of 20 ms.
    private static func second(
        _ from: Int64, minuteStart: Int64, _ stations: inout Stations, _ store: BenchStore
    ) throws {
        let isSecond = from > minuteStart
        let half = self.stationCount / 2
        for batch in 0..<self.batchesPerSecond {
            let received = from + Int64(batch * 1_000 / self.batchesPerSecond)
            store.begin(receivedMilliseconds: received)
            let first = batch * half / self.batchesPerSecond
            let last = (batch + 1) * half / self.batchesPerSecond
            for index in first..<last { stations.add(isSecond ? half + index : index, minuteStart, to: store) }
            try store.commit(receivedMilliseconds: received)
        }
    }

    private static func checkpoint(_ checkpointer: Checkpointer) {
        checkpointer.poke()
        // It runs on a thread of its own; in the service the next one is a second away.
        usleep(100_000)
    }

    /// What this process caused to be written to the disk so far.
    private static var writtenBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/io", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("write_bytes: ") }
        return line.flatMap { Int($0.dropFirst("write_bytes: ".count)) } ?? 0
    }
}

/// What the stations would say next.
private struct Stations {
    private var walks: [[Walk]]
    private var sequences: [Int64]

    init(count: Int) {
        self.walks = (0..<count).map { station in (0..<12).map { Walk(seed: UInt64(station * 12 + $0 + 1)) } }
        self.sequences = Array(repeating: 0, count: count)
    }

    mutating func add(_ index: Int, _ timeMilliseconds: Int64, to store: BenchStore) {
        self.sequences[index] += 1
        store.add(
            station: index, timeMilliseconds: timeMilliseconds, sequence: self.sequences[index],
            values: self.walks[index].indices.map { self.walks[index][$0].next() })
    }
}
