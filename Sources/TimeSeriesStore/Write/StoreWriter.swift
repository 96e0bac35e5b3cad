import Foundation
import GRDB
package import Monitoring

/// The one writer of a store.
///
/// Not `Sendable`: it belongs to the thread that opened it.
///
/// It holds the lock, the head and the two counters: the journal's sequence, which orders arrivals, and `change`, which
/// stamps everything a transaction writes.
package final class StoreWriter {
    package let files: StoreFiles
    /// Reads through the same head; may be shared with any thread.
    package let reader: StoreReader
    package let head: Head
    let pool: DatabasePool
    let rows = SeriesRows()
    let defaultZone: String
    var loaded: LoadedRegistry
    /// Sequence of the last frame committed.
    package internal(set) var sequence: Int64
    var change: Int64
    /// Receipt time of the newest frame ever, ms; 0 in a new store.
    package internal(set) var newestReceivedMilliseconds: Int64
    package internal(set) var journalFrames: Int
    package internal(set) var journalBytes: Int
    /// Bytes of frames committed since the start.
    package private(set) var committedBytes = 0
    /// Frames found damaged at the start.
    package let damagedFrames: [FrameError]
    /// Stations that cannot be merged because something of theirs on disk is damaged, by number, with what it is.
    package internal(set) var unmergeable: [Int32: String] = [:]
    /// Frames up to this one are in the snapshot of the alert state.
    package internal(set) var alertsThrough: Int64
    /// The snapshot this process folded last.
    var foldedSnapshot: [UInt8]?
    var trimmedThrough: Int64
    /// Stations whose ledgers are to be checked.
    var ledgerChecks = LedgerChecks()
    private var nextIncident: Int64
    var nextBackfill: Int64
    private var synchronousIsFull = false
    private let lock: StoreLock
    /// How much of what could not be stored is kept.
    package var fateBounds = FateBounds()
    /// Fails the N-th call of a kind, in tests.
    package var faults: StoreFaults?

    /// Opens or creates a store and rebuilds the head from the journal.
    ///
    /// - Parameters:
    ///   - isDemo: a demo store and a real one are not to be mixed up: opening one as the other is refused.
    ///   - replayed: sees every frame of the journal in order, with its sequence.
    package init(
        path: String, defaultZone: String, isDemo: Bool,
        replayed: (FrameReader, Int64) throws -> Void = { _, _ in }
    ) throws {
        _ = StoreLimits.checked
        let files = StoreFiles(database: path)
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        self.lock = try StoreLock(files)
        let pool = try StoreOpening.pool(files, readonly: false)
        try Schema.migrator.migrate(pool)
        try pool.write { try StoreWriter.checkDemo($0, isDemo: isDemo, path: path) }
        let opened = try withoutActuallyEscaping(replayed) { replayed in
            let replayed = UncheckedBox(replayed)
            return try pool.read { database in
                let loaded = try RegistryRows.load(database, defaultZone: defaultZone)
                let result = try Replay.run(database, loaded, each: replayed.value)
                return UncheckedBox(
                    (
                        loaded: loaded, replay: result, change: try Meta.integer(database, .change) ?? 0,
                        alerts: try Meta.integer(database, .alertsThrough) ?? 0,
                        trimmed: try Meta.integer(database, .trimmedThrough) ?? 0,
                        incident: try Int64.fetchOne(database, sql: "SELECT max(id) FROM incident") ?? 0,
                        backfill: try Int64.fetchOne(database, sql: "SELECT max(id) FROM backfill") ?? 0
                    ))
            }.value
        }
        self.files = files
        self.pool = pool
        self.defaultZone = defaultZone
        self.loaded = opened.loaded
        self.sequence = opened.replay.head.sequence
        self.change = opened.change
        self.newestReceivedMilliseconds = opened.replay.newestReceivedMilliseconds
        self.journalFrames = opened.replay.journalFrames
        self.journalBytes = opened.replay.journalBytes
        self.damagedFrames = opened.replay.damaged
        self.alertsThrough = opened.alerts
        self.trimmedThrough = opened.trimmed
        self.nextIncident = opened.incident + 1
        self.nextBackfill = opened.backfill + 1
        self.head = Head(opened.replay.head)
        self.reader = StoreReader(
            files: files, pool: pool, head: self.head, loaded: opened.loaded, defaultZone: defaultZone)
    }

    package var registry: Registry { self.loaded.registry }

    /// A number for an incident that is about to open; unused numbers are no harm.
    package func reserveIncident() -> Int64 {
        defer { self.nextIncident += 1 }
        return self.nextIncident
    }

    private static func checkDemo(_ database: Database, isDemo: Bool, path: String) throws {
        guard let stored = try Meta.integer(database, .demo) else {
            return try Meta.set(database, .demo, isDemo ? 1 : 0)
        }
        guard (stored == 1) == isDemo else {
            throw StoreError(
                .wrongFile,
                stored == 1
                    ? "\(path) holds demo data and `demo` is false: set store.path to another file, or demo: true"
                    : "\(path) holds real data and `demo` is true: set store.path to another file, or demo: false")
        }
    }

    // MARK: Transactions

    /// How far a transaction must have got when it returns.
    enum Durability {
        /// On disk: what is acknowledged next depends on it.
        case full
        /// In the log; the next `.full` one takes it to the disk. Nothing was promised for it.
        case ordered
    }

    /// Runs a transaction on the writing connection, on this thread's behalf.
    func transaction<Value>(_ durability: Durability, _ body: (Database) throws -> Value) throws -> Value {
        try withoutActuallyEscaping(body) { body in
            try self.faults?.check(.begin)
            return try self.pool.writeWithoutTransaction { database in
                if (durability == .full) != self.synchronousIsFull {
                    try database.execute(sql: "PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL")")
                    self.synchronousIsFull = durability == .full
                }
                var value: Value?
                try database.inTransaction(.immediate) {
                    value = try body(database)
                    try self.faults?.check(.commit)
                    return .commit
                }
                guard let value else { throw StoreError(.refused, "a transaction ended without its value") }
                return value
            }
        }
    }

    /// The stamp of the transaction under way.
    func drawChange(_ database: Database) throws -> Int64 {
        let next = self.change + 1
        try Meta.set(database, .change, next)
        return next
    }

    // MARK: Commit

    /// Writes a frame and everything that belongs to it, with one fsync; the head has it when this returns.
    ///
    /// Whoever calls this may acknowledge the frame's messages afterwards, and not before (invariant I1).
    package func commit(
        _ frame: FrameWriter, _ header: FrameHeader, _ effects: BatchEffects
    ) throws -> CommittedFrame {
        try self.commit(frame, header, effects) { _ in }
    }

    /// The same with more to do in the frame's transaction.
    func commit(
        _ frame: FrameWriter, _ header: FrameHeader, _ effects: BatchEffects, also: (Database) throws -> Void
    ) throws -> CommittedFrame {
        let sequence = self.sequence + 1
        return try frame.withFrame(header) { bytes in
            guard let base = bytes.baseAddress else { throw StoreError(.refused, "an empty frame") }
            try self.transaction(.full) { database in
                let data = Data(
                    bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none)
                try database.cachedStatement(sql: "INSERT INTO journal VALUES (?, ?)")
                    .execute(arguments: [sequence, data])
                if !effects.isEmpty {
                    try EffectRows.write(
                        database, effects, at: header.receivedMilliseconds, bounds: self.fateBounds,
                        reserveIncident: self.reserveIncident)
                }
                try also(database)
            }
            self.fateBounds.confirm()
            self.sequence = sequence
            self.journalFrames += 1
            self.journalBytes += bytes.count
            self.committedBytes += bytes.count
            self.newestReceivedMilliseconds = max(self.newestReceivedMilliseconds, header.receivedMilliseconds)
            let reader = try FrameReader(bytes, sequence: sequence, verify: false)
            let applied = try self.head.withState { state throws(FrameError) in
                try state.apply(reader, sequence: sequence)
            }
            return CommittedFrame(
                sequence: sequence, messages: applied.messages, messagesQoS0: applied.qos0,
                deadLetters: applied.deadLetters, readings: applied.readings, fresh: applied.fresh,
                quarantined: applied.quarantined)
        }
    }

    /// A small durable transaction, to find out whether the disk takes writes again.
    package func probe() throws {
        try self.transaction(.full) { try Meta.set($0, .newestReceived, self.newestReceivedMilliseconds) }
    }

    // MARK: Registry

    /// Brings the registry in line with a station file; see `StationImport`.
    package func importStations(
        _ file: StationFile, validFromMilliseconds: Int64?, nowMilliseconds: Int64
    ) throws -> ImportReport {
        try self.settleLedgers(before: file)
        let report = try self.transaction(.full) { database in
            var work = StationImport(
                database: database, change: try self.drawChange(database),
                validFromMilliseconds: validFromMilliseconds, nowMilliseconds: nowMilliseconds,
                defaultZone: self.defaultZone, newestMilliseconds: { self.newestMilliseconds(station: $0) })
            try work.run(file)
            return work.report
        }
        self.change += 1
        if !report.isEmpty { try self.reloadRegistry() }
        return report
    }

    private func newestMilliseconds(station: Int64) -> Int64 {
        guard let index = self.registry.stationIndex(number: Int32(truncatingIfNeeded: station)) else { return -1 }
        return self.registry.stations[index].seriesIndices
            .map { self.head.newestMilliseconds(series: self.registry.series[$0].number) }.max() ?? -1
    }

    func reloadRegistry() throws {
        self.loaded = try self.pool.read { try RegistryRows.load($0, defaultZone: self.defaultZone) }
        let loaded = self.loaded
        self.head.withState { $0.adopt(loaded.registry, receiptSeries: loaded.receiptSeries) }
        self.reader.adopt(loaded)
    }
}

/// What a committed frame held.
package struct CommittedFrame: Sendable {
    package let sequence: Int64
    package let messages: Int
    package let messagesQoS0: Int
    package let deadLetters: Int
    package let readings: Int
    /// Readings newer than everything of their series: stored, whatever comes.
    ///
    /// The others are decided by the merge.
    package let fresh: Int
    package let quarantined: Int
}

/// A seam for fault tests: fails the N-th call of a kind.
package final class StoreFaults {
    package enum Call: Sendable {
        case begin
        case commit
    }

    private let call: Call
    private var left: Int
    private let error: any Error

    /// - Parameter nth: 1 fails the next call of this kind.
    package init(_ call: Call, nth: Int, error: any Error) {
        self.call = call
        self.left = nth
        self.error = error
    }

    func check(_ call: Call) throws {
        guard call == self.call else { return }
        self.left -= 1
        if self.left == 0 { throw self.error }
    }
}
