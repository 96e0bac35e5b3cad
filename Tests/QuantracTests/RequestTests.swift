import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import quantrac

/// A store in a folder of its own, with one station, and a clock that stands still.
private final class Bench {
    static let now: Int64 = 1_795_420_800_000
    let folder: TemporaryFolder
    let settings: Settings
    let writer: StoreWriter
    let handler: StoreRequestHandler

    static let stations = """
        sites:
          - id: nd
            kind: mine
            stations:
              - {id: nd-1, interval: 60s, parameters: [{id: PM10, unit: µg/m³}, {id: NO2, unit: ppb}]}
        """

    init() throws {
        self.folder = try TemporaryFolder()
        var settings = Settings()
        settings.store.path = self.folder.path("q.db")
        self.settings = settings
        self.writer = try StoreWriter(path: settings.store.path, defaultZone: settings.timeZone, isDemo: false)
        self.handler = StoreRequestHandler(settings: settings, clock: { Bench.now })
    }

    func perform(_ request: StoreRequest) -> StoreReply {
        self.handler.perform(request, on: OwnStore(writer: self.writer))
    }

    func importStations(_ text: String = Bench.stations, from: Int64? = nil) -> StoreReply {
        self.perform(.stationImport(text: text, fileName: "s.yaml", fromMilliseconds: from))
    }

    /// Commits what a batch set aside.
    func setAside(deadLetters: [DeadLetter] = [], quarantined: [QuarantinedValue] = []) throws {
        let frame = FrameWriter()
        frame.begin(receivedMilliseconds: Bench.now - 3_600_000)
        var effects = BatchEffects()
        effects.deadLetters = deadLetters
        effects.quarantined = quarantined
        for _ in deadLetters {
            frame.beginMessage(
                station: 0, flags: .deadLetter, quarantinedCount: 0, sequence: nil,
                boot: UnsafeBufferPointer(start: nil, count: 0))
        }
        let header = FrameHeader(
            kind: .messages, receivedMilliseconds: Bench.now - 3_600_000, messageCount: frame.messageCount)
        _ = try self.writer.commit(frame, header, effects)
    }

    func letter(
        _ payload: String, topic: String = "quantrac/v1/nd-1/telemetry",
        reason: DeadLetterReason = .unknownStation, isCut: Bool = false
    ) -> DeadLetter {
        DeadLetter(
            receivedMilliseconds: Bench.now - 3_600_000, topic: topic, station: "nd-1", reason: reason, detail: "",
            byteCount: isCut ? 300_000 : payload.utf8.count, payload: Array(payload.utf8), sha256: isCut ? "ab" : nil)
    }

    func value(
        _ value: Double?, time: Int64, parameter: String = "PM10", text: String? = nil, status: String = "00",
        reason: QuarantineReason
    ) -> QuarantinedValue {
        QuarantinedValue(
            receivedMilliseconds: Bench.now - 3_600_000, station: "nd-1", parameter: parameter, timeMilliseconds: time,
            value: value, text: text, status: status, reason: reason)
    }

    func readings(_ parameter: String) throws -> [Reading] {
        let registry = self.writer.registry
        let station = try #require(StationID("nd-1"))
        let id = try #require(ParameterID(parameter))
        let series = try #require(registry.series(station, id))
        return try self.writer.reader.readings(of: series, from: 0, to: TimeBounds.endMilliseconds, limit: 100)
    }
}

@Suite struct RequestTests {
    @Test func `importing the same stations again changes nothing`() throws {
        let bench = try Bench()
        #expect(bench.importStations() == .done("added 1 site, 1 station, 2 series"))
        #expect(bench.importStations() == .done("nothing to change"))
    }

    @Test func `a changed unit needs a date, and says so`() throws {
        let bench = try Bench()
        _ = bench.importStations()
        let changed = Bench.stations.replacing("ppb", with: "µg/m³")
        let refused = bench.importStations(changed)
        #expect(refused.exitCode == ExitStatus.usage)
        #expect(refused.message.contains("--from"))
        let taken = bench.importStations(changed, from: Bench.now)
        #expect(taken.exitCode == ExitStatus.done)
        #expect(taken.output.contains("ppb → \u{B5}g/m³"))
    }

    @Test func `a bad file is refused by the writer too, with its line`() throws {
        let reply = try Bench().importStations("sites:\n  - {id: a}")
        #expect(reply.exitCode == ExitStatus.usage)
        #expect(reply.message == "s.yaml:2: sites[0]: the key kind is missing")
    }

