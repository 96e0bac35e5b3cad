/// A value with the dates it is in force: changing it adds an entry, nothing is overwritten.
package struct Dated<Value: Sendable & Hashable>: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        /// In force from this instant on; `Int64.min` for "since ever".
        package let fromMilliseconds: Int64
        package let value: Value

        package init(fromMilliseconds: Int64, value: Value) {
            self.fromMilliseconds = fromMilliseconds
            self.value = value
        }
    }

    /// Ascending in time, never empty; before its first entry the first value holds.
    package private(set) var entries: [Entry]

    package init(_ value: Value) { self.entries = [Entry(fromMilliseconds: .min, value: value)] }

    /// Fails when there is no entry.
    package init?(entries: [Entry]) {
        guard !entries.isEmpty else { return nil }
        self.entries = entries.sorted { $0.fromMilliseconds < $1.fromMilliseconds }
    }

    package func value(at milliseconds: Int64) -> Value {
        self.entries.last { $0.fromMilliseconds <= milliseconds }?.value ?? self.entries[0].value
    }

    /// The newest value, in force from its date on.
    package var latest: Value { self.entries[self.entries.count - 1].value }
}

/// What a station watches.
package enum StationKind: String, Sendable, Hashable, CaseIterable {
    case ambientAir = "ambient-air"
    case surfaceWater = "surface-water"
    case wastewater
    case stack
    case mine
}

/// A place with a name, a kind and a local clock: a mine, a town, a plant.
package struct Site: Sendable, Hashable {
    package let id: String
    package let name: String
    package let kind: StationKind
    /// The local clock, with every change of it spliced in.
    package let zone: Zone

    package init(id: String, name: String, kind: StationKind, zone: Zone) {
        self.id = id
        self.name = name
        self.kind = kind
        self.zone = zone
    }
}

/// A logger in the field, with the parameters it reports.
package struct Station: Sendable, Hashable {
    /// Its number in the store; stable for ever.
    package let number: Int32
    package let id: StationID
    package let name: String
    /// Position in `Registry.sites`.
    package let siteIndex: Int
    package let kind: StationKind
    package let latitude: Double?
    package let longitude: Double?
    /// How often it reports, in milliseconds; nil when it never said.
    package let intervalMilliseconds: Dated<Int64?>
    /// From this instant on nothing is due any more.
    package let retiredMilliseconds: Int64?
    /// What was measured before this is sealed: nothing more is taken of it.
    package let sealedBeforeMilliseconds: Int64
    /// Raw readings before this are deleted; their rollups stay and are never folded again.
    package let rawBeforeMilliseconds: Int64
    /// Positions in `Registry.series`, in the order of the station file.
    package let seriesIndices: [Int]

    package init(
        number: Int32, id: StationID, name: String, siteIndex: Int, kind: StationKind, latitude: Double?,
        longitude: Double?, intervalMilliseconds: Dated<Int64?>, retiredMilliseconds: Int64?, seriesIndices: [Int],
        sealedBeforeMilliseconds: Int64 = 0, rawBeforeMilliseconds: Int64 = 0
    ) {
        self.number = number
        self.id = id
        self.name = name
        self.siteIndex = siteIndex
        self.kind = kind
        self.latitude = latitude
        self.longitude = longitude
        self.intervalMilliseconds = intervalMilliseconds
        self.retiredMilliseconds = retiredMilliseconds
        self.seriesIndices = seriesIndices
        self.sealedBeforeMilliseconds = sealedBeforeMilliseconds
        self.rawBeforeMilliseconds = rawBeforeMilliseconds
    }

    /// How many readings a bucket is due of each parameter; of a retired station none.
    package func due(in bucket: Bucket) -> Int? {
        let due = bucket.due(intervalMilliseconds: self.intervalMilliseconds.value(at: bucket.startMilliseconds))
        guard let retired = self.retiredMilliseconds, bucket.startMilliseconds >= retired else { return due }
        return due.map { _ in 0 }
    }
}

/// One parameter at one station.
package struct Series: Sendable, Hashable {
    /// Its number in the store; stable for ever.
    package let number: Int32
    /// Position in `Registry.stations`.
    package let stationIndex: Int
    package let parameter: ParameterID
    package let unit: Dated<String>
    package let kind: SeriesKind
    package let isDirection: Bool

    package init(
        number: Int32, stationIndex: Int, parameter: ParameterID, unit: Dated<String>, kind: SeriesKind,
        isDirection: Bool
    ) {
        self.number = number
        self.stationIndex = stationIndex
        self.parameter = parameter
        self.unit = unit
        self.kind = kind
        self.isDirection = isDirection
    }

    package var method: Rollup.Method { self.isDirection ? .direction : self.kind == .counter ? .counter : .plain }
}

/// Everything that is known of sites, stations and series at one moment; replaced as a whole when it changes.
package final class Registry: Sendable {
    package let sites: [Site]
    package let stations: [Station]
    package let series: [Series]
    private let stationByID: [StationID: Int]
    private let seriesByNumber: [Int32: Int]
    private let stationByNumber: [Int32: Int]

    package init(sites: [Site], stations: [Station], series: [Series]) {
        self.sites = sites
        self.stations = stations
        self.series = series
        self.stationByID = .init(stations.enumerated().map { ($1.id, $0) }) { first, _ in first }
        self.stationByNumber = .init(stations.enumerated().map { ($1.number, $0) }) { first, _ in first }
        self.seriesByNumber = .init(series.enumerated().map { ($1.number, $0) }) { first, _ in first }
    }

    package static let empty = Registry(sites: [], stations: [], series: [])

    package func stationIndex(_ id: StationID) -> Int? { self.stationByID[id] }
    package func station(_ id: StationID) -> Station? { self.stationByID[id].map { self.stations[$0] } }
    package func stationIndex(number: Int32) -> Int? { self.stationByNumber[number] }
    package func seriesIndex(number: Int32) -> Int? { self.seriesByNumber[number] }
    package func station(of series: Series) -> Station { self.stations[series.stationIndex] }
    package func site(of station: Station) -> Site { self.sites[station.siteIndex] }
    package func zone(of series: Series) -> Zone { self.site(of: self.station(of: series)).zone }

    /// A station's series for a parameter; exact match.
    package func series(_ station: StationID, _ parameter: ParameterID) -> Series? {
        guard let station = self.station(station) else { return nil }
        return station.seriesIndices.lazy.map { self.series[$0] }.first { $0.parameter == parameter }
    }
}
