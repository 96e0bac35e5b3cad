import Foundation
import Monitoring
import TimeSeriesStore

/// The store as a person would write it in an afternoon: dictionaries, and everything computed anew on every question.
///
/// It shares with the real one only the vocabulary (`Status`, `SeriesKind`), no arithmetic and no bucket.
struct NaiveStore {
    struct Version: Equatable {
        var bits: UInt64
        var status: Status
        var receivedSeconds: UInt32
    }

    struct StationDay: Hashable {
        var station: Int32
        var day: Int64
    }

    struct Counts: Equatable {
        var received = 0
        var decoded = 0
        var deadLettered = 0
        var repeated = 0
        var qos0 = 0
        var readings = 0
        var quarantined = 0
        var stored = 0
        var duplicate = 0
        var revised = 0
    }

    struct Boot: Hashable {
        var station: Int32
        var boot: String
    }

    private(set) var versions: [Int32: [Int64: [Version]]] = [:]
    private(set) var ledger: [StationDay: Counts] = [:]
    private(set) var numbers: [Boot: Set<Int64>] = [:]
    private(set) var repeats: [Boot: Int64] = [:]
    let clocks: [Int32: NaiveClock]
    /// By series: raw readings before this were deleted, and none of them are taken any more.
    private(set) var rawBefore: [Int32: Int64] = [:]
    /// Answers since the last frame: the tests ask the same thing many times.
    private var answers = Answers()

    private final class Answers {
        var served: [Int32: [Reading]] = [:]
        var rows: [Int32: [Level: [NaiveRow]]] = [:]
    }

    init(_ registry: Registry) {
        self.clocks = Dictionary(
            uniqueKeysWithValues: registry.stations.map {
                ($0.number, NaiveClock(registry.site(of: $0).zone.name))
            })
    }

    mutating func take(_ frame: TestFrame) {
        self.answers = Answers()
        for message in frame.messages {
            let day =
                self.clocks[message.station]?.localDay(frame.receivedMilliseconds)
                ?? floorDivided(frame.receivedMilliseconds, 86_400_000)
            let key = StationDay(station: self.clocks[message.station] == nil ? 0 : message.station, day: day)
            var counts = self.ledger[key] ?? Counts()
            counts.received += 1
            if message.isQoS0 { counts.qos0 += 1 }
            counts.quarantined += message.quarantinedCount
            var isRepeated = false
            if let number = message.sequence, self.clocks[message.station] != nil {
                let boot = Boot(station: message.station, boot: message.boot)
                isRepeated = !self.numbers[boot, default: []].insert(number).inserted
                if isRepeated { self.repeats[boot, default: 0] += 1 }
            }
            if message.isDeadLetter {
                counts.deadLettered += 1
            } else if isRepeated {
                counts.repeated += 1
            } else {
                counts.decoded += 1
            }
            for sample in message.isDeadLetter ? [] : message.samples {
                for reading in sample.readings {
                    counts.readings += 1
                    self.take(reading, at: sample.timeMilliseconds, frame.receivedMilliseconds, &counts)
                }
            }
            self.ledger[key] = counts
        }
    }

    private mutating func take(
        _ reading: TestReading, at time: Int64, _ receivedMilliseconds: Int64, _ counts: inout Counts
    ) {
        let version = Version(
            bits: reading.value.bitPattern, status: reading.status,
            receivedSeconds: UInt32(receivedMilliseconds / 1_000))
        var known = self.versions[reading.series]?[time] ?? []
        if known.isEmpty {
            counts.stored += 1
        } else if known.contains(where: { $0.bits == version.bits && $0.status == version.status }) {
            counts.duplicate += 1
            return
        } else {
            counts.revised += 1
        }
        known.append(version)
        self.versions[reading.series, default: [:]][time] = known
    }

    /// The same store with other versions, or fewer: what `body` makes of each.
    func mapped(_ body: (_ series: Int32, _ time: Int64, Version) -> Version?) -> NaiveStore {
        var other = self
        other.answers = Answers()
        other.versions = [:]
        for (series, times) in self.versions {
            for (time, versions) in times {
                let kept = versions.compactMap { body(series, time, $0) }
                if !kept.isEmpty { other.versions[series, default: [:]][time] = kept }
            }
        }
        return other
    }

    /// Raw readings of a series before an instant are gone; its hours and days stay what they were.
    mutating func deleteRaw(_ series: Int32, before: Int64) {
        self.answers = Answers()
        self.rawBefore[series] = before
    }

    /// Served readings in order of time, as raw.
    func served(_ series: Int32) -> [Reading] {
        guard let before = self.rawBefore[series] else { return self.everServed(series) }
        return self.everServed(series).filter { $0.timeMilliseconds >= before }
    }

    /// Those that were deleted since among them.
    func everServed(_ series: Int32) -> [Reading] {
        if let served = self.answers.served[series] { return served }
        let served = (self.versions[series] ?? [:]).map { time, versions in
            let last = versions[versions.count - 1]
            return Reading(
                timeMilliseconds: time, value: Double(bitPattern: last.bits), status: last.status,
                receivedSeconds: last.receivedSeconds)
        }.sorted { $0.timeMilliseconds < $1.timeMilliseconds }
        self.answers.served[series] = served
        return served
    }

