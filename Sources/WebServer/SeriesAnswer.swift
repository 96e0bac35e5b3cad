import Monitoring
import TimeSeriesStore

/// Reads a series and writes the answer, page by page.
struct SeriesAnswer {
    let reader: StoreReader
    let series: Series
    let query: SeriesQuery
    let rowsMax: Int
    let timeLimit: Duration

    init(
        reader: StoreReader, series: Series, query: SeriesQuery, rowsMax: Int = WebLimits.answerRowsMax,
        timeLimit: Duration = .milliseconds(WebLimits.readMillisecondsMax)
    ) {
        self.reader = reader
        self.series = series
        self.query = query
        self.rowsMax = rowsMax
        self.timeLimit = timeLimit
    }

    /// Blocks for some read transactions of one page each.
    func write() throws -> JSONWriter {
        let registry = self.reader.registry
        let unitAt = Swift.max(self.query.fromMilliseconds, self.query.toMilliseconds - 1)
        var json = JSONWriter(reservingBytes: 64 << 10)
        json.beginObject()
        json.key("station")
        json.value(registry.station(of: self.series).id.text)
        json.key("parameter")
        json.value(self.series.parameter.text)
        json.key("unit")
        json.value(self.series.unit.value(at: unitAt))
        json.key("level")
        json.value(self.query.level.rawValue)
        json.key("timeZone")
        json.value(registry.zone(of: self.series).name)
        try self.writeCorrections(&json, zone: registry.zone(of: self.series))
        json.key("columns")
        json.beginArray()
        for column in self.query.columns { json.value(column.rawValue) }
        json.endArray()
        json.key("rows")
        json.beginArray()
        let next = try self.query.level == .raw ? self.writeReadings(&json) : self.writeBuckets(&json, registry)
        json.endArray()
        if let next {
            json.key("next")
            json.value(next)
        }
        json.endObject()
        return json
    }

    /// - Returns: Where the rest begins; nil when there is none.
    private func writeReadings(_ json: inout JSONWriter) throws -> Int64? {
        let started = ContinuousClock.now
        let withReceipts = self.query.columns.contains(.received)
        var from = self.query.fromMilliseconds
        var left = self.rowsMax
        while from < self.query.toMilliseconds {
            guard left > 0, started.duration(to: .now) < self.timeLimit else { return from }
            let limit = Swift.min(left, WebLimits.pageRows)
            let page = try self.reader.readingPage(
                of: self.series, from: from, to: self.query.toMilliseconds, limit: limit, view: self.query.view,
                asOfMilliseconds: self.query.asOfMilliseconds, withReceipts: withReceipts)
            // A page may be longer than asked for, to end between two times.
            let rows = page.rows.prefix(limit)
            for reading in rows { self.write(reading, &json) }
            left -= rows.count
            let cut = rows.count < page.rows.count ? rows.last.map { $0.timeMilliseconds + 1 } : nil
            guard let next = cut ?? page.next else { return nil }
            from = next
        }
        return nil
    }

    private func write(_ reading: Reading, _ json: inout JSONWriter) {
        json.beginArray()
        for column in self.query.columns {
            switch column {
            case .time: json.value(reading.timeMilliseconds)
            case .value: json.value(reading.value)
            case .status: json.value(reading.status)
            case .received: json.value(Int64(reading.receivedSeconds) * 1_000)
            default: json.null()
            }
        }
        json.endArray()
    }

    /// - Returns: Where the rest begins; nil when there is none.
    private func writeBuckets(_ json: inout JSONWriter, _ registry: Registry) throws -> Int64? {
        let started = ContinuousClock.now
        let station = registry.station(of: self.series)
        var from = self.query.fromMilliseconds
        var left = self.rowsMax
        while from < self.query.toMilliseconds {
            guard left > 0, started.duration(to: .now) < self.timeLimit else { return from }
            let limit = Swift.min(left, WebLimits.pageRows)
            let page = try self.reader.rollups(
                of: self.series, level: self.query.level, from: from, to: self.query.toMilliseconds, limit: limit,
                view: self.query.view)
            for row in page { self.write(row, station, &json) }
            guard let last = page.last else { return nil }
            from = last.bucket.endMilliseconds
            left -= page.count
            if page.count < limit, self.reader.newestMilliseconds(of: self.series) < from { return nil }
        }
        return nil
    }

    /// Of a direction only the mean means something; of a counter there is no mean.
    private func write(_ row: RollupRow, _ station: Station, _ json: inout JSONWriter) {
        let rollup = row.rollup
        let method = self.series.method
        let isMeasured = rollup.nValid > 0
        let isScalar = isMeasured && method != .direction
        json.beginArray()
        for column in self.query.columns {
            switch column {
            case .start: json.value(row.bucket.startMilliseconds)
            case .end: json.value(row.bucket.endMilliseconds)
            case .n: json.value(rollup.n)
            case .nValid: json.value(rollup.nValid)
            case .nDue: json.value(station.due(in: row.bucket))
            case .mean: json.value(rollup.mean(method: method))
            case .sum: json.value(isScalar ? row.total : nil)
            case .min: json.value(isScalar ? rollup.min : nil)
            case .minAt: json.value(isScalar ? rollup.minAtMilliseconds : nil)
            case .max: json.value(isScalar ? rollup.max : nil)
            case .maxAt: json.value(isScalar ? rollup.maxAtMilliseconds : nil)
            case .first: json.value(isMeasured ? rollup.first : nil)
            case .last: json.value(isMeasured ? rollup.last : nil)
            case .time, .value, .status, .received: json.null()
            }
        }
        json.endArray()
    }
}
