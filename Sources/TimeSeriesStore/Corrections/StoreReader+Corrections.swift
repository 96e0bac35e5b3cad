import GRDB
package import Monitoring

extension StoreReader {
    /// Served readings of `[from, to)` in order of time, about `limit` at most.
    ///
    /// - Parameters:
    ///   - asOfMilliseconds: as they were served at this instant of receipt: the newest version first received until
    ///     then, with the corrections made until then and not yet revoked.
    ///   - withReceipts: without them `receivedSeconds` is 0 or unset, and a column less is read.
    package func readingPage(
        of series: Series, from: Int64, to: Int64, limit: Int, view: ServedView, asOfMilliseconds: Int64? = nil,
        withReceipts: Bool = true
    ) throws -> ServedPage<Reading> {
        guard let asOfMilliseconds else {
            return try self.view(series, view) { view in
                var page = try view.page(from: from, to: to, limit: limit)
                if withReceipts { try view.base.resolveReceipts(&page.columns) }
                return ServedPage(rows: (0..<page.columns.count).map { page.columns[$0] }, next: page.next)
            }
        }
        let page = try self.versionPage(
            of: series, from: from, to: to, limit: limit, view: view, asOfMilliseconds: asOfMilliseconds)
        var readings: [Reading] = []
        for version in page.rows {
            // Versions of one time ascend: the last one stays.
            if readings.last?.timeMilliseconds == version.reading.timeMilliseconds { readings.removeLast() }
            readings.append(version.reading)
        }
        return ServedPage(rows: readings, next: page.next)
    }

    /// All versions of the readings of `[from, to)`, in order of time and version; about `limit` times at most.
    ///
    /// - Parameter asOfMilliseconds: only those first received until then.
    package func versionPage(
        of series: Series, from: Int64, to: Int64, limit: Int, view: ServedView, asOfMilliseconds: Int64? = nil
    ) throws -> ServedPage<ReadingVersion> {
        try self.view(series, view, asOf: asOfMilliseconds) { view in
            let page = try view.base.page(from: from, to: to, limit: limit)
            var versions = try view.base.versions(of: page)
            if let asOfMilliseconds {
                versions.removeAll { Int64($0.reading.receivedSeconds) * 1_000 > asOfMilliseconds }
            }
            guard !view.corrections.isEmpty else { return ServedPage(rows: versions, next: page.next) }
            let method = series.method
            return ServedPage(
                rows: versions.map {
                    ReadingVersion(
                        reading: view.corrections.corrected($0.reading, method: method), version: $0.version)
                }, next: page.next)
        }
    }

    /// Corrections of a series in force, annotations included, that overlap `[from, to)`, in the order in which they
    /// were made.
    ///
    /// - Parameter asOfMilliseconds: in force at this instant; nil for now.
    package func corrections(
        of series: Series, from: Int64, to: Int64, asOfMilliseconds: Int64? = nil
    ) throws -> [Correction] {
        let inForce =
            if let asOfMilliseconds {
                try self.pool.read {
                    try CorrectionRows.inForce($0, series: series.number, atMilliseconds: asOfMilliseconds)
                }
            } else {
                self.correctionsInForce(series)
            }
        return inForce.all.filter { $0.overlaps(from: from, to: to) }
    }

    /// Every correction, in the order in which they were made.
    package func corrections(includingRevoked: Bool) throws -> [Correction] {
        try self.pool.read { try CorrectionRows.all($0, includingRevoked: includingRevoked) }
    }

    /// What `verify` finds wrong with corrections.
    func correctionProblems() throws -> [String] {
        let known = Set(self.registry.series.map(\.number))
        return try self.pool.read { try CorrectionRows.problems($0, knownSeries: known) }
    }
}

extension SeriesView {
    /// All versions of a page's readings with their receipt times, in order of time and version.
    fileprivate func versions(of page: Page) throws -> [ReadingVersion] {
        guard let first = page.columns.times.first, let last = page.columns.times.last else { return [] }
        var columns = page.columns
        try self.resolveReceipts(&columns)
        var older = try self.allSuperseded(from: first, to: last + 1)
        for version in page.superseded { older[version.timeMilliseconds, default: []].append(version) }
        var stationReceipts = columns
        stationReceipts.received = Array(repeating: 0, count: columns.count)
        try self.resolveReceipts(&stationReceipts)
        var versions: [ReadingVersion] = []
        for index in 0..<columns.count {
            let served = columns[index]
            let before = older[served.timeMilliseconds] ?? []
            for (position, version) in before.enumerated() {
                versions.append(
                    ReadingVersion(
                        reading: Reading(
                            timeMilliseconds: served.timeMilliseconds, value: Double(bitPattern: version.valueBits),
                            status: Status(packed: version.status),
                            receivedSeconds: version.receivedSeconds > 0
                                ? version.receivedSeconds : stationReceipts.received[index]),
                        version: position + 1))
            }
            versions.append(ReadingVersion(reading: served, version: before.count + 1))
        }
        return versions
    }

    private func allSuperseded(from: Int64, to: Int64) throws -> [Int64: [SupersededVersion]] {
        var versions: [Int64: [SupersededVersion]] = [:]
        let rows = try Row.fetchCursor(
            self.database,
            sql: """
                SELECT time, value_bits, status, received FROM revision WHERE series = ? AND time >= ? AND time < ?
                ORDER BY time, version
                """,
            arguments: [self.series.number, from, to])
        while let row = try rows.next() {
            let time: Int64 = row[0]
            versions[time, default: []].append(
                SupersededVersion(
                    timeMilliseconds: time, valueBits: UInt64(bitPattern: row[1]),
                    status: UInt64(bitPattern: row[2]), receivedSeconds: row[3]))
        }
        return versions
    }
}
