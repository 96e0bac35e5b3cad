import Monitoring

/// The columns of an export and how a row of each level fills them.
enum ExportRows {
    /// The columns of a level, in order.
    static func columns(level: Level, revisions: Bool) -> [String] {
        guard level == .raw else {
            return [
                "station", "parameter", "unit", "start", "end", "n", "n_valid", "n_due", "mean", "sum", "min", "min_at",
                "max", "max_at", "first", "last",
            ]
        }
        return ["station", "parameter", "unit", "time", "received", "value", "status"] + (revisions ? ["version"] : [])
    }
}

/// What every row of one series shares.
struct ExportSeries {
    let station: Station
    let series: Series
    let zone: Zone

    init(_ series: Series, registry: Registry) {
        self.station = registry.station(of: series)
        self.series = series
        self.zone = registry.zone(of: series)
    }

    private func begin(_ row: inout RowBuilder, at milliseconds: Int64) {
        row.beginRow()
        row.text("station", self.station.id.text)
        row.text("parameter", self.series.parameter.text)
        row.text("unit", self.series.unit.value(at: milliseconds))
    }

    /// A row of the raw level; `version` only with `--revisions`.
    func append(_ reading: Reading, version: Int? = nil, to row: inout RowBuilder) {
        self.begin(&row, at: reading.timeMilliseconds)
        row.instant("time", reading.timeMilliseconds, zone: self.zone, decimals: true)
        row.instant("received", Int64(reading.receivedSeconds) * 1_000, zone: self.zone, decimals: false)
        row.number("value", reading.value)
        row.status("status", reading.status)
        if let version { row.integer("version", version) }
        row.endRow()
    }

    /// A row of a level of buckets.
    ///
    /// Of a direction only the mean means something; of a counter there is no mean.
    ///
    /// - Parameters:
    ///   - bucket: The row's time.
    ///   - rollup: What the bucket holds.
    ///   - total: What `sum` says; of a counter it includes the step into the bucket.
    ///   - row: Where the row goes.
    func append(_ bucket: Bucket, _ rollup: Rollup, total: Double, to row: inout RowBuilder) {
        let method = self.series.method
        let isMeasured = rollup.nValid > 0
        let isScalar = isMeasured && method != .direction
        self.begin(&row, at: bucket.startMilliseconds)
        row.instant("start", bucket.startMilliseconds, zone: self.zone, decimals: false)
        row.instant("end", bucket.endMilliseconds, zone: self.zone, decimals: false)
        row.integer("n", rollup.n)
        row.integer("n_valid", rollup.nValid)
        row.integer("n_due", self.station.due(in: bucket))
        row.number("mean", rollup.mean(method: method))
        row.number("sum", isScalar ? total : nil)
        row.number("min", isScalar ? rollup.min : nil)
        row.instant("min_at", isScalar ? rollup.minAtMilliseconds : nil, zone: self.zone, decimals: true)
        row.number("max", isScalar ? rollup.max : nil)
        row.instant("max_at", isScalar ? rollup.maxAtMilliseconds : nil, zone: self.zone, decimals: true)
        row.number("first", isMeasured ? rollup.first : nil)
        row.number("last", isMeasured ? rollup.last : nil)
        row.endRow()
    }
}
