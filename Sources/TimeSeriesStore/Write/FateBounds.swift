import Foundation
import GRDB
import Monitoring

/// How much of what could not be stored is kept (invariant I12): beyond a bound the last is kept, the rest is only
/// counted, and an incident says so.
///
/// A flood must stay cheap, so that rows are not counted for each one: counts are read once per topic or station and
/// day, and then kept here; the total is a value of the store. What a transaction did not bring to its end is forgotten
/// and read again.
package final class FateBounds {
    package struct Limits: Sendable {
        package var deadLettersPerTopicAndDay = StoreLimits.deadLettersPerTopicAndDayMax
        /// Of all dead letters; the one that goes beyond is still kept.
        package var deadLetterBytes = StoreLimits.deadLetterBytesMax
        package var quarantineRowsPerStationAndDay = StoreLimits.quarantineRowsPerStationAndDayMax

        package init() {}
    }

    private struct Kept {
        var count: Int
        /// Whether the incident was written.
        var isNoted = false
    }

    static let letterRule = "quantrac.dead-letters"
    static let quarantineRule = "quantrac.quarantine"
    /// The subject of the incident about the total.
    static let allTopics = "topics"

    private let limits: Limits
    private var day = Int64.min
    private var topics: [String: Kept] = [:]
    private var stations: [String: Kept] = [:]
    private var bytes: Int64?
    /// Whether the incident about the total is open; nil when nobody has looked.
    private var totalIsNoted: Bool?
    /// Others delete dead letters, too: a total that says "full" is summed up again, now and then.
    private var nextSum = Int64.min
    private var isUnconfirmed = false

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    /// Writes what a transaction has of dead letters and quarantined values.
    func write(
        _ database: Database, _ letters: [DeadLetter], _ values: [QuarantinedValue], reserveIncident: () -> Int64
    ) throws {
        guard !letters.isEmpty || !values.isEmpty else { return }
        self.begin()
        for letter in letters { try self.write(database, letter, reserveIncident: reserveIncident) }
        for value in values { try self.write(database, value, reserveIncident: reserveIncident) }
        if !letters.isEmpty, let bytes = self.bytes { try Meta.set(database, .deadLetterBytes, bytes) }
    }

    /// The transaction is durable: what is remembered of it holds.
    func confirm() { self.isUnconfirmed = false }

    private func begin() {
        if self.isUnconfirmed {
            self.day = .min
            self.topics = [:]
            self.stations = [:]
            self.bytes = nil
            self.totalIsNoted = nil
        }
        self.isUnconfirmed = true
    }

    /// Whether a day has begun since the last look; then yesterday's incidents end.
    func dayHasChanged(_ nowMilliseconds: Int64) -> Bool { Self.dayStart(nowMilliseconds) != self.day }

    /// Looks whether a day has begun, in a transaction of its own.
    func look(_ database: Database, _ nowMilliseconds: Int64) throws {
        self.begin()
        try self.startDay(database, nowMilliseconds)
    }

    /// Starts a day with nothing counted yet, and ends the incidents of the days before.
    private func startDay(_ database: Database, _ nowMilliseconds: Int64) throws {
        self.day = Self.dayStart(nowMilliseconds)
        self.topics = [:]
        self.stations = [:]
        try database.cachedStatement(
            sql: """
                UPDATE incident SET cleared = ? WHERE rule IN (?, ?) AND subject != ? AND cleared IS NULL AND opened < ?
                """
        ).execute(arguments: [nowMilliseconds, Self.letterRule, Self.quarantineRule, Self.allTopics, self.day])
    }

    private static func dayStart(_ milliseconds: Int64) -> Int64 {
        milliseconds - milliseconds % Civil.millisecondsPerDay
    }

    // MARK: Dead letters

    private func write(_ database: Database, _ letter: DeadLetter, reserveIncident: () -> Int64) throws {
        let now = letter.receivedMilliseconds
        if self.dayHasChanged(now) { try self.startDay(database, now) }
        var kept = try self.kept(database, topic: letter.topic)
        let total = try self.total(database, now)
        let isFull = total >= self.limits.deadLetterBytes
        try self.noteTotal(database, isFull: isFull, now, reserveIncident: reserveIncident)
        if kept.count >= self.limits.deadLettersPerTopicAndDay {
            if !kept.isNoted {
                kept.isNoted = true
                try self.open(
                    database, id: reserveIncident(), Self.letterRule, subject: "topic:\(letter.topic)",
                    name: letter.topic, station: nil, bound: self.limits.deadLettersPerTopicAndDay, now,
                    "More than \(self.limits.deadLettersPerTopicAndDay) dead letters of \(letter.topic) in a day: "
                        + "the rest is counted, and only the last is kept")
            }
            try self.remove(
                database,
                "SELECT id FROM dead_letter WHERE topic = ? AND received >= ? ORDER BY received DESC, id DESC",
                [letter.topic, self.day])
            kept.count -= 1
        } else if isFull, let topic = try self.remove(database, "SELECT id FROM dead_letter ORDER BY id DESC", []) {
            if topic == letter.topic { kept.count -= 1 } else { self.topics[topic]?.count -= 1 }
        }
        kept.count += 1
        self.topics[letter.topic] = kept
        self.bytes = (self.bytes ?? 0) + Int64(letter.payload.count + StoreLimits.deadLetterRowBytes)
        try database.cachedStatement(
            sql: """
                INSERT INTO dead_letter (received, topic, station, reason, detail, bytes, payload, sha256)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            now, letter.topic, letter.station, letter.reason.rawValue, letter.detail, letter.byteCount,
            Data(letter.payload), letter.sha256,
        ])
    }

    private func kept(_ database: Database, topic: String) throws -> Kept {
        if let kept = self.topics[topic] { return kept }
        // Topics are whatever somebody publishes; what is forgotten here is counted again.
        if self.topics.count >= StoreLimits.topicsRememberedMax { self.topics = [:] }
        let count = try Int.fetchOne(
            database.cachedStatement(sql: "SELECT count(*) FROM dead_letter WHERE topic = ? AND received >= ?"),
            arguments: [topic, self.day])
        return Kept(count: count ?? 0)
    }

    /// Deletes the first letter a query finds; its topic, when it is one of today's.
    @discardableResult
    private func remove(_ database: Database, _ query: String, _ arguments: StatementArguments) throws -> String? {
        let delete = try database.cachedStatement(
            sql: "DELETE FROM dead_letter WHERE id = (\(query) LIMIT 1) RETURNING topic, received, length(payload)")
        guard let row = try Row.fetchOne(delete, arguments: arguments) else { return nil }
        self.bytes = (self.bytes ?? 0) - (row[2] as Int64) - Int64(StoreLimits.deadLetterRowBytes)
        return row[1] as Int64 >= self.day ? row[0] : nil
    }

    /// Bytes of all dead letters.
    private func total(_ database: Database, _ now: Int64) throws -> Int64 {
        if self.bytes == nil { self.bytes = try Meta.integer(database, .deadLetterBytes) }
        if let bytes = self.bytes {
            let isTime = now >= self.nextSum || now < self.nextSum - StoreLimits.deadLetterSumMilliseconds
            guard bytes >= self.limits.deadLetterBytes, isTime else { return bytes }
        }
        self.nextSum = now + StoreLimits.deadLetterSumMilliseconds
        let sum = try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT coalesce(sum(length(payload) + ?), 0) FROM dead_letter"),
            arguments: [StoreLimits.deadLetterRowBytes])
        self.bytes = sum
        return sum ?? 0
    }

    private func noteTotal(
        _ database: Database, isFull: Bool, _ now: Int64, reserveIncident: () -> Int64
    ) throws {
        guard self.totalIsNoted != isFull else { return }
        self.totalIsNoted = isFull
        guard isFull else {
            return try EffectRows.write(
                database, .cleared(rule: Self.letterRule, subject: Self.allTopics, atMilliseconds: now))
        }
        try self.open(
            database, id: reserveIncident(), Self.letterRule, subject: Self.allTopics, name: "all", station: nil,
            bound: Int(self.limits.deadLetterBytes), now,
            "More than \(self.limits.deadLetterBytes >> 20) MiB of dead letters: the rest is counted, and only the "
                + "last is kept")
    }

    // MARK: Quarantine

    private func write(_ database: Database, _ value: QuarantinedValue, reserveIncident: () -> Int64) throws {
        let now = value.receivedMilliseconds
        if self.dayHasChanged(now) { try self.startDay(database, now) }
        var kept = try self.kept(database, station: value.station)
        defer { self.stations[value.station] = kept }
        guard kept.count < self.limits.quarantineRowsPerStationAndDay else {
            // Beyond the bound the value is only counted, in the ledger.
            guard !kept.isNoted else { return }
            kept.isNoted = true
            let number = try Int32.fetchOne(
                database, sql: "SELECT number FROM station WHERE id = ?", arguments: [value.station])
            return try self.open(
                database, id: reserveIncident(), Self.quarantineRule, subject: "station:\(number ?? 0)",
                name: value.station, station: number, bound: self.limits.quarantineRowsPerStationAndDay, now,
                "More than \(self.limits.quarantineRowsPerStationAndDay) values of station \(value.station) were set "
                    + "aside in a day: the rest is only counted")
        }
        kept.count += 1
        try database.cachedStatement(
            sql: """
                INSERT INTO quarantine (received, station, parameter, time, value, text, status, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            now, value.station, value.parameter, value.timeMilliseconds, value.value, value.text, value.status,
            value.reason.label,
        ])
    }

    private func kept(_ database: Database, station: String) throws -> Kept {
        if let kept = self.stations[station] { return kept }
        let count = try Int.fetchOne(
            database.cachedStatement(sql: "SELECT count(*) FROM quarantine WHERE station = ? AND received >= ?"),
            arguments: [station, self.day])
        return Kept(count: count ?? 0)
    }

    private func open(
        _ database: Database, id: Int64, _ rule: String, subject: String, name: String, station: Int32?, bound: Int,
        _ now: Int64, _ detail: String
    ) throws {
        try EffectRows.write(
            database,
            .open(
                id: id, name: "\(rule)/\(name)/\(now)", rule: rule, subject: subject, series: nil, station: station,
                severity: "warning", openedMilliseconds: now, sinceMilliseconds: now, value: nil, bound: Double(bound),
                foundLate: false, detail: detail))
    }
}

extension StoreWriter {
    /// Ends what said that a bound of an earlier day was reached; costs nothing on all other occasions.
    package func endDailyBounds(nowMilliseconds: Int64) throws {
        guard self.fateBounds.dayHasChanged(nowMilliseconds) else { return }
        try self.transaction(.ordered) { try self.fateBounds.look($0, nowMilliseconds) }
        self.fateBounds.confirm()
    }
}
