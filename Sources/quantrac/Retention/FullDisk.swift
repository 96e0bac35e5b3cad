import Monitoring
import TimeSeriesStore

/// When the disk will be full: as the file has grown, or, in its first days, as what is due will make it grow.
enum FullDisk {
    /// Days until nothing above the reserve is left; nil when nothing is known, or when the file does not grow.
    static func days(_ settings: Settings, reader: StoreReader) throws -> Double? {
        if let measured = try self.measured(
            settings, reader: reader, nowMilliseconds: SystemTime.nowMilliseconds())
        {
            return measured.days
        }
        let status = try reader.status()
        return self.expected(
            status, registry: reader.registry, reserveBytes: self.reserveBytes(settings, reader: reader))
    }

    /// From the growth of the last days; nil when there are too few of them.
    static func measured(
        _ settings: Settings, reader: StoreReader, nowMilliseconds: Int64
    ) throws -> (days: Double?, growthBytesPerDay: Double)? {
        let today = settings.localZone.localDay(at: nowMilliseconds)
        guard let growth = DiskForecast.growthBytesPerDay(try reader.fileSizes(), today: today),
            let free = DiskSpace.freeBytes(reader.files.database)
        else { return nil }
        let days = DiskForecast.fullInDays(
            growthBytesPerDay: growth, diskFreeBytes: free, pages: try reader.filePages(),
            reserveBytes: self.reserveBytes(settings, reader: reader))
        return (days, growth)
    }

    /// When every station reports as it should and a reading takes what it took so far.
    static func expected(_ status: StoreStatus, registry: Registry, reserveBytes: Int64) -> Double? {
        let readingsPerDay = registry.stations.reduce(into: 0.0) { sum, station in
            guard station.retiredMilliseconds == nil, let interval = station.intervalMilliseconds.latest, interval > 0
            else { return }
            sum += Double(station.seriesIndices.count) * Double(Civil.millisecondsPerDay) / Double(interval)
        }
        guard readingsPerDay > 0, status.mergedReadings > 0 else { return nil }
        let bytesPerReading = Double(status.fileBytes) / Double(status.readings)
        let free = Double(max(0, status.diskFreeBytes - reserveBytes))
        return (free / (readingsPerDay * bytesPerReading) * 10).rounded() / 10
    }

    private static func reserveBytes(_ settings: Settings, reader: StoreReader) -> Int64 {
        DiskGuard(files: reader.files, reserveBytes: Int64(settings.store.reserveBytes)).reserveBytes
    }
}
