import Crypto
import Foundation
import Logging
import Monitoring
import Testing
import TimeSeriesStore

@testable import DataLake

/// A store with readings around a local day, and a lake beside it.
struct LakeFixture: Sendable {
    /// 2026-11-23T00:00:00+07:00.
    static let midnight: Int64 = 1_795_366_800_000
    static let day = Civil.days(year: 2026, month: 11, day: 23)

    let store: TestStore
    let clock: ManualClock
    let destination: String

    init() throws {
        self.store = try TestStore([
            .station("st-2", [("PM10", "µg/m³", false)]),
            .station("st-1", [("pH", "", false), ("TempC", "°C, \"air\"", false)]),
        ])
        // Half an hour after the end of the day.
        self.clock = ManualClock(Self.midnight + 86_400_000 + 1_800_000)
        self.destination = self.store.folder + "/lake's folder"
        try self.fill()
    }

    private func fill() throws {
        for (index, series) in self.store.reader.registry.series.enumerated() {
            let readings = (0..<1_500).map { step in
                (
                    time: Self.midnight - 3_600_000 + Int64(step) * 60_000 + Int64(index),
                    value: Self.value(step + index), status: step % 50 == 0 ? Status("A9")! : .measuring
                )
            }
            try self.store.commit(series, readings, receivedSeconds: Self.midnight / 1_000 + 90_000)
            // One station at a time: how many slices a merge of several takes depends on the clock, and so do its
            // changes.
            try self.store.merge()
        }
    }

    /// All sorts of doubles.
    private static func value(_ step: Int) -> Double {
        switch step % 7 {
        case 0: Double(step) / 10
        case 1: -0.0
        case 2: Double(step) * .pi
        case 3: Double.leastNonzeroMagnitude
        case 4: 1.7976931348623157e308
        case 5: Double(step)
        default: -Double(step) / 3e9
        }
    }

    /// The program, if this machine has it: the tests that need it are skipped otherwise, and say so.
    static let isDuckDBThere = (try? DuckDB.find(setting: nil)) != nil

    func publisher(
        destination: String? = nil, duckdb: String? = nil, failingAfter step: LakeStep? = nil,
        afterStep: (@Sendable (LakeStep) throws -> Void)? = nil
    ) -> LakePublisher {
        let store = self.store
        var context = LakePublisher.Context(
            reader: store.reader, destination: destination ?? self.destination, duckdb: duckdb,
            zone: ZoneDatabase.zone(named: "Asia/Ho_Chi_Minh")!, clock: self.clock,
            merge: { _ = try await store.mailbox.submit { try $0.mergeEverything(nowMilliseconds: 0) } },
            record: { part in try await store.mailbox.submit { try $0.recordPublished(part) } },
            examined: { day, change in
                try await store.mailbox.submit { try $0.recordExamined(day: day, change: change) }
            },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        if let afterStep { context.afterStep = afterStep }
        if let step {
            context.afterStep = { if $0 == step { throw LakeInterruption(step: step) } }
        }
        return LakePublisher(context: context)
    }

    /// Deletes raw readings older than a week, as the service does once a day; returns what was held back.
    func deleteOld(nowMilliseconds: Int64) async throws -> [Int32: RetentionHold] {
        let policy = RetentionPolicy(
            raw: KeepRule("7d")!, hours: .forever, days: .forever, eventsMilliseconds: .max,
            incidentsMilliseconds: .max, setAsideMilliseconds: .max)
        let plan = try self.store.reader.retentionPlan(policy, hasLake: true, nowMilliseconds: nowMilliseconds)
        return try await self.store.mailbox.submit { writer in
            let held = try writer.seal(plan, nowMilliseconds: nowMilliseconds)
            var work = writer.retentionWork(plan, policy: policy, nowMilliseconds: nowMilliseconds)
            while try writer.retentionSlice(&work) {}
            return plan.stations.reduce(into: held) { all, item in
                if let hold = item.hold { all[item.number] = hold }
            }
        }
    }

    /// Another reading of the day, in the middle of it.
    func arriveLate(value: Double = 77) throws {
        try self.store.commit(
            self.store.series("st-1", "pH"), [(time: Self.midnight + 43_200_007, value: value, status: .measuring)],
            receivedSeconds: Self.midnight / 1_000 + 95_000)
    }

    /// Every file below the lake's folder with a hash of its bytes.
    func tree(_ destination: String? = nil) throws -> [String: String] {
        let root = destination ?? self.destination
        var files: [String: String] = [:]
        let names = FileManager.default.enumerator(atPath: root)
        while let name = names?.nextObject() as? String {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: "\(root)/\(name)", isDirectory: &isFolder)
            if !isFolder.boolValue {
                files[name] =
                    SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(name)"))).hexadecimal
            }
        }
        return files
    }

    func manifest(_ destination: String? = nil) throws -> LakeManifest? {
        try LakeManifest.read(day: Self.day, in: LakePaths(root: destination ?? self.destination))
    }

    var parts: [LakePart] { get throws { try self.store.reader.lakeParts() } }
    var partsOfDay: [LakePart] { get throws { try self.parts.filter { $0.day == Self.day } } }
}
