import Foundation
import Logging
import Monitoring
import Testing
import TimeSeriesStore

@testable import Ingest

/// A store of one numbering station, and what asks it.
private final class AskingStore {
    let folder = NSTemporaryDirectory() + "quantrac-backfill-\(UUID().uuidString)"
    private var opened: (writer: StoreWriter, keeper: BackfillKeeper)?
    let metrics = ServiceMetrics()
    private let frame = FrameWriter()

    init() throws {
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try self.open()
        _ = try self.writer.importStations(
            StationFile(sites: [
                .init(
                    id: "s", name: "S", kind: .mine, timeZone: nil,
                    stations: [
                        .init(
                            id: StationID("a")!, name: "A", kind: .ambientAir, latitude: 1, longitude: 1,
                            intervalMilliseconds: 10_000, retiredLocalDay: nil,
                            parameters: [
                                .init(
                                    id: ParameterID("PM10")!, unit: "µg/m³", kind: .gauge, isDirection: false)
                            ])
                    ])
            ]), validFromMilliseconds: nil, nowMilliseconds: 0)
    }

    deinit {
        self.opened = nil
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    private func open() throws {
        let writer = try StoreWriter(path: self.folder + "/store.db", defaultZone: "Asia/Ho_Chi_Minh", isDemo: false)
        self.opened = (
            writer, try BackfillKeeper(writer: writer, metrics: self.metrics, logger: Logger(label: "test"))
        )
    }

    func restart() throws {
        self.opened = nil
        try self.open()
    }

    var writer: StoreWriter { self.opened!.writer }
    var keeper: BackfillKeeper { self.opened!.keeper }
    var account: SequenceAccount { self.writer.head.accounts(station: 1)[0] }

    func receive(_ number: Int64, at now: Int64) throws {
        self.frame.begin(receivedMilliseconds: now)
        Array("b".utf8).withUnsafeBufferPointer {
            self.frame.beginMessage(station: 1, flags: [], quarantinedCount: 0, sequence: number, boot: $0)
        }
        self.frame.beginSamples(count: 0)
        _ = try self.writer.commit(
            self.frame, FrameHeader(kind: .messages, receivedMilliseconds: now), BatchEffects())
    }

    func commands() throws -> [String] {
        try self.writer.reader.pendingCommands(after: 0, limit: 100).map(\.body)
    }
}

@Suite struct BackfillKeeperTests {
    @Test func `a device that sends and never answers is asked five times, through restarts, then stored has no gap`()
        throws
    {
        let store = try AskingStore()
        let start: Int64 = 1_795_420_800_000
        try store.receive(1, at: start)
        try store.receive(5, at: start)
        var number: Int64 = 6
        var told: Set<Int32> = []
        for minute in Int64(0)...900 {
            let now = start + minute * 60_000
            try store.receive(number, at: now)
            number += 1
            told.formUnion(try store.keeper.look(nowMilliseconds: now, readThroughMilliseconds: now))
            if minute % 100 == 50 { try store.restart() }
            if minute < 870 { #expect(store.account.gaps == [2...4], "given up at minute \(minute)") }
        }
        #expect(try store.commands().isEmpty, "what was not delivered is of no use any more")
        let asked = try store.writer.reader.backfills(of: store.writer.registry.stations[0], limit: 10)
        #expect(asked.map(\.attempts) == [5] && asked.map(\.state) == [.lost] && asked[0].answer == "no answer")
        #expect(store.account.gaps.isEmpty && store.account.lostCount == 3 && store.account.balances)
        #expect(told == [1])
        let text = String(decoding: StoredPayload.bytes([store.account], nowMilliseconds: 5), as: UTF8.self)
        #expect(text.contains(#""gaps": []"#))
    }

    @Test func `what a device answers is taken up at the next look, and what is no answer is counted`() throws {
        let store = try AskingStore()
        try store.receive(1, at: 1_000)
        try store.receive(9, at: 1_000)
        _ = try store.keeper.look(nowMilliseconds: 1_000, readThroughMilliseconds: 1_000)
        _ = try store.keeper.look(nowMilliseconds: 40_000, readThroughMilliseconds: 40_000)
        #expect(
            try store.commands() == [#"{"id": "1", "kind": "backfill", "boot": "b", "seqFrom": 2, "seqTo": 8}"#])
        func says(_ text: String, station: Int32 = 1) {
            store.keeper.take([DeviceMessage(station: station, payload: Array(text.utf8))])
        }
        says(#"{"id": "77", "status": "unknown"}"#)
        says("nonsense")
        says(#"{"id": "1", "status": "unknown"}"#, station: 2)
        says(#"{"id": "1", "status": "partial", "missing": [[2, 3]]}"#)
        #expect(try store.keeper.look(nowMilliseconds: 41_000, readThroughMilliseconds: nil) == [1])
        #expect(store.metrics.responsesIgnored.value == 3)
        #expect(store.account.gaps == [4...8] && store.account.lostCount == 2)
        for number: Int64 in 4...8 { try store.receive(number, at: 42_000) }
        _ = try store.keeper.look(nowMilliseconds: 42_000, readThroughMilliseconds: nil)
        #expect(store.metrics.backfillsFilled.value == 1 && store.metrics.messagesLost.value == 2)
    }
}