    /// Rows of a level, ascending.
    func rows(_ series: Series, station: Int32, _ level: Level) -> [NaiveRow] {
        if let rows = self.answers.rows[series.number]?[level] { return rows }
        let rows: [NaiveRow]
        switch level {
        case .raw: rows = []
        case .minute:
            let readings = self.served(series.number)
            rows = self.folded(series, readings, station: station) { $0.bucket($1, width: 60_000) }
        case .hour:
            let readings = self.everServed(series.number)
            rows = self.folded(series, readings, station: station) { $0.bucket($1, width: 3_600_000) }
        case .day: rows = self.days(series, station: station)
        }
        self.answers.rows[series.number, default: [:]][level] = rows
        return rows
    }
}

/// One row of a level; compared bit for bit through `bits`.
struct NaiveRow {
    var range: Range<Int64>
    var n = 0
    var nValid = 0
    var nCalibrating = 0
    var nFault = 0
    var sum = 0.0
    var sumCosine = 0.0
    var least: (value: Double, at: Int64) = (0, 0)
    var greatest: (value: Double, at: Int64) = (0, 0)
    var first = 0.0
    var last = 0.0
    var total = 0.0

    var bits: [UInt64] {
        let whole: [Int64] = [
            self.range.lowerBound, self.range.upperBound, Int64(self.n), Int64(self.nValid),
            Int64(self.nCalibrating), Int64(self.nFault), self.least.at, self.greatest.at,
        ]
        let numbers = [
            self.sum, self.sumCosine, self.least.value, self.greatest.value, self.first, self.last, self.total,
        ]
        return whole.map { UInt64(bitPattern: $0) } + numbers.map(canonicalBits)
    }
}

extension RollupRow {
    var bits: [UInt64] {
        let rollup = self.rollup
        let whole: [Int64] = [
            self.bucket.startMilliseconds, self.bucket.endMilliseconds, Int64(rollup.n), Int64(rollup.nValid),
            Int64(rollup.nCalibrating), Int64(rollup.nFault), rollup.minAtMilliseconds, rollup.maxAtMilliseconds,
        ]
        let numbers = [
            rollup.sum, rollup.sumCosine, rollup.min, rollup.max, rollup.first, rollup.last, self.total,
        ]
        return whole.map { UInt64(bitPattern: $0) } + numbers.map(canonicalBits)
    }
}

/// All NaN are one: the sign of ∞ − ∞ is the processor's business.
private func canonicalBits(_ number: Double) -> UInt64 { number.isNaN ? Double.nan.bitPattern : number.bitPattern }

extension NaiveStore {
    /// Days from their hours, in order.
    private func days(_ series: Series, station: Int32) -> [NaiveRow] {
        guard let clock = self.clocks[station] else { return [] }
        var rows: [NaiveRow] = []
        for hour in self.rows(series, station: station, .hour) {
            let range = clock.day(hour.range.lowerBound)
            if rows.last?.range != range { rows.append(NaiveRow(range: range)) }
            var day = rows.removeLast()
            day.n += hour.n
            day.nCalibrating += hour.nCalibrating
            day.nFault += hour.nFault
            if hour.nValid > 0 {
                if series.kind == .counter, !series.isDirection, day.nValid > 0 {
                    day.sum += grown(day.last, hour.first)
                }
                day.sum += hour.sum
                day.sumCosine += hour.sumCosine
                if day.nValid == 0 || hour.least.value < day.least.value { day.least = hour.least }
                if day.nValid == 0 || hour.greatest.value > day.greatest.value { day.greatest = hour.greatest }
                if day.nValid == 0 { day.first = hour.first }
                day.last = hour.last
                day.nValid += hour.nValid
            }
            rows.append(day)
        }
        return withTotals(rows, series)
    }

    private func folded(
        _ series: Series, _ readings: [Reading], station: Int32, _ bucket: (NaiveClock, Int64) -> Range<Int64>
    ) -> [NaiveRow] {
        guard let clock = self.clocks[station] else { return [] }
        var rows: [NaiveRow] = []
        for reading in readings {
            let time = reading.timeMilliseconds
            if !(rows.last?.range.contains(time) ?? false) { rows.append(NaiveRow(range: bucket(clock, time))) }
            var row = rows.removeLast()
            row.n += 1
            switch reading.status.description {
            case "00":
                if series.isDirection {
                    row.sum += sin(reading.value * (Double.pi / 180))
                    row.sumCosine += cos(reading.value * (Double.pi / 180))
                } else if series.kind == .counter {
                    if row.nValid > 0 { row.sum += grown(row.last, reading.value) }
                } else {
                    row.sum += reading.value
                }
                if row.nValid == 0 || reading.value < row.least.value { row.least = (reading.value, time) }
                if row.nValid == 0 || reading.value > row.greatest.value { row.greatest = (reading.value, time) }
                if row.nValid == 0 { row.first = reading.value }
                row.last = reading.value
                row.nValid += 1
            case "01": row.nCalibrating += 1
            case "02": row.nFault += 1
            default: break
            }
            rows.append(row)
        }
        return withTotals(rows, series)
    }
}

private func grown(_ earlier: Double, _ later: Double) -> Double { later < earlier ? later : later - earlier }

/// A counter's total takes in the step from the bucket just before.
private func withTotals(_ rows: [NaiveRow], _ series: Series) -> [NaiveRow] {
    var rows = rows
    for index in rows.indices {
        rows[index].total = rows[index].sum
        guard index > 0, series.kind == .counter, !series.isDirection, rows[index].nValid > 0 else { continue }
        let before = rows[index - 1]
        if before.nValid > 0, before.range.upperBound == rows[index].range.lowerBound {
            rows[index].total += grown(before.last, rows[index].first)
        }
    }
    return rows
}
