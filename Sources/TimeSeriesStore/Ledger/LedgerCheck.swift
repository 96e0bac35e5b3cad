import GRDB
import Monitoring

/// What a check of one station's ledgers found (invariant I5).
package struct LedgerCheckResult: Sendable, Hashable {
    /// 0 for messages of stations nobody knows.
    package let station: Int32
    /// Numbered messages of the station that are missing.
    package let missingCount: Int64
    /// Nil when everything adds up.
    package let imbalance: LedgerImbalance?
}

/// Where a ledger does not add up.
package struct LedgerImbalance: Sendable, Hashable {
    /// Local day of receipt, as days since 1970-01-01.
    package let day: Int64
    /// The figures, as a person would write them.
    package let figures: String
}

/// Stations whose ledgers changed since they were checked, with the earliest day that did.
struct LedgerChecks {
    private(set) var pending: [Int32: Int64] = [:]
    /// The station checked last: the next check goes on behind it.
    private var cursor: Int32 = -1

    mutating func touch(_ station: Int32, day: Int64) {
        self.pending[station] = min(self.pending[station] ?? day, day)
    }

    /// The next stations in the order of their numbers, round and round.
    mutating func next(_ limit: Int) -> [(station: Int32, day: Int64)] {
        let sorted = self.pending.sorted { $0.key < $1.key }
        let start = sorted.firstIndex { $0.key > self.cursor } ?? 0
        let chosen = (sorted[start...] + sorted[..<start]).prefix(limit)
        for item in chosen { self.pending[item.key] = nil }
        if let last = chosen.last { self.cursor = last.key }
        return chosen.map { ($0.key, $0.value) }
    }
}

extension StoreWriter {
    /// Everything is to be checked: at the start, when nobody knows what changed.
    package func touchAllLedgers() {
        for station in self.registry.stations { self.ledgerChecks.touch(station.number, day: .min) }
        self.ledgerChecks.touch(0, day: .min)
    }

    /// Checks stations whose ledgers changed since their last check, and those that did not add up then.
    ///
    /// On the writer's thread, between two transactions: only there do the table, the counts not folded yet and the
    /// unmerged readings belong to one moment.
    ///
    /// - Parameter limit: How many stations at most; the rest is checked by the next calls.
    package func checkLedgers(limit: Int) throws -> [LedgerCheckResult] {
        let unfolded = self.head.withState { $0.ledger }
        for key in unfolded.keys { self.ledgerChecks.touch(key.station, day: key.day) }
        let chosen = self.ledgerChecks.next(limit)
        guard !chosen.isEmpty else { return [] }
        let rows = try self.pool.read { database in
            try chosen.map { try LedgerRows.load(database, station: $0.station, fromDay: $0.day) }
        }
        return zip(chosen, rows).map { item, stored in
            var days = stored
            for (key, counts) in unfolded where key.station == item.station && key.day >= item.day {
                days[key.day, default: .init()] += counts
            }
            let result = self.check(station: item.station, days: days, fromDay: item.day)
            if let imbalance = result.imbalance {
                self.ledgerChecks.touch(item.station, day: min(item.day, imbalance.day))
            }
            return result
        }
    }

    /// - Parameter fromDay: `days` has every row from this day on.
    private func check(station: Int32, days: [Int64: LedgerCounts], fromDay: Int64) -> LedgerCheckResult {
        let number = Int(station)
        func imbalance(isExact: Bool) -> (LedgerImbalance?, missing: Int64) {
            let (unmerged, accounts) = self.head.withState { state in
                state.stations.indices.contains(number) && station > 0
                    ? (state.unmergedByDay(station: number, isExact: isExact), state.stations[number].accounts)
                    : ([:], [])
            }
            let found = LedgerBalance.firstImbalance(
                days: days, unmerged: unmerged.filter { $0.key >= fromDay }, accounts: accounts)
            return (found, accounts.reduce(0) { $0 + $1.missingCount })
        }
        var (found, missing) = imbalance(isExact: false)
        if found != nil { (found, missing) = imbalance(isExact: true) }
        return LedgerCheckResult(station: station, missingCount: missing, imbalance: found)
    }
}

extension HeadState {
    /// Unmerged readings of a station by their local day of receipt.
    ///
    /// - Parameter isExact: Look at every reading; else, when the first and the last came on one day, take it that
    ///   those between did, too, which is wrong only when our clock was set back across midnight.
    func unmergedByDay(station: Int, isExact: Bool) -> [Int64: Int] {
        let part = self.stations[station]
        guard part.log.readingCount > 0 else { return [:] }
        let first = part.zone.localDay(at: part.oldestReceivedMilliseconds)
        if !isExact, first == part.zone.localDay(at: part.lastReceivedMilliseconds) {
            return [first: part.log.readingCount]
        }
        var counts: [Int64: Int] = [:]
        part.log.forEach { _, _ in
        } reading: { _, reading in
            counts[part.zone.localDay(at: Int64(reading.receivedSeconds) * 1_000), default: 0] += 1
        }
        return counts
    }
}

/// Whether ledgers add up.
package enum LedgerBalance {
    /// The first day, or the first account, that does not.
    ///
    /// - Parameters:
    ///   - days: The ledger of one station, by local day of receipt.
    ///   - unmerged: Readings in the journal that are not merged, by the same days.
    package static func firstImbalance(
        days: [Int64: LedgerCounts], unmerged: [Int64: Int], accounts: [SequenceAccount]
    ) -> LedgerImbalance? {
        for day in Set(days.keys).union(unmerged.keys).sorted() {
            let counts = days[day] ?? LedgerCounts()
            if let figures = self.imbalance(counts, unmerged: unmerged[day] ?? 0) {
                return LedgerImbalance(day: day, figures: figures)
            }
        }
        for account in accounts where !account.balances {
            return LedgerImbalance(
                day: days.keys.max() ?? 0,
                figures: "numbered messages of boot '\(String(decoding: account.boot, as: UTF8.self))': "
                    + "\(account.expectedCount) expected, but \(account.distinctCount) distinct + "
                    + "\(account.missingCount) missing")
        }
        return nil
    }

    /// What is wrong with a day's counts; nil when they add up.
    package static func imbalance(_ counts: LedgerCounts, unmerged: Int) -> String? {
        if !counts.messagesBalance {
            return "\(counts.received) messages received, but \(counts.decoded) decoded + \(counts.deadLettered) "
                + "dead letters + \(counts.repeated) repeated"
        }
        if counts.undecided != unmerged {
            return "\(counts.readings) readings, but \(counts.stored) stored + \(counts.duplicate) duplicate + "
                + "\(counts.revised) revised + \(unmerged) not merged yet"
        }
        return nil
    }
}
