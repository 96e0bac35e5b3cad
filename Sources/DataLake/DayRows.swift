import Monitoring
import TimeSeriesStore

/// Reads the rows of one local day from the store, in order of station, parameter and time, in constant memory.
final class DayRows: @unchecked Sendable {
    // Unchecked: used by one caller at a time, which waits for each piece.
    private let reader: StoreReader
    private let registry: Registry
    private let day: Int64
    private let series: [Series]
    private var position = 0
    private var from: Int64?
    private var hash = LakeRowHash()

    init(reader: StoreReader, day: Int64) {
        self.reader = reader
        self.registry = reader.registry
        self.day = day
        let registry = self.registry
        // As bytes, as everywhere: the order is the same on every machine.
        self.series = registry.series.sorted { left, right in
            let (one, other) = (registry.station(of: left).id, registry.station(of: right).id)
            return one == other ? left.parameter < right.parameter : one < other
        }
    }

    /// What was read; complete once ``nextPiece()`` has given nil.
    var summary: LakeRowSummary { LakeRowSummary(self.hash) }

    /// The next rows as CSV, about ``LakeLimits/pieceBytes``; nil at the end.
    func nextPiece() async throws -> [UInt8]? {
        try await LakeThread.run { try self.readPiece() }
    }

    /// Blocks for some read transactions of one page each.
    private func readPiece() throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while self.position < self.series.count, bytes.count < LakeLimits.pieceBytes {
            let series = self.series[self.position]
            let zone = self.registry.zone(of: series)
            let start = self.from ?? zone.start(ofLocalDay: self.day)
            let end = zone.start(ofLocalDay: self.day + 1)
            // A series without anything so late needs no transaction.
            guard start < end, self.reader.newestMilliseconds(of: series) >= start else {
                self.advance()
                continue
            }
            let page = try self.reader.readings(of: series, from: start, to: end, limit: LakeLimits.pageRows)
            guard let last = page.last else {
                self.advance()
                continue
            }
            self.append(page, of: series, zone: zone, to: &bytes)
            self.from = last.timeMilliseconds + 1
        }
        return bytes.isEmpty ? nil : bytes
    }

    private func advance() {
        self.position += 1
        self.from = nil
    }

    private func append(_ page: [Reading], of series: Series, zone: Zone, to bytes: inout [UInt8]) {
        let station = self.registry.station(of: series)
        var row = LakeRow(
            site: self.registry.site(of: station).id, station: station.id.text, parameter: series.parameter.text,
            unit: "", timeMilliseconds: 0, offsetSeconds: 0, receivedSeconds: 0, value: 0, status: "")
        var status = Status.measuring
        row.status = status.description
        for reading in page {
            row.timeMilliseconds = reading.timeMilliseconds
            row.unit = series.unit.value(at: reading.timeMilliseconds)
            row.offsetSeconds = Int64(zone.offsetSeconds(at: reading.timeMilliseconds))
            row.receivedSeconds = Int64(reading.receivedSeconds)
            row.value = reading.value
            if reading.status != status {
                status = reading.status
                row.status = status.description
            }
            self.hash.add(row)
            LakeTransfer.append(row, to: &bytes)
        }
    }
}
