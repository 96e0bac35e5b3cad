import Foundation
import Monitoring
import TimeSeriesStore

/// What is said of a published day: one JSON file per table and day.
///
/// It names no moment of publishing, so that publishing again after a crash gives the same bytes.
package struct LakeManifest: Sendable, Hashable, Codable {
    /// The layout of the Parquet files and of this file; a change of either is a new number.
    package static let schemaVersion = 1

    /// One generation of the day: the whole day as it was known then.
    package struct Part: Sendable, Hashable, Codable {
        package let generation: Int
        /// Relative to the lake's folder.
        package let file: String
        package let rows: Int64
        /// The store's changes that made this generation differ from the one before.
        package let changeFrom: Int64
        package let changeTo: Int64
        /// Device times, milliseconds since 1970.
        package let minTime: Int64
        package let maxTime: Int64
        /// Of the file.
        package let sha256: String
        /// SHA-256 over the rows' contents, whatever the file's encoding; decides whether two parts say the same.
        package let rowsHash: String

        package init(
            generation: Int, file: String, rows: Int64, changeFrom: Int64, changeTo: Int64, minTime: Int64,
            maxTime: Int64, sha256: String, rowsHash: String
        ) {
            self.generation = generation
            self.file = file
            self.rows = rows
            self.changeFrom = changeFrom
            self.changeTo = changeTo
            self.minTime = minTime
            self.maxTime = maxTime
            self.sha256 = sha256
            self.rowsHash = rowsHash
        }
    }

    package let schemaVersion: Int
    package let table: String
    /// The sites' local day of device time.
    package let date: String
    /// What to read.
    package let current: Part
    /// What it replaces, oldest first; the files stay.
    package let earlier: [Part]

    package init(date: String, current: Part, earlier: [Part]) {
        self.schemaVersion = Self.schemaVersion
        self.table = LakePaths.table
        self.date = date
        self.current = current
        self.earlier = earlier
    }

    var parts: [Part] { self.earlier + [self.current] }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// The manifest of a day; nil when there is none.
    static func read(day: Int64, in paths: LakePaths) throws -> LakeManifest? {
        let path = paths.absolute(LakePaths.manifest(day))
        guard let data = try LakeFiles.read(path, bytesMax: LakeLimits.manifestBytesMax) else { return nil }
        do {
            let manifest = try JSONDecoder().decode(LakeManifest.self, from: data)
            guard manifest.schemaVersion == Self.schemaVersion else {
                throw LakeError(
                    .destination,
                    "\(path): schema \(manifest.schemaVersion), this Quantrac knows \(Self.schemaVersion)")
            }
            return manifest
        } catch let error as DecodingError {
            throw LakeError(
                .destination, "\(path): no manifest of ours (\(error)); move it away to publish the day anew")
        }
    }
}

extension LakeManifest.Part {
    func recorded(day: Int64, publishedMilliseconds: Int64) -> LakePart {
        LakePart(
            day: day, generation: self.generation, changeFrom: self.changeFrom, changeTo: self.changeTo,
            rows: self.rows, file: self.file, sha256: self.sha256, rowsHash: self.rowsHash,
            publishedMilliseconds: publishedMilliseconds)
    }
}
