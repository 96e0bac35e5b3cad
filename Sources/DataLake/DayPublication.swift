import Foundation
import Monitoring
import TimeSeriesStore

/// Publishes one day.
///
/// In order: rows → unfinished Parquet file → on the disk → read back and compared → named → manifest → noted in the
/// store. The manifest is what makes a part published; a part without one was never seen by anybody and is replaced.
struct DayPublication: Sendable {
    let context: LakePublisher.Context
    let paths: LakePaths
    let duckdb: DuckDB
    let day: LakeDay

    /// A part's place among the day's parts.
    private struct Place: Sendable {
        let generation: Int
        let changeFrom: Int64
        let changeTo: Int64
    }

    private var folder: String { LakePaths.dayFolder(self.day.day) }

    /// - Returns: What was published; nil when the lake says already what the store says.
    func run() async throws -> LakePart? {
        let manifest = try await LakeThread.run {
            let manifest = try LakeManifest.read(day: self.day.day, in: self.paths)
            try LakeFiles.makeFolder(self.paths.absolute(self.folder))
            try self.sweep(keeping: manifest)
            return manifest
        }
        guard let manifest, try await self.isComplete(manifest.current) else {
            // A manifest whose file is gone or damaged is as good as none, but its number is not used again.
            return try await self.publish(after: manifest)
        }
        // A crash may have come between the manifest and the note in the store.
        let adopted = try await self.adopt(manifest.current)
        guard manifest.current.rowsHash != (try await self.rowsNow().rowsHash) else { return adopted }
        return try await self.publish(after: manifest)
    }

    /// Whether the file is there and as the manifest says.
    private func isComplete(_ part: LakeManifest.Part) async throws -> Bool {
        let path = self.paths.absolute(part.file)
        return try await LakeThread.run { try LakeFiles.exists(path) && LakeFiles.sha256(path) == part.sha256 }
    }

    /// The store's rows of now, only summed up.
    private func rowsNow() async throws -> LakeRowSummary {
        let rows = DayRows(reader: self.context.reader, day: self.day.day)
        while try await rows.nextPiece() != nil {}
        return rows.summary
    }

    /// Removes what an interrupted run left: unfinished files, and parts that neither the manifest nor the store names.
    private func sweep(keeping manifest: LakeManifest?) throws {
        let recorded = try self.context.reader.lakeParts().filter { $0.day == self.day.day }.map(\.file)
        let kept = Set(manifest?.parts.map(\.file) ?? []).union(recorded)
        for name in LakeFiles.names(in: self.paths.absolute(self.folder)) {
            let file = "\(self.folder)/\(name)"
            let isOurs = name.hasSuffix(LakePaths.unfinishedSuffix) || (name.hasPrefix("part-") && !kept.contains(file))
            if isOurs { try LakeFiles.remove(self.paths.absolute(file)) }
        }
        try LakeFiles.remove(self.paths.absolute(LakePaths.unfinished(LakePaths.manifest(self.day.day))))
    }

    /// Notes in the store what the lake has already.
    private func adopt(_ part: LakeManifest.Part) async throws -> LakePart? {
        guard (self.day.published?.generation ?? 0) < part.generation else { return nil }
        return try await self.record(part)
    }

    private func publish(after manifest: LakeManifest?) async throws -> LakePart? {
        let unfinished = self.paths.absolute("\(self.folder)/\(LakePaths.unfinishedPart)")
        let rows = DayRows(reader: self.context.reader, day: self.day.day)
        try await self.duckdb.writeParquet(unfinished, rows: rows)
        let written = rows.summary
        guard written.rows > 0 else {
            try await LakeThread.run { try LakeFiles.remove(unfinished) }
            return nil
        }
        try await LakeThread.run { try LakeFiles.sync(unfinished) }
        try self.context.afterStep(.partWritten)

        let readBack = try await self.duckdb.summarize(unfinished)
        guard readBack == written else {
            throw LakeError(
                .mismatch,
                "\(self.folder): \(written.rows) rows were written and \(readBack.rows) read back, or they differ; "
                    + "nothing was published")
        }
        let sha256 = try await LakeThread.run { try LakeFiles.sha256(unfinished) }
        try self.context.afterStep(.partVerified)

        let place = self.place(after: manifest, rowsHash: written.rowsHash)
        let name = LakePaths.partName(
            changeFrom: place.changeFrom, changeTo: place.changeTo, generation: place.generation)
        let part = LakeManifest.Part(
            generation: place.generation, file: "\(self.folder)/\(name)", rows: written.rows,
            changeFrom: place.changeFrom, changeTo: place.changeTo, minTime: written.minTime,
            maxTime: written.maxTime, sha256: sha256, rowsHash: written.rowsHash)
        let path = self.paths.absolute(part.file)
        try await LakeThread.run { try LakeFiles.rename(unfinished, to: path) }
        try self.context.afterStep(.partRenamed)

        let next = LakeManifest(
            date: Civil.formatDate(days: self.day.day), current: part, earlier: manifest?.parts ?? [])
        try await LakeThread.run { try self.write(next) }
        return try await self.record(part)
    }

    private func place(after manifest: LakeManifest?, rowsHash: String) -> Place {
        if manifest == nil, let known = self.day.published, known.rowsHash == rowsHash {
            // The lake's folder was emptied or is another one: the same rows come back under the same name.
            return Place(generation: known.generation, changeFrom: known.changeFrom, changeTo: known.changeTo)
        }
        let last = manifest?.current
        let changeFrom = max(last?.changeTo ?? 0, self.day.published?.changeTo ?? 0) + 1
        return Place(
            generation: max(last?.generation ?? 0, self.day.published?.generation ?? 0) + 1, changeFrom: changeFrom,
            changeTo: max(self.day.change, changeFrom))
    }

    private func write(_ manifest: LakeManifest) throws {
        let path = self.paths.absolute(LakePaths.manifest(self.day.day))
        try LakeFiles.makeFolder((path as NSString).deletingLastPathComponent)
        let unfinished = LakePaths.unfinished(path)
        try LakeFiles.write(try manifest.encoded(), to: unfinished)
        try self.context.afterStep(.manifestWritten)
        try LakeFiles.rename(unfinished, to: path)
        try self.context.afterStep(.manifestRenamed)
    }

    private func record(_ part: LakeManifest.Part) async throws -> LakePart {
        let recorded = part.recorded(
            day: self.day.day, publishedMilliseconds: self.context.clock.nowMilliseconds)
        try await self.context.record(recorded)
        try self.context.afterStep(.recorded)
        return recorded
    }
}
