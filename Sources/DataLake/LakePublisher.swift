import Foundation
package import Logging
package import Monitoring
import Synchronization
package import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Publishes closed local days as Parquet parts with a manifest each (invariant I11).
///
/// What is published is what the manifest in the lake says; the store's own table of parts only remembers it. Every
/// step can be the last before a crash: the next run finishes or repeats it, and ends with the same files.
package final class LakePublisher: Sendable {
    /// What publishing needs; wired by the program.
    package struct Context: Sendable {
        package var reader: StoreReader
        /// The lake's folder.
        package var destination: String
        /// The setting `lake.duckdb`; nil to look for it.
        package var duckdb: String?
        /// The clock that says when a day is over: the deployment's default zone.
        package var zone: Zone
        package var clock: any WallClock
        /// Merges everything there is, on the writer.
        package var merge: @Sendable () async throws -> Void
        /// Notes a published part, on the writer.
        package var record: @Sendable (LakePart) async throws -> Void
        /// Notes that a day says through a change what was published of it, on the writer.
        package var examined: @Sendable (_ day: Int64, _ change: Int64) async throws -> Void
        package var logger: Logger
        /// A seam for fault tests: called after each step, and may throw as a crash would stop the program there.
        package var afterStep: @Sendable (LakeStep) throws -> Void = { _ in }

        package init(
            reader: StoreReader, destination: String, duckdb: String? = nil, zone: Zone, clock: any WallClock,
            merge: @escaping @Sendable () async throws -> Void,
            record: @escaping @Sendable (LakePart) async throws -> Void,
            examined: @escaping @Sendable (_ day: Int64, _ change: Int64) async throws -> Void, logger: Logger
        ) {
            self.reader = reader
            self.destination = destination
            self.duckdb = duckdb
            self.zone = zone
            self.clock = clock
            self.merge = merge
            self.record = record
            self.examined = examined
            self.logger = logger
        }
    }

    private struct State {
        var lastError: String?
    }

    let context: Context
    private let paths: LakePaths
    private let state = Mutex(State())
    private let turn = Turn()

    package init(context: Context) {
        _ = LakeLimits.checked
        // A DuckDB that dies would otherwise take the service with it, through the broken pipe.
        signal(SIGPIPE, SIG_IGN)
        self.context = context
        self.paths = LakePaths(root: context.destination)
    }

    /// Why the last run failed; nil when it did not.
    package var lastError: String? { self.state.withLock { $0.lastError } }

    /// Publishes every day that is due; one run at a time, a second one waits for the first.
    ///
    /// - Parameter cause: Whether people asked; then a changed day is restated at once.
    /// - Returns: What was published, and what failed.
    /// - Throws: ``LakeError`` when nothing can be published at all; what fails for one day is in the report.
    @discardableResult
    package func publish(_ cause: LakeCause) async throws -> LakeReport {
        await self.turn.take()
        defer { self.turn.give() }
        do {
            let report = try await self.publishInTurn(cause)
            let problem = report.failed.first.map { "\(Civil.formatDate(days: $0.day)): \($0.error)" }
            self.note(problem)
            return report
        } catch {
            self.note("\(error)")
            throw error
        }
    }

    /// Logs an error once, and once that it is gone.
    private func note(_ problem: String?) {
        let before = self.state.withLock { state in
            defer { state.lastError = problem }
            return state.lastError
        }
        guard problem != before else { return }
        if let problem {
            self.context.logger.error("The lake is behind", metadata: ["error": "\(problem)"])
        } else {
            self.context.logger.notice("The lake is fed again")
        }
    }

    private func publishInTurn(_ cause: LakeCause) async throws -> LakeReport {
        let duckdb = try DuckDB.find(setting: self.context.duckdb)
        try await self.context.merge()
        try self.context.afterStep(.merged)
        var report = LakeReport()
        let days = try await LakeThread.run { try self.context.reader.lakeDays().filter { self.isDue($0, cause) } }
        for day in days {
            guard !Task.isCancelled else { throw LakeError(.stopping, "stopped before all days were published") }
            do {
                let work = DayPublication(context: self.context, paths: self.paths, duckdb: duckdb, day: day)
                if let part = try await work.run() {
                    report.published.append(part)
                    self.context.logger.info(
                        "Published", metadata: ["file": "\(part.file)", "rows": "\(part.rows)"])
                } else {
                    report.unchanged += 1
                    try await self.context.examined(day.day, day.change)
                }
            } catch let error as LakeInterruption {
                throw error
            } catch {
                report.failed.append(LakeReport.Failure(day: day.day, error: "\(error)"))
            }
        }
        return report
    }

    private func isDue(_ day: LakeDay, _ cause: LakeCause) -> Bool {
        let now = self.context.clock.nowMilliseconds
        guard !day.isSealed else { return false }
        guard LakeStatus.isSettled(day.day, zone: self.context.zone, nowMilliseconds: now) else { return false }
        guard let part = day.published, LakeFiles.exists(self.paths.absolute(LakePaths.manifest(day.day))) else {
            return true
        }
        guard day.change > max(part.changeTo, day.examinedThrough) else { return false }
        return cause == .request || now - part.publishedMilliseconds >= LakeLimits.restateMilliseconds
    }
}

/// Why a run was started.
package enum LakeCause: Sendable {
    /// The service by itself: changed days wait until six hours after they were last published.
    case schedule
    /// Somebody asked for it.
    case request
}

/// What a run did.
package struct LakeReport: Sendable, Hashable {
    package struct Failure: Sendable, Hashable {
        package let day: Int64
        package let error: String
    }

    package var published: [LakePart] = []
    /// Days that were touched and say the same as before.
    package var unchanged = 0
    package var failed: [Failure] = []
}

/// The steps of publishing a day, in order; a crash may come after each.
package enum LakeStep: String, Sendable, CaseIterable {
    case merged
    case partWritten
    case partVerified
    case partRenamed
    case manifestWritten
    case manifestRenamed
    case recorded
}

/// Stops a run in a fault test, as a crash would.
package struct LakeInterruption: Error {
    package let step: LakeStep
    package init(step: LakeStep) { self.step = step }
}

/// Lets one in at a time, in the order they came.
private final class Turn: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = self.state.withLock { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func give() {
        let next = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.isTaken = false
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
