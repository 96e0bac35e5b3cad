import Foundation
import Monitoring
import TimeSeriesStore

/// A store driven with a clock of our own, the way the service drives it.
final class BenchStore {
    let writer: StoreWriter
    private let frame = FrameWriter()
    private let policy = MergePolicy(ageMillisecondsMax: 3_600_000, headBytesMax: 64 << 20)
    private(set) var commits = 0
    private(set) var readings = 0

    /// Opens a new store with stations `b-0000` …, all of the same parameters.
    init(path: String, stationCount: Int, parameters: [String], intervalSeconds: Int64) throws {
        self.writer = try StoreWriter(path: path, defaultZone: "Asia/Ho_Chi_Minh", isDemo: false)
        let stations = (0..<stationCount).compactMap { number -> StationFile.StationEntry? in
            let digits = String(number)
            let id = StationID("b-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
            return id.map { id in
                StationFile.StationEntry(
                    id: id, name: "Station \(number)", kind: nil, latitude: nil, longitude: nil,
                    intervalMilliseconds: intervalSeconds * 1_000, retiredLocalDay: nil,
                    parameters: parameters.compactMap { ParameterID($0) }.map {
                        StationFile.ParameterEntry(id: $0, unit: "1", kind: .gauge, isDirection: false)
                    })
            }
        }
        let site = StationFile.SiteEntry(
            id: "bench", name: "Benchmark (DEMO)", kind: .ambientAir, timeZone: nil, stations: stations)
        _ = try self.writer.importStations(
            StationFile(sites: [site]), validFromMilliseconds: nil, nowMilliseconds: 0)
    }

    /// Names of so many parameters.
    static func parameters(_ count: Int) -> [String] { (0..<count).map { $0 < 10 ? "P0\($0)" : "P\($0)" } }

    /// Starts a batch.
    func begin(receivedMilliseconds: Int64) { self.frame.begin(receivedMilliseconds: receivedMilliseconds) }

    /// Adds a message of one sample; nil is a parameter it does not report.
    func add(station index: Int, timeMilliseconds: Int64, sequence: Int64?, values: [Double?]) {
        let station = self.writer.registry.stations[index]
        "b".utf8.withContiguousStorageIfAvailable { boot in
            self.frame.beginMessage(
                station: station.number, flags: [], quarantinedCount: 0, sequence: sequence, boot: boot)
        }
        self.frame.beginSamples(count: 1)
        let count = values.count { $0 != nil }
        self.frame.beginSample(timeMilliseconds: timeMilliseconds, readingCount: count, allMeasuring: true)
        for (position, value) in zip(station.seriesIndices, values) {
            guard let value else { continue }
            self.frame.addReading(
                series: self.writer.registry.series[position].number, value: value, status: .measuring)
        }
        self.readings += count
    }

    /// Commits the batch; nothing when it is empty.
    func commit(receivedMilliseconds: Int64) throws {
        guard !self.frame.isEmpty else { return }
        _ = try self.writer.commit(
            self.frame, FrameHeader(kind: .messages, receivedMilliseconds: receivedMilliseconds), BatchEffects())
        self.commits += 1
    }

    /// Merges what is due.
    func merge(nowMilliseconds: Int64) throws {
        while try self.writer.mergeSlice(self.policy, nowMilliseconds: nowMilliseconds) != nil {}
    }

    /// Folds the ledgers and forgets the frames nobody needs any more.
    func foldAndTrim() throws {
        try self.writer.foldLedger(alertSnapshot: [])
        while try self.writer.trimJournal() {}
        try self.writer.restartLogIfLong()
    }

    /// Merges all there is and leaves nothing in the journal.
    func finish(nowMilliseconds: Int64) throws {
        try self.writer.mergeEverything(nowMilliseconds: nowMilliseconds)
        try self.foldAndTrim()
    }
}

/// Values that compress as measured ones do: a first-order autoregression with one decimal.
struct Walk {
    private var state: UInt64
    private let mean: Double
    private var deviation = 0.0

    init(seed: UInt64) {
        self.state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        self.mean = 20 + Double(seed % 7) * 10
    }

    mutating func next() -> Double {
        // The sum of three uniform numbers is normal enough.
        let noise = (0..<3).reduce(-1.5) { sum, _ in sum + self.uniform() }
        self.deviation = 0.98 * self.deviation + noise
        return ((self.mean + self.deviation) * 10).rounded() / 10
    }

    /// In 0..<1.
    mutating func uniform() -> Double {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return Double(self.state >> 11) / 9_007_199_254_740_992
    }
}
