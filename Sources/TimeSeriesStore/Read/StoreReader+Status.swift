import Foundation
import GRDB
import Monitoring

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What `quantrac status` says.
package struct StoreStatus: Sendable {
    package var stations = 0
    package var series = 0
    /// Readings served, the unmerged ones counted as they arrived.
    package var readings: Int64 = 0
    /// Device times, ms; nil in an empty store.
    package var oldestMilliseconds: Int64?
    package var newestMilliseconds: Int64?
    package var fileBytes = 0
    /// Bytes of raw chunks, open ends included.
    package var rawBytes: Int64 = 0
    package var mergedReadings: Int64 = 0
    package var journalFrames = 0
    package var journalReadings = 0
    package var journalBytes: Int64 = 0
    package var headReadings = 0
    package var headBytes = 0
    package var diskFreeBytes: Int64 = 0

    package var bytesPerReading: Double? {
        self.mergedReadings > 0 ? Double(self.rawBytes) / Double(self.mergedReadings) : nil
    }
}

extension StoreReader {
    package func status() throws -> StoreStatus {
        let registry = self.registry
        let head = self.headSize
        let headReadings = registry.series.reduce(into: 0) { count, series in
            count += self.unmergedCount(series)
        }
        var status = try self.pool.read { database in
            var status = StoreStatus()
            let numbers = registry.series.map { Int64($0.number) }
            for number in numbers {
                if let row = try Row.fetchOne(
                    database.cachedStatement(sql: "SELECT readings, length(raw), newest FROM tail WHERE series = ?"),
                    arguments: [number])
                {
                    status.mergedReadings += row[0]
                    status.rawBytes += row[1]
                }
                let first = ChunkKey.first(series: Int32(number), level: .raw)
                if let key = try Int64.fetchOne(
                    database.cachedStatement(
                        sql: "SELECT key FROM chunk WHERE key BETWEEN ? AND ? ORDER BY key LIMIT 1"),
                    arguments: [first, first | (TimeBounds.endMilliseconds - 1)])
                {
                    let start = ChunkKey.startMilliseconds(key)
                    status.oldestMilliseconds = min(status.oldestMilliseconds ?? start, start)
                } else if let raw = try Data.fetchOne(
                    database.cachedStatement(sql: "SELECT raw FROM tail WHERE series = ?"), arguments: [number]),
                    !raw.isEmpty
                {
                    let first = try SeriesRows().decodeRaw(raw, series: Int32(number)).times.first
                    if let first { status.oldestMilliseconds = min(status.oldestMilliseconds ?? first, first) }
                }
            }
            status.rawBytes +=
                try Int64.fetchOne(
                    database, sql: "SELECT sum(length(data)) FROM chunk WHERE (key >> 42) & 3 = 0") ?? 0
            if let row = try Row.fetchOne(database, sql: "SELECT count(*), sum(length(frame)) FROM journal") {
                status.journalFrames = row[0]
                status.journalBytes = row[1] ?? 0
            }
            return status
        }
        status.stations = registry.stations.count
        status.series = registry.series.count
        for series in registry.series {
            let newest = self.newestMilliseconds(of: series)
            if newest >= 0 { status.newestMilliseconds = max(status.newestMilliseconds ?? newest, newest) }
        }
        for oldest in registry.stations.compactMap({ self.oldestUnmerged($0) }) {
            status.oldestMilliseconds = min(status.oldestMilliseconds ?? oldest, oldest)
        }
        status.headReadings = head.readings
        status.headBytes = head.bytes
        status.journalReadings = headReadings
        status.readings = status.mergedReadings + Int64(headReadings)
        status.fileBytes = self.files.databaseBytes
        status.diskFreeBytes = DiskSpace.freeBytes(self.files.database) ?? 0
        return status
    }
}

/// Room left on the disk a file is on.
package enum DiskSpace {
    /// Bytes that an ordinary user may still write; nil when the system does not say.
    package static func freeBytes(_ path: String) -> Int64? {
        var info = statvfs()
        let folder = (path as NSString).deletingLastPathComponent
        guard statvfs(folder.isEmpty ? "." : folder, &info) == 0 else { return nil }
        return Int64(info.f_bavail) * Int64(info.f_frsize)
    }
}
