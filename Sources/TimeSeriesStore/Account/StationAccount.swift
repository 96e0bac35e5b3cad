package import Monitoring

/// What was expected of a station on a local day, what arrived, what was refused and why, and what is missing.
///
/// Messages, readings and what was refused are counted by the day of receipt; completeness and gaps by the day of
/// device time.
package struct StationAccount: Sendable {
    /// How complete one parameter is.
    package struct Parameter: Sendable, Hashable {
        package let id: ParameterID
        /// Of the whole day; nil for a station without an interval.
        package var due: Int?
        /// Of the part of the day that is over.
        package var dueSoFar: Int?
        package var present = 0
        package var valid = 0
        package var calibrating = 0
        package var fault = 0
        /// Readings that are not there; a late one is missing until it comes.
        package var missing = 0
    }

    /// A stretch of device time without readings, or without valid ones, and why.
    package struct Gap: Sendable, Hashable {
        package let range: Range<Int64>
        /// Readings of each parameter that are missing, or not valid.
        package let count: Int
        package let cause: GapCause
        /// In the order of the station's file.
        package var parameters: [ParameterID]
        package let outage: OutageRow?
        package let refused: [String: Int]
        package let holes: [SequenceHole]
    }

    package let station: Station
    package let site: Site
    /// Days since 1970-01-01 of the site's date.
    package let day: Int64
    package let bucket: Bucket
    /// Whether the day is not over.
    package let isOpen: Bool
    /// The station's first reading ever: nothing is due before it.
    package let firstMilliseconds: Int64?
    package let counts: LedgerCounts
    /// Readings received that day which are not merged yet.
    package let unmerged: Int
    /// What does not add up; nil when everything does.
    package let imbalance: String?
    package let numbered: [SequenceAccount]
    package let refused: RefusedCounts
    package let parameters: [Parameter]
    /// By time.
    package let gaps: [Gap]
    /// Gaps beyond the bound: counted in `parameters`, not listed.
    package let gapsOmitted: Int
    /// When we did not read, that day.
    package let outages: [OutageRow]

    /// Whether all parameters share a gap.
    package func isWhole(_ gap: Gap) -> Bool { gap.parameters.count == self.parameters.count }
}

