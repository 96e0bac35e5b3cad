import GRDB
package import Monitoring

/// How much of a station was refused on a day of receipt and is still set aside, by reason.
package struct RefusedCounts: Sendable, Hashable {
    package var messages: [String: Int] = [:]
    package var values: [String: Int] = [:]

    package init() {}
}

/// What was refused of a station around some device times.
struct StationRefusals {
    var messages: [Refusal] = []
    /// By parameter, as the device wrote it.
    var values: [String: [Refusal]] = [:]
}

extension StoreReader {
    /// When the newest frame was received, as far as this reader knows; 0 in a new store.
    package func newestReceivedMilliseconds() throws -> Int64 {
        let noted = try self.pool.read { try Meta.integer($0, .newestReceived) ?? 0 }
        return max(noted, self.lastReceivedMilliseconds)
    }

    /// The device time of a station's first reading; nil when it has none.
    package func firstMilliseconds(of station: Station) throws -> Int64? {
        var first: Int64?
        for index in station.seriesIndices {
            let series = self.registry.series[index]
            guard
                let day = try self.rollups(
                    of: series, level: .day, from: 0, to: first ?? TimeBounds.endMilliseconds, limit: 1
                ).first?.bucket
            else { continue }
            let reading = try self.values(of: series, from: day.startMilliseconds, to: day.endMilliseconds, limit: 1)
            // Raw may have been deleted since; the day stays.
            let time = reading.first?.timeMilliseconds ?? day.startMilliseconds
            first = min(first ?? time, time)
        }
        return first
    }

    /// What was received of a station in a time and is still set aside.
    package func refusedCounts(of station: Station, received: Range<Int64>) throws -> RefusedCounts {
        try self.pool.read { database in
            func counts(_ table: String) throws -> [String: Int] {
                let rows = try Row.fetchAll(
                    database,
                    sql: """
                        SELECT reason, count(*) FROM \(table) WHERE station = ? AND received >= ? AND received < ?
                        GROUP BY reason
                        """,
                    arguments: [station.id.text, received.lowerBound, received.upperBound])
                return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
            }
            var refused = RefusedCounts()
            refused.messages = try counts("dead_letter")
            refused.values = try counts("quarantine")
            return refused
        }
    }

    /// What of a station was refused in a time: messages by their receipt, values by the time they claim, or by their
    /// receipt when just that time was not believed.
    func refusals(of station: Station, in range: Range<Int64>) throws -> StationRefusals {
        try self.pool.read { database in
            var refusals = StationRefusals()
            refusals.messages = try Self.refusedMessages(database, station, in: range)
            for (column, condition) in [("time", "NOT IN"), ("received", "IN")] {
                let rows = try Row.fetchCursor(
                    database,
                    sql: """
                        SELECT parameter, \(column), reason FROM quarantine
                        WHERE station = ? AND \(column) >= ? AND \(column) < ?
                        AND reason \(condition) ('too-old', 'too-new') ORDER BY \(column) LIMIT ?
                        """,
                    arguments: [
                        station.id.text, range.lowerBound, range.upperBound, StoreLimits.refusalsPerDayMax,
                    ])
                while let row = try rows.next() {
                    let time: Int64 = row[1]
                    refusals.values[row[0], default: []].append(
                        Refusal(times: time...time, reason: row[2], isMessage: false))
                }
            }
            return refusals
        }
    }

    /// Only so many messages of a topic and day are kept, and the last one: between those two there were more.
    private static func refusedMessages(
        _ database: Database, _ station: Station, in range: Range<Int64>
    ) throws -> [Refusal] {
        var messages: [Refusal] = []
        var kept: [String: Int] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT received, reason, topic FROM dead_letter WHERE station = ? AND received >= ? AND received < ?
                ORDER BY received LIMIT ?
                """,
            arguments: [station.id.text, range.lowerBound, range.upperBound, StoreLimits.refusalsPerDayMax])
        while let row = try rows.next() {
            let time: Int64 = row[0]
            let group = "\(time / Civil.millisecondsPerDay) \(row[2] as String)"
            kept[group, default: 0] += 1
            let since =
                kept[group] == StoreLimits.deadLettersPerTopicAndDayMax
                ? messages.last?.times.upperBound ?? time : time
            messages.append(Refusal(times: min(since, time)...time, reason: row[1], isMessage: true))
        }
        return messages
    }

    /// Numbers missing of a station whose messages lie in a device time, as far as that is known.
    package func holes(of station: Station, in range: Range<Int64>) throws -> [SequenceHole] {
        let accounts = self.accounts(of: station)
        let open = accounts.flatMap(\.holes).filter {
            guard let times = $0.times else { return false }
            return times.lowerBound < range.upperBound && times.upperBound > range.lowerBound
        }
        let number = station.number
        let givenUp = try self.pool.read { try AccountRows.givenUp($0, station: number, in: range) }
        return givenUp.filter { hole in
            accounts.first { $0.boot == hole.boot }?.isStillLost(hole) ?? true
        } + open
    }
}