    @Test func `dead letters of a station come back once it is known`() throws {
        let bench = try Bench()
        let time = Bench.now - 7_200_000
        try bench.setAside(deadLetters: [
            bench.letter(#"{"ts": \#(time), "values": {"PM10": 31.4, "XX": 1, "NO2": null}, "seq": 5}"#),
            bench.letter(#"{"ts": \#(time), "values": {"PM10": 32.5}}"#),
            bench.letter("not json", reason: .notJSON),
            bench.letter("{}", topic: "quantrac/v1/other/telemetry"),
            bench.letter(#"{"ts": \#(time), "values": {"PM10": 99}}"#, isCut: true),
        ])
        let all = FateSelection(ids: nil, station: nil, reason: nil)
        #expect(bench.perform(.deadLetterReplay(all)).output.hasPrefix("0 messages brought back"))
        _ = bench.importStations()
        let reply = bench.perform(.deadLetterReplay(all))
        #expect(reply == .done("2 messages brought back\n3 messages kept; see `quantrac deadletter list`"))
        // Of two versions the one that came last is served.
        #expect(try bench.readings("PM10").map(\.value) == [32.5])
        #expect(try bench.readings("PM10").map(\.timeMilliseconds) == [time])
        #expect(try bench.writer.reader.deadLetters(limit: 10).map(\.topic).count == 3)
        // What the message carried besides is set aside as on arrival.
        #expect(
            Set(try bench.writer.reader.quarantined(limit: 10).map { "\($0.parameter) \($0.reason)" })
                == ["XX unknown-parameter", "NO2 null"])
        #expect(bench.perform(.deadLetterReplay(all)).output.hasPrefix("0 messages brought back"))
    }

    @Test func `retention says what it deleted, and a second time that there is nothing`() throws {
        let bench = try Bench()
        _ = bench.importStations()
        let day: Int64 = 86_400_000
        let frame = FrameWriter()
        frame.begin(receivedMilliseconds: Bench.now)
        for age in [2_000, 1_900, 1_000] as [Int64] {
            let series = try #require(bench.writer.registry.series.first)
            frame.beginMessage(
                station: 1, flags: [], quarantinedCount: 0, sequence: nil,
                boot: UnsafeBufferPointer(start: nil, count: 0))
            frame.beginSamples(count: 1)
            frame.beginSample(timeMilliseconds: Bench.now - age * day, readingCount: 1, allMeasuring: true)
            frame.addReading(series: series.number, value: 1, status: .measuring)
        }
        _ = try bench.writer.commit(
            frame, FrameHeader(kind: .messages, receivedMilliseconds: Bench.now), BatchEffects())
        let run = RetentionRun(settings: bench.settings, clock: { Bench.now })
        let dry = try run.dryRun(bench.writer.reader)
        #expect(dry.deleted.map { "\($0.station) \($0.level) \($0.days) \($0.readings)" } == ["nd-1 raw 174 2"])
        #expect(try bench.readings("PM10").count == 3)
        let reply = bench.perform(.retention(json: false))
        #expect(reply.exitCode == ExitStatus.done && reply.output.contains("nd-1     raw"), "\(reply)")
        #expect(try bench.readings("PM10").map(\.timeMilliseconds) == [Bench.now - 1_000 * day])
        #expect(bench.perform(.retention(json: false)).output == "nothing is old enough to go")
        // What a person releases for a sealed day stays where it is.
        try bench.setAside(quarantined: [bench.value(1, time: Bench.now - 1_950 * day, reason: .sealed)])
        let release = bench.perform(
            .quarantineRelease(FateSelection(ids: nil, station: nil, reason: nil), shiftMilliseconds: 0))
        #expect(release.output.contains("1 value kept"))
    }

    @Test func `only the dead letters that were named come back`() throws {
        let bench = try Bench()
        _ = bench.importStations()
        try bench.setAside(
            deadLetters: (0..<3).map {
                bench.letter(#"{"ts": \#(Bench.now - Int64($0) * 60_000), "values": {"PM10": \#($0)}}"#)
            })
        let ids = try bench.writer.reader.deadLetters(limit: 10).map(\.id)
        let reply = bench.perform(.deadLetterReplay(FateSelection(ids: [ids[1]], station: nil, reason: nil)))
        #expect(reply == .done("1 message brought back"))
        #expect(try bench.writer.reader.deadLetters(limit: 10).map(\.id) == [ids[0], ids[2]])
        let missing = bench.perform(.deadLetterReplay(FateSelection(ids: [999], station: nil, reason: nil)))
        #expect(missing.exitCode == ExitStatus.usage)
    }

    @Test func `quarantined values come back with their clock mended`() throws {
        let bench = try Bench()
        _ = bench.importStations()
        try bench.setAside(quarantined: [
            bench.value(5, time: Bench.now + 600_000, reason: .tooNew),
            bench.value(6, time: Bench.now + 7_200_000, reason: .tooNew),
            bench.value(nil, time: Bench.now, reason: .null),
            bench.value(nil, time: Bench.now, text: "abc", reason: .notANumber),
            bench.value(7, time: Bench.now, status: "???", reason: .badStatus),
            bench.value(8, time: Bench.now, parameter: "XX", reason: .unknownParameter),
            bench.value(10, time: -(1 << 62), reason: .tooOld),
        ])
        let reply = bench.perform(
            .quarantineRelease(FateSelection(ids: nil, station: "nd-1", reason: nil), shiftMilliseconds: -660_000))
        #expect(reply == .done("1 value brought back\n6 values kept; see `quantrac quarantine list`"))
        #expect(try bench.readings("PM10").map(\.timeMilliseconds) == [Bench.now - 60_000])
        #expect(try bench.readings("PM10").map(\.value) == [5])
        #expect(try bench.writer.reader.quarantined(limit: 10).count == 6)
    }

    @Test func `a value whose parameter was imported comes back under it`() throws {
        let bench = try Bench()
        _ = bench.importStations()
        try bench.setAside(quarantined: [
            bench.value(3, time: Bench.now - 5_000, parameter: "SO2", status: "01", reason: .unknownParameter)
        ])
        _ = bench.importStations(Bench.stations.replacing("{id: NO2, unit: ppb}", with: "{id: SO2, unit: ppb}"))
        let reply = bench.perform(
            .quarantineRelease(FateSelection(ids: [1], station: nil, reason: nil), shiftMilliseconds: 0))
        #expect(reply == .done("1 value brought back"))
        #expect(try bench.readings("SO2").map(\.status) == [.calibrating])
    }

    @Test func `rules are kept with a version, and a bad file keeps the old ones`() throws {
        let bench = try Bench()
        let good = "rules:\n  - {id: r, parameter: PM10, above: 1, severity: alarm, stations: [gone]}"
        let reply = bench.perform(.rulesLoad(text: good, fileName: "r.yaml"))
        #expect(reply.output == "version 1 in force: 1 rule, 0 channels")
        #expect(reply.message.contains("gone"))
        #expect(bench.perform(.rulesLoad(text: good, fileName: "r.yaml")).output.hasPrefix("version 1 "))
        let bad = bench.perform(.rulesLoad(text: "rules: [{id: r}]", fileName: "r.yaml"))
        #expect(bad.exitCode == ExitStatus.usage)
        #expect(try bench.writer.reader.rulesText()?.text == good)
    }

    @Test func `acknowledging what is not there is an error`() throws {
        let reply = try Bench().perform(
            .incidentAcknowledge(id: 4, by: "Lan", why: "", untilMilliseconds: nil))
        #expect(reply.exitCode == ExitStatus.usage)
        #expect(reply.message == "there is no incident 4")
    }

    @Test func `a verb beside the holder of the lock reaches it over the socket`() throws {
        let bench = try Bench()
        let writer = WriterThread(
            try StoreWriter(path: bench.folder.path("other.db"), defaultZone: "UTC", isDemo: false))
        defer { writer.stop() }
        var settings = bench.settings
        settings.store.path = bench.folder.path("other.db")
        let handler = StoreRequestHandler(settings: settings)
        let server = try ControlServer(path: settings.socketPath) {
            handler.perform($0, on: ServedStore(reader: writer.reader, mailbox: writer.mailbox))
        }
        defer { server.stop() }
        let client = StoreClient(settings: settings)
        #expect(client.isServiceRunning)
        let request = StoreRequest.stationImport(text: Bench.stations, fileName: "s.yaml", fromMilliseconds: nil)
        #expect(try client.perform(request) == .done("added 1 site, 1 station, 2 series"))
        #expect(writer.reader.registry.stations.count == 1)
    }

    @Test func `a holder that does not listen makes the verb give up with 75`() throws {
        let bench = try Bench()
        let client = StoreClient(settings: bench.settings, patience: .zero)
        let error = #expect(throws: VerbFailure.self) { try client.perform(.ping) }
        #expect(error?.exitCode == ExitStatus.unavailable)
    }

    @Test func `a verb does not make a store by accident`() throws {
        var settings = Settings()
        settings.store.path = try TemporaryFolder().path("none.db")
        let error = #expect(throws: VerbFailure.self) { try StoreClient(settings: settings).perform(.ping) }
        #expect(error?.exitCode == ExitStatus.usage)
    }
}
