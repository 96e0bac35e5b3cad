import Foundation
import Monitoring
import TimeSeriesStore

/// SplitMix64: the same numbers for the same seed on every machine.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[self.int(0...(elements.count - 1))] }
    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func int64(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }
}

enum TestSeeds {
    /// `TEST_SEED` alone, to repeat a failure, or so many new ones; every expectation prints the seed it belongs to.
    static func fromEnvironmentOrRandom(_ count: Int) -> [UInt64] {
        let environment = ProcessInfo.processInfo.environment
        if let text = environment["TEST_SEED"], let seed = UInt64(text) { return [seed] }
        let factor = environment["TEST_SEEDS_FACTOR"].flatMap { Int($0) } ?? 1
        return (0..<(count * factor)).map { _ in UInt64.random(in: 0...UInt64.max) }
    }
}

/// What a test cannot go on without.
func required<Value>(_ value: Value?, line: Int = #line) -> Value {
    guard let value else { preconditionFailure("nothing there, line \(line)") }
    return value
}

/// One reading, as a test sends it.
struct TestReading {
    var series: Int32
    var value: Double
    var status = Status.measuring
}

struct TestSample {
    var timeMilliseconds: Int64
    var readings: [TestReading]
}

struct TestMessage {
    var station: Int32
    var sequence: Int64?
    var boot = ""
    var isQoS0 = false
    var isDeadLetter = false
    var quarantinedCount = 0
    var samples: [TestSample] = []
}

struct TestFrame {
    var receivedMilliseconds: Int64
    var messages: [TestMessage]

    /// Writes the frame the way the ingest loop does.
    func write(to writer: FrameWriter) {
        writer.begin(receivedMilliseconds: self.receivedMilliseconds)
        for message in self.messages {
            var flags: MessageFlags = []
            if message.isQoS0 { flags.insert(.qos0) }
            if message.isDeadLetter { flags.insert(.deadLetter) }
            Array(message.boot.utf8).withUnsafeBufferPointer { boot in
                writer.beginMessage(
                    station: message.station, flags: flags, quarantinedCount: message.quarantinedCount,
                    sequence: message.sequence, boot: boot)
            }
            if message.isDeadLetter { continue }
            writer.beginSamples(count: message.samples.count)
            for sample in message.samples {
                writer.beginSample(
                    timeMilliseconds: sample.timeMilliseconds, readingCount: sample.readings.count,
                    allMeasuring: sample.readings.allSatisfy { $0.status == .measuring })
                for reading in sample.readings {
                    writer.addReading(series: reading.series, value: reading.value, status: reading.status)
                }
            }
        }
    }
}

/// A store in a folder of its own, which goes with it.
final class TestStore {
    let folder: URL
    private(set) var path: String
    private var opened: StoreWriter?
    private var copies = 0
    let frame = FrameWriter()
    let isDemo: Bool

    init(isDemo: Bool = false) throws {
        self.folder = FileManager.default.temporaryDirectory.appending(path: "store-\(UUID().uuidString)")
        self.isDemo = isDemo
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        self.path = self.folder.appending(path: "quantrac.db").path
        try self.open()
    }

    deinit {
        self.opened = nil
        try? FileManager.default.removeItem(at: self.folder)
    }

    var writer: StoreWriter { required(self.opened) }
    var reader: StoreReader { self.writer.reader }

    func open() throws {
        self.opened = try StoreWriter(path: self.path, defaultZone: "Asia/Ho_Chi_Minh", isDemo: self.isDemo)
    }

    func close() { self.opened = nil }

    /// Drops the writer without a word and opens the same file again.
    func reopen() throws {
        self.close()
        try self.open()
    }

    /// What a power cut leaves: the files as they are at this moment, the shared memory gone.
    func crash() throws {
        let next = try self.copyOfFiles()
        self.close()
        self.path = next
        try self.open()
    }

    /// A copy of database and log, as they are now.
    func copyOfFiles() throws -> String {
        self.copies += 1
        let next = self.folder.appending(path: "copy-\(self.copies).db").path
        for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: self.path + suffix) {
            try FileManager.default.copyItem(atPath: self.path + suffix, toPath: next + suffix)
        }
        return next
    }

    @discardableResult
    func commit(_ frame: TestFrame, _ effects: BatchEffects = BatchEffects()) throws -> CommittedFrame {
        frame.write(to: self.frame)
        return try self.writer.commit(
            self.frame, FrameHeader(kind: .messages, receivedMilliseconds: frame.receivedMilliseconds), effects)
    }

    /// Readings of one series in one frame, one message each.
    @discardableResult
    func commit(
        _ series: Series, _ readings: [(Int64, Double)], status: Status = .measuring,
        received: Int64 = TestStations.baseMilliseconds
    ) throws -> CommittedFrame {
        let station = self.writer.registry.station(of: series).number
        return try self.commit(
            TestFrame(
                receivedMilliseconds: received,
                messages: readings.map { time, value in
                    TestMessage(
                        station: station,
                        samples: [
                            TestSample(
                                timeMilliseconds: time,
                                readings: [TestReading(series: series.number, value: value, status: status)])
                        ])
                }))
    }

    func importStations(_ file: StationFile = TestStations.file) throws {
        _ = try self.writer.importStations(
            file, validFromMilliseconds: nil, nowMilliseconds: TestStations.baseMilliseconds)
    }

    func series(_ station: String, _ parameter: String) -> Series {
        required(self.writer.registry.series(required(StationID(station)), required(ParameterID(parameter))))
    }
}

/// The stations of most tests: four clocks, every way to sum up.
enum TestStations {
    /// 2026-10-01T00:00:00Z: both clock changes of the zones below are in this month.
    static let baseMilliseconds: Int64 = 1_790_812_800_000

    static let zones = [
        "hcm": "Asia/Ho_Chi_Minh", "berlin": "Europe/Berlin", "howe": "Australia/Lord_Howe", "ktm": "Asia/Kathmandu",
    ]

    static let file = StationFile(
        sites: ["hcm", "berlin", "howe", "ktm"].map { name in
            StationFile.SiteEntry(
                id: name, name: "\(name) (TEST)", kind: .ambientAir, timeZone: zones[name],
                stations: [
                    station(
                        "\(name)-1",
                        [
                            parameter("PM10"), parameter("Tonnage", kind: .counter),
                            parameter("WindDir", isDirection: true), parameter("Rain", kind: .sum),
                        ])
                ])
        })

    static func station(
        _ id: String, _ parameters: [StationFile.ParameterEntry], intervalMilliseconds: Int64? = 60_000
    ) -> StationFile.StationEntry {
        StationFile.StationEntry(
            id: required(StationID(id)), name: id, kind: nil, latitude: nil, longitude: nil,
            intervalMilliseconds: intervalMilliseconds, retiredLocalDay: nil, parameters: parameters)
    }

    static func parameter(
        _ id: String, unit: String = "µg/m³", kind: SeriesKind = .gauge, isDirection: Bool = false
    ) -> StationFile.ParameterEntry {
        StationFile.ParameterEntry(id: required(ParameterID(id)), unit: unit, kind: kind, isDirection: isDirection)
    }
}
