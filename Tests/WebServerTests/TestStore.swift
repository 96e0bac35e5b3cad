import Dispatch
import Foundation
import Monitoring
import Synchronization
import TimeSeriesStore

/// A store in a temporary folder, with its writer on a queue of its own; the folder goes with it.
final class TestStore: @unchecked Sendable {
    // Unchecked: the writer is only touched on `queue`.
    let folder: String
    let reader: StoreReader
    private(set) var mailbox = WriterMailbox(wake: {})
    private let writer: StoreWriter
    private let frame = FrameWriter()
    private let queue = DispatchQueue(label: "test.writer")

    init(_ stations: [StationFile.StationEntry], zone: String = "Asia/Ho_Chi_Minh") throws {
        self.folder = NSTemporaryDirectory() + "quantrac-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        self.writer = try StoreWriter(path: self.folder + "/store.db", defaultZone: zone, isDemo: false)
        self.reader = self.writer.reader
        _ = try self.writer.importStations(
            StationFile(sites: [
                .init(id: "na-duong", name: "Mỏ \"Na Dương\"", kind: .mine, timeZone: zone, stations: stations)
            ]), validFromMilliseconds: nil, nowMilliseconds: 0)
        self.mailbox = WriterMailbox(wake: { [weak self] in
            guard let self else { return }
            self.queue.async { self.mailbox.run(on: self.writer) }
        })
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    func series(_ station: String, _ parameter: String) -> Series {
        self.reader.registry.series(StationID(station)!, ParameterID(parameter)!)!
    }

    /// Commits readings of one series as one message, a sample each.
    func commit(_ series: Series, _ readings: [(time: Int64, value: Double, status: Status)], receivedSeconds: Int64)
        throws
    {
        try self.queue.sync {
            let station = self.reader.registry.station(of: series)
            for start in stride(from: 0, to: readings.count, by: 10_000) {
                let piece = readings[start..<min(start + 10_000, readings.count)]
                self.frame.begin(receivedMilliseconds: receivedSeconds * 1_000)
                self.frame.beginMessage(
                    station: station.number, flags: [], quarantinedCount: 0, sequence: nil,
                    boot: UnsafeBufferPointer(start: nil, count: 0))
                self.frame.beginSamples(count: piece.count)
                for reading in piece {
                    self.frame.beginSample(timeMilliseconds: reading.time, readingCount: 1, allMeasuring: false)
                    self.frame.addReading(series: series.number, value: reading.value, status: reading.status)
                }
                _ = try self.writer.commit(
                    self.frame, FrameHeader(kind: .messages, receivedMilliseconds: receivedSeconds * 1_000),
                    BatchEffects())
            }
        }
    }

    /// Commits a batch without readings.
    func commit(_ effects: BatchEffects, receivedSeconds: Int64 = 1_000) throws {
        try self.queue.sync {
            self.frame.begin(receivedMilliseconds: receivedSeconds * 1_000)
            _ = try self.writer.commit(
                self.frame, FrameHeader(kind: .tick, receivedMilliseconds: receivedSeconds * 1_000), effects)
        }
    }

    func merge() throws { _ = try self.queue.sync { try self.writer.mergeEverything(nowMilliseconds: 0) } }
}

extension StationFile.StationEntry {
    static func station(
        _ id: String, interval: Int64 = 300_000, _ parameters: [(id: String, unit: String, isDirection: Bool)]
    ) -> Self {
        Self(
            id: StationID(id)!, name: "Trạm \(id)", kind: .ambientAir, latitude: 21.5, longitude: nil,
            intervalMilliseconds: interval, retiredLocalDay: nil,
            parameters: parameters.map {
                .init(id: ParameterID($0.id)!, unit: $0.unit, kind: .gauge, isDirection: $0.isDirection)
            })
    }
}

/// A time of day that moves only when a test moves it.
final class ManualClock: WallClock {
    private struct Sleeper {
        let id: UInt64
        let until: Int64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Int64
        var nextID: UInt64 = 0
        var sleepers: [Sleeper] = []
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    init(_ nowMilliseconds: Int64) { self.state = Mutex(State(now: nowMilliseconds)) }

    var nowMilliseconds: Int64 { self.state.withLock { $0.now } }
    /// Instants somebody waits for, ascending.
    var awaited: [Int64] { self.state.withLock { $0.sleepers.map(\.until).sorted() } }

    func advance(by milliseconds: Int64) { self.advance(to: self.nowMilliseconds + milliseconds) }

    func advance(to milliseconds: Int64) {
        let awake = self.state.withLock { state in
            state.now = max(state.now, milliseconds)
            let awake = state.sleepers.filter { $0.until <= state.now }
            state.sleepers.removeAll { $0.until <= state.now }
            return awake
        }
        for sleeper in awake { sleeper.continuation.resume() }
    }

    func sleep(untilMilliseconds until: Int64) async throws {
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = self.state.withLock { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if until <= state.now { return .success(()) }
                    state.sleepers.append(Sleeper(id: id, until: until, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let sleeper = self.state.withLock { state -> Sleeper? in
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.sleepers.remove(at: index)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
