import Monitoring
import Testing
import TimeSeriesStore

/// Compares what a reader serves with the naive store, bit for bit.
struct StoreCheck {
    let reader: StoreReader
    let naive: NaiveStore
    let note: String
    var view = ServedView.asReceived
    /// Readings and versions only.
    var asOf: Int64?

    /// Everything of every series, page by page.
    func everything(limit: Int) throws {
        for series in self.reader.registry.series { try self.range(series, 0..<TimeBounds.endMilliseconds, limit) }
    }

    /// Some ranges of some series with pages of every size.
    func samples(_ random: inout TestRandom, count: Int) throws {
        let known = self.reader.registry.series.filter { !(self.naive.versions[$0.number] ?? [:]).isEmpty }
        for _ in 0..<count {
            guard let series = known.randomElement(using: &random) else { return }
            let times = self.naive.everServed(series.number).map(\.timeMilliseconds)
            let first = random.int(0...(times.count - 1))
            let limit = [1, 7, 1_000].randomElement(using: &random) ?? 1
            let last = min(times.count - 1, first + random.int(0...(limit == 1 ? 12 : 60)))
            // Now and then a millisecond beside a reading.
            let from = times[first] + random.int64(-1...1)
            try self.range(series, from..<max(from, times[last] + random.int64(0...2)), limit)
        }
    }

    func range(_ series: Series, _ range: Range<Int64>, _ limit: Int) throws {
        let label =
            "\(self.reader.registry.station(of: series).id) \(series.parameter) \(range) by \(limit); \(self.note)"
        let expected = self.naive.served(series.number).filter { range.contains($0.timeMilliseconds) }
        let readings = try self.readings(series, range, limit)
        if !same(readings, expected) { Issue.record("readings of \(label): \(difference(readings, expected))") }
        let versions = try self.versions(series, range, limit)
        let expectedVersions = self.expectedVersions(series, range)
        if versions != expectedVersions {
            Issue.record("versions of \(label): \(difference(versions, expectedVersions))")
        }
        guard self.asOf == nil else { return }
        if range.lowerBound == 0, self.view == .asReceived {
            let latest = try self.reader.latest(of: series)
            #expect(same([latest].compactMap { $0 }, expected.suffix(1)), "latest of \(label)")
        }
        let station = self.reader.registry.station(of: series).number
        for level in [Level.minute, .hour, .day] {
            let rows = self.naive.rows(series, station: station, level)
            let expectedRows = rows.filter { range.contains($0.range.lowerBound) }.map(\.bits)
            let found = try self.rollups(series, level, range, limit).map(\.bits)
            if found != expectedRows {
                Issue.record("\(level.rawValue) of \(label): \(difference(found, expectedRows))")
            }
        }
    }

    private func readings(_ series: Series, _ range: Range<Int64>, _ limit: Int) throws -> [Reading] {
        var all: [Reading] = []
        var from = range.lowerBound
        if let asOf = self.asOf {
            while true {
                let page = try self.reader.readingPage(
                    of: series, from: from, to: range.upperBound, limit: limit, view: self.view, asOfMilliseconds: asOf)
                all += page.rows
                guard let next = page.next else { return all }
                from = next
            }
        }
        while true {
            let page = try self.reader.readings(
                of: series, from: from, to: range.upperBound, limit: limit, view: self.view)
            guard let last = page.last else { return all }
            all += page
            from = last.timeMilliseconds + 1
        }
    }

    private func versions(_ series: Series, _ range: Range<Int64>, _ limit: Int) throws -> [String] {
        var all: [String] = []
        var from = range.lowerBound
        while true {
            let page = try self.reader.versionPage(
                of: series, from: from, to: range.upperBound, limit: limit, view: self.view,
                asOfMilliseconds: self.asOf)
            all += page.rows.map {
                versionText(
                    $0.reading.timeMilliseconds, $0.version, $0.reading.value.bitPattern, $0.reading.status,
                    $0.reading.receivedSeconds)
            }
            guard let next = page.next else { return all }
            from = next
        }
    }

    private func expectedVersions(_ series: Series, _ range: Range<Int64>) -> [String] {
        let before = self.naive.rawBefore[series.number] ?? 0
        return (self.naive.versions[series.number] ?? [:]).filter { range.contains($0.key) && $0.key >= before }.sorted
        { $0.key < $1.key }
        .flatMap { time, versions in
            versions.enumerated().map {
                versionText(time, $0.offset + 1, $0.element.bits, $0.element.status, $0.element.receivedSeconds)
            }
        }
    }

