import Foundation
import GRDB
import Monitoring

/// What `verify` found wrong, and how much it looked at.
package struct VerifyReport: Sendable {
    package var seriesChecked = 0
    package var readingsChecked = 0
    package var rollupsChecked = 0
    package var ledgerRowsChecked = 0
    /// One line each, naming station, parameter and range.
    package var problems: [String] = []

    package init() {}
}

/// Checks a store beside the running service: a read transaction per series, so that nothing waits for it.
package struct StoreVerifier: Sendable {
    private let reader: StoreReader
    /// Only what is at or after this device time; nil for all.
    private let sinceMilliseconds: Int64?

    package init(_ reader: StoreReader, sinceMilliseconds: Int64? = nil) {
        self.reader = reader
        self.sinceMilliseconds = sinceMilliseconds
    }

    /// Checks series, ledgers and accounts.
    ///
    /// - Parameters:
    ///   - every: checks every n-th series only, for a sample.
    ///   - progress: told how many series of how many are done.
    package func run(every: Int = 1, progress: (Int, Int) -> Void = { _, _ in }) throws -> VerifyReport {
        var report = VerifyReport()
        let registry = self.reader.registry
        let chosen = stride(from: 0, to: registry.series.count, by: max(1, every))
        for (done, index) in chosen.enumerated() {
            let series = registry.series[index]
            do { try self.check(series, registry, into: &report) } catch {
                report.problems.append("\(Self.name(series, registry)): \(error)")
            }
            progress(done + 1, chosen.underestimatedCount)
        }
        try self.checkLedger(registry, into: &report)
        try self.checkAccounts(registry, into: &report)
        report.problems += try self.reader.correctionProblems()
        return report
    }

    private static func name(_ series: Series, _ registry: Registry) -> String {
        "\(registry.station(of: series).id) \(series.parameter)"
    }

    /// Raw ascending and readable, its count as the open end says, and every stored rollup equal to one folded from
    /// raw.
    private func check(_ series: Series, _ registry: Registry, into report: inout VerifyReport) throws {
        let zone = registry.zone(of: series)
        let name = Self.name(series, registry)
        let since = self.sinceMilliseconds ?? TimeBounds.earliestMilliseconds
        let sinceDay = zone.dayBucket(containing: since).startMilliseconds
        let isWhole = self.sinceMilliseconds == nil
        let found = try self.reader.pool.read { database in
            var found = VerifyReport()
            let rows = SeriesRows()
            // Rollups of what is sealed stand for raw readings that are gone.
            let rawStart = try SealRows.rawBefore(database, station: registry.station(of: series).number)
            let start = max(sinceDay, rawStart)
            let tail = try rows.tail(database, series: series.number)
            let scanner = RawScanner(database, rows: rows, series: series.number, tail: tail.raw)
            var hours: [RollupEntry] = []
            var bucket = Bucket(startMilliseconds: 0, endMilliseconds: 0)
            var last = Int64.min
            try scanner.scan(from: start, to: TimeBounds.endMilliseconds) { columns, range in
                for index in range {
                    let time = columns.times[index]
                    if time <= last {
                        found.problems.append(
                            "\(name): \(Civil.formatRFC3339(milliseconds: time)) comes after a later reading")
                    }
                    last = time
                    if !bucket.contains(time) {
                        bucket = Level.hour.bucket(containing: time, zone: zone)
                        hours.append(RollupEntry(startMilliseconds: bucket.startMilliseconds, rollup: Rollup()))
                    }
                    hours[hours.count - 1].rollup.add(columns, index..<(index + 1), method: series.method)
                }
                found.readingsChecked += range.count
                return true
            }
            if isWhole {
                // Some of them may still be waiting to be deleted.
                try scanner.scan(from: TimeBounds.earliestMilliseconds, to: rawStart) { _, range in
                    found.readingsChecked += range.count
                    return true
                }
            }
            if isWhole, Int64(found.readingsChecked) != tail.readings {
                found.problems.append("\(name): \(tail.readings) readings counted, \(found.readingsChecked) found")
            }
            let days = Self.days(of: hours, zone: zone, method: series.method)
            for (level, expected, open) in [(ChunkLevel.hour, hours, tail.hours), (.day, days, tail.days)] {
                var stored: [RollupEntry] = []
                try rows.scanRollups(
                    database, series: series.number, level: level, tail: open, from: start,
                    to: TimeBounds.endMilliseconds
                ) {
                    stored.append($0)
                    return true
                }
                found.rollupsChecked += stored.count
                if let wrong = Self.firstDifference(stored, expected) {
                    found.problems.append(
                        "\(name): the stored \(level == .hour ? "hour" : "day") of "
                            + "\(Civil.formatRFC3339(milliseconds: wrong)) is not what its readings give")
                }
            }
            return found
        }
        report.seriesChecked += 1
        report.readingsChecked += found.readingsChecked
        report.rollupsChecked += found.rollupsChecked
        report.problems += found.problems
    }

    private static func days(of hours: [RollupEntry], zone: Zone, method: Rollup.Method) -> [RollupEntry] {
        var days: [RollupEntry] = []
        var bucket = Bucket(startMilliseconds: 0, endMilliseconds: 0)
        for hour in hours {
            if !bucket.contains(hour.startMilliseconds) {
                bucket = zone.dayBucket(containing: hour.startMilliseconds)
                days.append(RollupEntry(startMilliseconds: bucket.startMilliseconds, rollup: Rollup()))
            }
            days[days.count - 1].rollup.add(hour.rollup, method: method)
        }
        return days
    }

    private static func firstDifference(_ stored: [RollupEntry], _ expected: [RollupEntry]) -> Int64? {
        for (left, right) in zip(stored, expected) where left != right {
            return min(left.startMilliseconds, right.startMilliseconds)
        }
        guard stored.count != expected.count else { return nil }
        let rest = stored.count > expected.count ? stored[expected.count] : expected[stored.count]
        return rest.startMilliseconds
    }

    /// Every message and every reading has one fate; what is undecided is what the journal still holds (invariant I5).
    private func checkLedger(_ registry: Registry, into report: inout VerifyReport) throws {
        let ledger = try self.reader.consistentLedger()
        report.ledgerRowsChecked = ledger.counts.count
        var undecided = 0
        for (key, counts) in ledger.counts {
            let station = registry.stationIndex(number: key.station).map { registry.stations[$0].id.text } ?? "unknown"
            let name = "ledger of \(station) on \(Civil.formatDate(days: key.day))"
            if !counts.messagesBalance {
                report.problems.append(
                    "\(name): \(counts.received) messages received, but \(counts.decoded) decoded + "
                        + "\(counts.deadLettered) dead letters + \(counts.repeated) repeated")
            }
            if counts.undecided < 0 {
                report.problems.append(
                    "\(name): \(counts.readings) readings, but \(counts.stored) stored + \(counts.duplicate) "
                        + "duplicate + "
                        + "\(counts.revised) revised")
            }
            undecided += counts.undecided
        }
        if undecided != ledger.unmergedReadings {
            report.problems.append(
                "ledger: \(undecided) readings undecided, but the journal holds \(ledger.unmergedReadings) unmerged "
                    + "ones"
            )
        }
    }

    private func checkAccounts(_ registry: Registry, into report: inout VerifyReport) throws {
        for station in registry.stations {
            for account in self.reader.accounts(of: station) where !account.balances {
                report.problems.append(
                    "account of \(station.id), boot '\(String(decoding: account.boot, as: UTF8.self))': "
                        + "\(account.expectedCount) expected, but \(account.distinctCount) distinct + "
                        + "\(account.missingCount) missing")
            }
        }
    }
}

extension StoreReader {
    /// The ledger and the unmerged readings of one moment: a replay of the journal inside one transaction.
    func consistentLedger() throws -> (counts: [LedgerKey: LedgerCounts], unmergedReadings: Int) {
        let zone = self.defaultZone
        return try self.pool.read { database in
            let loaded = try RegistryRows.load(database, defaultZone: zone)
            let head = try Replay.run(database, loaded).head
            var counts = try LedgerRows.load(database)
            for (key, more) in head.ledger { counts[key, default: .init()] += more }
            return (counts, head.readings)
        }
    }
}