/// Puts the account of a station and day together, in many short reads.
package struct StationAccountReader: Sendable {
    private let reader: StoreReader
    private let ledgers: LedgerMoment
    private let nowMilliseconds: Int64
    /// Since when no service reads, when none runs and it left no word of that.
    private let silentCrash: OutageRow?

    package init(reader: StoreReader, ledgers: LedgerMoment, nowMilliseconds: Int64, silentCrash: OutageRow?) {
        self.reader = reader
        self.ledgers = ledgers
        self.nowMilliseconds = nowMilliseconds
        self.silentCrash = silentCrash
    }

    package func account(of station: Station, day: Int64) throws -> StationAccount {
        let registry = self.reader.registry
        let site = registry.site(of: station)
        let bucket = Bucket(
            startMilliseconds: site.zone.start(ofLocalDay: day), endMilliseconds: site.zone.start(ofLocalDay: day + 1))
        let range = bucket.startMilliseconds..<bucket.endMilliseconds
        let first = try self.reader.firstMilliseconds(of: station)
        let numbered = self.reader.accounts(of: station)
        let key = LedgerKey(station, day: day)
        var imbalance = self.ledgers.imbalance(key)
        if imbalance == nil {
            imbalance = LedgerBalance.firstImbalance(days: [:], unmerged: [:], accounts: numbered)?.figures
        }
        let outages = try self.outages(in: range)
        let periods = station.duePeriods(in: range, firstMilliseconds: first)
        let coverage = try station.seriesIndices.map { index in
            let series = registry.series[index]
            // First what the day is said to hold, then its readings: there are fewer only when they were deleted.
            let kept = try self.reader.rollups(
                of: series, level: .day, from: range.lowerBound, to: range.upperBound, limit: 1
            ).first?.rollup
            let coverage = try self.coverage(of: series, periods, hours: nil)
            guard let kept, kept.n > coverage.parameter.present else { return coverage }
            return try self.coverage(of: series, periods, hours: kept)
        }
        let gaps = try self.gaps(station, range, periods, coverage, outages)
        return StationAccount(
            station: station, site: site, day: day, bucket: bucket,
            isOpen: self.nowMilliseconds < bucket.endMilliseconds, firstMilliseconds: first,
            counts: self.ledgers.counts[key] ?? LedgerCounts(), unmerged: self.ledgers.unmerged[key] ?? 0,
            imbalance: imbalance, numbered: numbered,
            refused: try self.reader.refusedCounts(of: station, received: range),
            parameters: coverage.map(\.parameter), gaps: gaps, gapsOmitted: coverage.reduce(0) { $0 + $1.omitted },
            outages: outages)
    }

    private func outages(in range: Range<Int64>) throws -> [OutageRow] {
        let down = self.silentCrash.flatMap { $0.beganMilliseconds < range.upperBound ? $0 : nil }
        return try self.reader.outages(from: range.lowerBound, to: min(range.upperBound, self.nowMilliseconds))
            + [down].compactMap { $0 }
    }

    // MARK: Completeness

    private struct Coverage {
        var parameter: StationAccount.Parameter
        var ranges: [CoverageRange] = []
        var omitted = 0
    }

    /// - Parameter hours: What the day held, when its readings were deleted: then an hour with readings counts as full.
    private func coverage(of series: Series, _ periods: [DuePeriod], hours: Rollup?) throws -> Coverage {
        var coverage = Coverage(parameter: .init(id: series.parameter))
        for period in periods {
            if period.intervalMilliseconds != nil {
                coverage.parameter.due = (coverage.parameter.due ?? 0) + period.due
                let low = period.range.lowerBound
                let past = low..<max(low, min(period.range.upperBound, self.nowMilliseconds))
                let soFar = DuePeriod(range: past, intervalMilliseconds: period.intervalMilliseconds).due
                coverage.parameter.dueSoFar = (coverage.parameter.dueSoFar ?? 0) + soFar
            }
            var scan = CoverageScan(
                period, nowMilliseconds: self.nowMilliseconds,
                rangesMax: StoreLimits.gapsPerSeriesAndDayMax - coverage.ranges.count)
            if hours == nil {
                try self.read(series, into: &scan)
            } else {
                try self.readHours(series, period, into: &scan)
            }
            coverage.parameter.present += scan.present
            coverage.parameter.valid += scan.valid
            coverage.parameter.calibrating += scan.calibrating
            coverage.parameter.fault += scan.fault
            coverage.parameter.missing += scan.missing
            coverage.ranges += scan.ranges
            coverage.omitted += scan.rangesOmitted
        }
        if let hours {
            coverage.parameter.present = hours.n
            coverage.parameter.valid = hours.nValid
            coverage.parameter.calibrating = hours.nCalibrating
            coverage.parameter.fault = hours.nFault
        }
        return coverage
    }

    private func readHours(_ series: Series, _ period: DuePeriod, into scan: inout CoverageScan) throws {
        guard let interval = period.intervalMilliseconds else { return }
        let wanted = scan.neighbourhood
        let hours = try self.reader.rollups(
            of: series, level: .hour, from: wanted.lowerBound - Civil.millisecondsPerHour, to: wanted.upperBound,
            limit: StoreLimits.pageRowsMax)
        for hour in hours {
            for time in stride(
                from: hour.bucket.startMilliseconds, to: hour.bucket.endMilliseconds, by: Int(interval))
            where wanted.contains(time) { scan.take(time, status: .measuring) }
        }
        scan.finish()
    }

    private func read(_ series: Series, into scan: inout CoverageScan) throws {
        let wanted = scan.neighbourhood
        var from = wanted.lowerBound
        while true {
            let page = try self.reader.values(
                of: series, from: from, to: wanted.upperBound, limit: StoreLimits.pageRowsMax)
            for reading in page { scan.take(reading.timeMilliseconds, status: reading.status) }
            guard let last = page.last else { break }
            from = last.timeMilliseconds + 1
        }
        scan.finish()
    }

    // MARK: Gaps

    private func gaps(
        _ station: Station, _ range: Range<Int64>, _ periods: [DuePeriod], _ coverage: [Coverage],
        _ outages: [OutageRow]
    ) throws -> [StationAccount.Gap] {
        guard coverage.contains(where: { !$0.ranges.isEmpty }) else { return [] }
        var evidence = GapEvidence()
        var refusals = StationRefusals()
        var known = outages
        if coverage.contains(where: { $0.ranges.contains { $0.kind == .absent } }) {
            let interval = periods.compactMap(\.intervalMilliseconds).max() ?? 0
            evidence.readingsPerMessage = try self.readingsPerMessage(station, range)
            // What a device sends in one message is exposed until the message is sent.
            let exposure = interval * Int64(evidence.readingsPerMessage)
            let around = (range.lowerBound - interval)..<(range.upperBound + exposure)
            known = try self.outages(in: around)
            refusals = try self.reader.refusals(of: station, in: around)
            evidence.holes = try self.reader.holes(of: station, in: range)
            evidence.outages = known.map {
                $0.beganMilliseconds..<max($0.beganMilliseconds, $0.endedMilliseconds ?? .max)
            }
        }
        var gaps: [StationAccount.Gap] = []
        var position: [StationAccount.Gap: Int] = [:]
        for item in coverage {
            evidence.refusals = refusals.messages + (refusals.values[item.parameter.id.text] ?? [])
            for found in item.ranges {
                for gap in Self.explained(found, evidence, known) {
                    // All that say the same of different parameters are one line.
                    if let index = position[gap] {
                        gaps[index].parameters.append(item.parameter.id)
                    } else {
                        position[gap] = gaps.count
                        gaps.append(gap)
                        gaps[gaps.count - 1].parameters = [item.parameter.id]
                    }
                }
            }
        }
        return gaps.enumerated().sorted {
            ($0.element.range.lowerBound, $0.offset) < ($1.element.range.lowerBound, $1.offset)
        }.map(\.element)
    }

    private static func explained(
        _ found: CoverageRange, _ evidence: GapEvidence, _ outages: [OutageRow]
    ) -> [StationAccount.Gap] {
        let pieces: [ExplainedGap]
        switch found.kind {
        case .absent: pieces = evidence.explain(found.range, missing: found.count)
        case .calibrating: pieces = [ExplainedGap(range: found.range, count: found.count, cause: .calibrating)]
        case .fault: pieces = [ExplainedGap(range: found.range, count: found.count, cause: .fault)]
        }
        return pieces.map { piece in
            StationAccount.Gap(
                range: piece.range, count: piece.count, cause: piece.cause, parameters: [],
                outage: piece.outage.map { outages[$0] }, refused: piece.refused, holes: piece.holes)
        }
    }

    /// How many readings of a series came with one message around a day: the median of those received together.
    private func readingsPerMessage(_ station: Station, _ range: Range<Int64>) throws -> Int {
        let registry = self.reader.registry
        let series = station.seriesIndices.map { registry.series[$0] }
            .max { self.reader.newestMilliseconds(of: $0) < self.reader.newestMilliseconds(of: $1) }
        guard let series else { return 1 }
        let readings = try self.reader.readings(
            of: series, from: range.lowerBound - Civil.millisecondsPerDay, to: range.upperBound,
            limit: StoreLimits.readingsSampled)
        var runs: [Int] = []
        var last: UInt32?
        for reading in readings {
            if reading.receivedSeconds == last { runs[runs.count - 1] += 1 } else { runs.append(1) }
            last = reading.receivedSeconds
        }
        return runs.isEmpty ? 1 : runs.sorted()[runs.count / 2]
    }
}
