import Monitoring
import TimeSeriesStore

/// What `/api/v1/series/…` is asked, understood and checked.
struct SeriesQuery: Equatable {
    let level: Level
    let fromMilliseconds: Int64
    let toMilliseconds: Int64
    let columns: [SeriesColumn]
    let view: ServedView
    /// Readings as they were served at this instant; nil for now.
    let asOfMilliseconds: Int64?

    static let keys = ["level", "from", "to", "columns", "view", "as-of"]

    /// Reads the keys of the query; times without an offset are the site's.
    ///
    /// - Parameters:
    ///   - pairs: Keys and values, percent-decoded.
    ///   - zone: The clock of the station's site.
    ///   - nowMilliseconds: What `to` is when it is not given.
    /// - Throws: ``WebFailure`` naming the key and what is allowed.
    init(_ pairs: [(key: String, value: String)], zone: Zone, nowMilliseconds: Int64) throws(WebFailure) {
        var values: [String: String] = [:]
        for (key, value) in pairs {
            guard Self.keys.contains(key) else {
                throw .badQuery("\(key): not a key of this query; allowed: \(Self.keys.joined(separator: ", "))")
            }
            guard values.updateValue(value, forKey: key) == nil else { throw .badQuery("\(key): given twice") }
        }
        let levelText = values["level"] ?? Level.hour.rawValue
        guard let level = Level(rawValue: levelText) else {
            let allowed = Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badQuery("level: \(levelText) is none; allowed: \(allowed)")
        }
        let to = try Self.instant("to", values["to"], zone: zone) ?? nowMilliseconds
        let from = try Self.instant("from", values["from"], zone: zone) ?? max(0, to - Self.defaultSpan(of: level))
        guard from <= to else { throw .badQuery("from: later than to; from ≤ to is needed") }
        self.level = level
        self.fromMilliseconds = from
        self.toMilliseconds = to
        self.columns = try Self.columns(values["columns"], level: level)
        let viewText = values["view"] ?? ServedView.corrected.rawValue
        guard let view = ServedView(rawValue: viewText) else {
            let allowed = ServedView.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badQuery("view: \(viewText) is none; allowed: \(allowed)")
        }
        self.view = view
        self.asOfMilliseconds = try Self.instant("as-of", values["as-of"], zone: zone)
        guard self.asOfMilliseconds == nil || level == .raw else {
            throw .badQuery("as-of: goes with level raw only")
        }
    }

    /// How far back an answer goes when `from` is not given.
    private static func defaultSpan(of level: Level) -> Int64 {
        switch level {
        case .raw, .minute: Civil.millisecondsPerDay
        case .hour: 31 * Civil.millisecondsPerDay
        case .day: 366 * Civil.millisecondsPerDay
        }
    }

    private static func instant(_ key: String, _ text: String?, zone: Zone) throws(WebFailure) -> Int64? {
        guard let text else { return nil }
        // A plus sign that was not encoded arrives as a blank in some clients.
        let restored = text.contains("T") ? text.replacingBlanks() : text
        let instant =
            Civil.parseDate(text).map { zone.start(ofLocalDay: $0) } ?? Civil.parseRFC3339(restored)
            ?? (text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int64(text) : nil)
        guard let instant else {
            throw .badQuery(
                "\(key): \(text) is no time; allowed: RFC 3339 with offset (2026-11-23T09:00:00+07:00), "
                    + "a date of the site (2026-11-23), or milliseconds since 1970")
        }
        guard instant >= 0, instant <= TimeBounds.endMilliseconds else {
            throw .badQuery("\(key): \(text) is out of bounds; allowed: the years 1970 to 2109")
        }
        return instant
    }

    private static func columns(_ text: String?, level: Level) throws(WebFailure) -> [SeriesColumn] {
        let known = level == .raw ? SeriesColumn.ofReadings : SeriesColumn.ofBuckets
        guard let text else { return level == .raw ? SeriesColumn.readingDefault : SeriesColumn.bucketDefault }
        var columns: [SeriesColumn] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let column = SeriesColumn(rawValue: String(name)), known.contains(column) else {
                let allowed = known.map(\.rawValue).joined(separator: ", ")
                throw .badQuery("columns: \(name) is none of level \(level.rawValue); allowed: \(allowed)")
            }
            guard !columns.contains(column) else { throw .badQuery("columns: \(name) is given twice") }
            columns.append(column)
        }
        return columns
    }
}

/// A column of an answer.
enum SeriesColumn: String, CaseIterable {
    // Of raw readings.
    case time
    case value
    case status
    case received
    // Of buckets.
    case start
    case end
    case n
    case nValid = "n_valid"
    case nDue = "n_due"
    case mean
    case sum
    case min
    case minAt = "min_at"
    case max
    case maxAt = "max_at"
    case first
    case last

    static let ofReadings: [SeriesColumn] = [.time, .value, .status, .received]
    static let ofBuckets: [SeriesColumn] = Self.allCases.filter { !Self.ofReadings.contains($0) }
    static let readingDefault: [SeriesColumn] = [.time, .value, .status]
    static let bucketDefault: [SeriesColumn] = [.start, .mean, .nValid, .nDue, .min, .max]
}

extension String {
    fileprivate func replacingBlanks() -> String {
        String(decoding: self.utf8.map { $0 == UInt8(ascii: " ") ? UInt8(ascii: "+") : $0 }, as: UTF8.self)
    }
}