    private func rollups(
        _ series: Series, _ level: Level, _ range: Range<Int64>, _ limit: Int
    ) throws -> [RollupRow] {
        var all: [RollupRow] = []
        var from = range.lowerBound
        while true {
            let page = try self.reader.rollups(
                of: series, level: level, from: from, to: range.upperBound, limit: limit, view: self.view)
            #expect(page.count <= limit, "a page of \(page.count) rows; \(self.note)")
            guard let last = page.last else { return all }
            all += page
            from = last.bucket.endMilliseconds
        }
    }

    // MARK: Ledgers

    /// Every ledger balances, and agrees with the naive one; when all is merged, in the fates as well.
    func ledgers(isMerged: Bool) throws {
        var found: [NaiveStore.StationDay: NaiveStore.Counts] = [:]
        var undecided = 0
        for (key, counts) in try self.reader.ledger() {
            #expect(counts.messagesBalance, "messages of \(key) do not balance: \(counts); \(self.note)")
            #expect(counts.undecided >= 0, "more fates than readings in \(key): \(counts); \(self.note)")
            undecided += counts.undecided
            var naive = NaiveStore.Counts()
            naive.received = counts.received
            naive.decoded = counts.decoded
            naive.deadLettered = counts.deadLettered
            naive.repeated = counts.repeated
            naive.qos0 = counts.qos0
            naive.readings = counts.readings
            naive.quarantined = counts.quarantined
            if isMerged {
                naive.stored = counts.stored
                naive.duplicate = counts.duplicate
                naive.revised = counts.revised
            }
            found[NaiveStore.StationDay(station: key.station, day: key.day)] = naive
        }
        let expected = self.naive.ledger.mapValues { counts in
            var counts = counts
            if !isMerged {
                counts.stored = 0
                counts.duplicate = 0
                counts.revised = 0
            }
            return counts
        }
        #expect(found == expected, "the ledger differs; \(self.note)")
        let unmerged = try self.reader.status().journalReadings
        #expect(undecided == unmerged, "\(undecided) undecided, \(unmerged) unmerged; \(self.note)")
        self.accounts()
    }

    private func accounts() {
        for (boot, numbers) in self.naive.numbers {
            guard let index = self.reader.registry.stationIndex(number: boot.station) else { continue }
            let accounts = self.reader.accounts(of: self.reader.registry.stations[index])
            guard let account = accounts.first(where: { $0.boot == Array(boot.boot.utf8) }) else {
                Issue.record("no account of \(boot); \(self.note)")
                continue
            }
            #expect(account.balances, "\(account); \(self.note)")
            #expect(account.distinctCount == Int64(numbers.count), "distinct of \(boot); \(self.note)")
            #expect(account.repeatedCount == self.naive.repeats[boot, default: 0], "repeated of \(boot); \(self.note)")
            #expect(account.first == numbers.min() && account.through == numbers.max(), "\(boot); \(self.note)")
            var missing: [ClosedRange<Int64>] = []
            let sorted = numbers.sorted()
            for (low, high) in zip(sorted, sorted.dropFirst()) where high > low + 1 {
                missing.append((low + 1)...(high - 1))
            }
            #expect(account.gaps == missing, "gaps of \(boot); \(self.note)")
        }
    }
}

private func versionText(_ time: Int64, _ version: Int, _ bits: UInt64, _ status: Status, _ received: UInt32) -> String
{
    "\(time) v\(version) \(Double(bitPattern: bits)) \(status) received \(received)"
}

private func same(_ left: [Reading], _ right: [Reading]) -> Bool {
    left.count == right.count
        && zip(left, right).allSatisfy {
            $0.timeMilliseconds == $1.timeMilliseconds && $0.isSameVersion(as: $1)
                && $0.receivedSeconds == $1.receivedSeconds
        }
}

/// The first place where two lists part.
private func difference<Element: Equatable>(_ found: [Element], _ expected: [Element]) -> String {
    let index =
        zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        ?? min(found.count, expected.count)
    let one = index < found.count ? "\(found[index])" : "nothing"
    let other = index < expected.count ? "\(expected[index])" : "nothing"
    return "\(found.count) for \(expected.count), at \(index) found \(one), expected \(other)"
}
