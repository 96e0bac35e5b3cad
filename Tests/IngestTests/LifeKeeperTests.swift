import Alerting
import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import Ingest

/// A store of two stations with one parameter each, every minute, and what watches their lives.
private final class LivingStore {
    static let start: Int64 = 1_795_420_800_000
    static let minute: Int64 = 60_000
    let folder = NSTemporaryDirectory() + "quantrac-life-\(UUID().uuidString)"
    let metrics = ServiceMetrics()
    private var opened: (writer: StoreWriter, keeper: LifeKeeper)?
    private let frame = FrameWriter()

    init() throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try self.open()
        let stations = ["a", "b"].map { name in
            StationFile.StationEntry(
                id: StationID(name)!, name: name, kind: .ambientAir, latitude: nil, longitude: nil,
                intervalMilliseconds: Self.minute, retiredLocalDay: nil,
                parameters: ["PM10", "SO2"].map {
                    .init(id: ParameterID($0)!, unit: "µg/m³", kind: .gauge, isDirection: false)
                })
        }
        _ = try self.writer.importStations(
            StationFile(sites: [.init(id: "s", name: "S", kind: .mine, timeZone: nil, stations: stations)]),
            validFromMilliseconds: nil, nowMilliseconds: 0)
    }

    deinit {
        self.opened = nil
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    private func open() throws {
        let writer = try StoreWriter(path: self.folder + "/store.db", defaultZone: "Asia/Ho_Chi_Minh", isDemo: false)
        self.opened = (writer, try LifeKeeper(writer: writer, metrics: self.metrics))
    }

    /// Everything is folded and trimmed before: only what is in tables is known afterwards.
    func restart() throws {
        try self.writer.mergeEverything(nowMilliseconds: Self.start)
        try self.writer.foldLedger(alertSnapshot: [])
        while try self.writer.trimJournal() {}
        self.opened = nil
        try self.open()
    }

    var writer: StoreWriter { self.opened!.writer }

    /// Readings of both parameters, or of the first alone, received in the minute they were measured.
    func send(_ station: Int32, minute: Int64, onlyFirst: Bool = false) throws {
        let now = Self.start + minute * Self.minute
        let registry = self.writer.registry
        let index = try #require(registry.stationIndex(number: station))
        let series = registry.stations[index].seriesIndices.map { registry.series[$0].number }.prefix(onlyFirst ? 1 : 2)
        self.frame.begin(receivedMilliseconds: now)
        self.frame.beginMessage(
            station: station, flags: [], quarantinedCount: 0, sequence: nil,
            boot: UnsafeBufferPointer(start: nil, count: 0))
        self.frame.beginSamples(count: 1)
        self.frame.beginSample(timeMilliseconds: now, readingCount: series.count, allMeasuring: true)
        for number in series { self.frame.addReading(series: number, value: 1, status: .measuring) }
        _ = try self.writer.commit(
            self.frame, FrameHeader(kind: .messages, receivedMilliseconds: now), BatchEffects())
    }

    func says(_ station: Int32, online: Bool, minute: Int64) throws {
        let now = Self.start + minute * Self.minute
        var effects = BatchEffects()
        effects.presence = [(station, online, "{}")]
        try self.writer.apply(effects, atMilliseconds: now)
        self.opened?.keeper.take(effects.presence, atMilliseconds: now)
    }

    /// Looks at a minute; `back` is the minute in which we came back, nil while we are away.
    func look(minute: Int64, back: Int64?) throws {
        let now = Self.start + minute * Self.minute
        try self.opened?.keeper.look(
            nowMilliseconds: now,
            outage: Outage(
                fromMilliseconds: Self.start, toMilliseconds: back.map { Self.start + $0 * Self.minute } ?? .max))
    }

    func open(_ rule: String? = nil) throws -> [String] {
        try self.writer.reader.incidents(openOnly: true).filter { rule == nil || $0.rule == rule }
            .map { "\($0.rule) \($0.station ?? "")" }.sorted()
    }
}

@Suite struct LifeKeeperTests {
    @Test func `a silent station is an incident once, over restarts, until it is heard`() throws {
        let store = try LivingStore()
        for minute: Int64 in 0...5 {
            try store.send(1, minute: minute)
            try store.send(2, minute: minute)
        }
        for minute: Int64 in 6...15 {
            try store.send(2, minute: minute)
            try store.look(minute: minute, back: 0)
        }
        #expect(try store.open() == [])
        try store.send(2, minute: 16)
        try store.look(minute: 16, back: 0)
        #expect(try store.open() == ["quantrac.silent a"] && store.metrics.stationsSilent.value == 1)
        try store.restart()
        // We were away: nothing is raised of what we could not hear, and nothing is forgotten.
        try store.look(minute: 40, back: nil)
        try store.look(minute: 41, back: 41)
        #expect(try store.open() == ["quantrac.silent a"])
        try store.look(minute: 52, back: 41)
        #expect(try store.open() == ["quantrac.silent a", "quantrac.silent b"])
        try store.send(1, minute: 53)
        try store.send(2, minute: 53)
        try store.look(minute: 53, back: 41)
        #expect(try store.open() == [])
        #expect(try store.writer.reader.incidents(openOnly: false).count == 2)
    }

    @Test func `a last will is an incident after its grace; a retained word heard again is none`() throws {
        let store = try LivingStore()
        try store.send(1, minute: 0)
        try store.says(1, online: false, minute: 1)
        try store.look(minute: 5, back: 0)
        // The broker hands it over again at every connect.
        try store.says(1, online: false, minute: 5)
        #expect(try store.open("quantrac.offline") == [])
        try store.look(minute: 7, back: 0)
        #expect(try store.open("quantrac.offline") == ["quantrac.offline a"])
        try store.restart()
        try store.says(1, online: false, minute: 8)
        try store.look(minute: 8, back: 8)
        #expect(try store.open("quantrac.offline") == ["quantrac.offline a"])
        try store.says(1, online: true, minute: 9)
        try store.look(minute: 9, back: 8)
        #expect(try store.open("quantrac.offline") == [])
    }

    @Test func `a parameter without fresh readings is named while its station sends`() throws {
        let store = try LivingStore()
        for minute: Int64 in 0...12 {
            for station: Int32 in [1, 2] {
                try store.send(station, minute: minute, onlyFirst: station == 1 && minute > 0)
            }
            try store.look(minute: minute, back: 0)
        }
        let incidents = try store.writer.reader.incidents(openOnly: true)
        #expect(incidents.map(\.rule) == ["quantrac.stale"] && incidents.map(\.station) == ["a"])
        #expect(incidents[0].detail.contains(" SO2;") && store.metrics.stationsStale.value == 1)
        try store.send(1, minute: 13)
        try store.look(minute: 13, back: 0)
        #expect(try store.open() == [])
    }
}
