import GRDB

/// Pages of the database file.
package struct FilePages: Sendable, Hashable {
    package var total: Int64
    /// Of these, in use by nothing.
    package var free: Int64

    package init(total: Int64, free: Int64) {
        self.total = total
        self.free = free
    }

    package var usedBytes: Int64 { (self.total - self.free) * Int64(Connections.pageBytes) }
    package var freeBytes: Int64 { self.free * Int64(Connections.pageBytes) }

    /// How many free pages are left for what is written next.
    private var kept: Int64 {
        max(Int64(StoreLimits.freePagesKept), self.total / Int64(StoreLimits.freePagesKeptShare))
    }

    /// Free pages to give back to the disk now; none until there are twice as many as are kept.
    package var surplus: Int64 { self.free > 2 * self.kept ? self.free - self.kept : 0 }
}

/// Bytes of the file that were in use on a local day.
package struct FileSize: Sendable, Hashable {
    /// Days since 1970-01-01 of the local date.
    package let day: Int64
    package let bytes: Int64

    package init(day: Int64, bytes: Int64) {
        self.day = day
        self.bytes = bytes
    }
}

/// When the disk will be full.
package enum DiskForecast {
    /// Complete days that are needed to say anything.
    package static let daysMin = 3

    /// Bytes a day from the first to the last complete day; nil when too few were seen.
    package static func growthBytesPerDay(_ sizes: [FileSize], today: Int64) -> Double? {
        let complete = sizes.filter { $0.day < today && $0.day >= today - Int64(StoreLimits.fileSizeDays) }
            .sorted { $0.day < $1.day }
        guard complete.count >= self.daysMin, let first = complete.first, let last = complete.last,
            last.day > first.day
        else { return nil }
        return Double(last.bytes - first.bytes) / Double(last.day - first.day)
    }

    /// Days until nothing above the reserve is left; nil when the file does not grow.
    package static func fullInDays(
        growthBytesPerDay: Double, diskFreeBytes: Int64, pages: FilePages, reserveBytes: Int64
    ) -> Double? {
        guard growthBytesPerDay > 0 else { return nil }
        let room = Double(max(0, diskFreeBytes - reserveBytes) + pages.freeBytes)
        return (room / growthBytesPerDay * 10).rounded() / 10
    }
}

extension StoreReader {
    package func filePages() throws -> FilePages {
        try self.pool.read { database in
            FilePages(
                total: try Int64.fetchOne(database, sql: "PRAGMA page_count") ?? 0,
                free: try Int64.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0)
        }
    }

    /// What the file held on the last days, ascending.
    package func fileSizes() throws -> [FileSize] {
        try self.pool.read { database in
            try Row.fetchAll(
                database, sql: "SELECT day, bytes FROM file_size ORDER BY day DESC LIMIT ?",
                arguments: [StoreLimits.fileSizeDays + 1]
            ).reversed().map { FileSize(day: $0[0], bytes: $0[1]) }
        }
    }
}

extension StoreWriter {
    /// Notes what the file holds today; one row a day stays.
    package func note(_ size: FileSize) throws {
        try self.transaction(.ordered) { database in
            try database.cachedStatement(
                sql: "INSERT INTO file_size VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET bytes = excluded.bytes"
            ).execute(arguments: [size.day, size.bytes])
        }
    }

    /// Gives free pages at the end of the file back to the disk, a bounded number at a time.
    ///
    /// The file is shorter once the log has been moved into it.
    ///
    /// - Returns: pages that are still too many.
    @discardableResult
    package func giveBackPages(_ wanted: Int64) throws -> Int64 {
        let count = min(wanted, Int64(StoreLimits.freePagesGivenBackMax))
        guard count > 0 else { return 0 }
        try self.transaction(.ordered) { try $0.execute(sql: "PRAGMA incremental_vacuum(\(count))") }
        return wanted - count
    }
}
