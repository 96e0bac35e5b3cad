/// What a station file says: sites, their stations and what each of them reports.
///
/// Values only; the shell reads the YAML. Everything in it was checked where it was read: ids and zones are valid,
/// stations unique ignoring case, units normalised.
package struct StationFile: Sendable, Hashable {
    package var sites: [SiteEntry]

    package init(sites: [SiteEntry]) { self.sites = sites }

    /// A site as the file describes it.
    package struct SiteEntry: Sendable, Hashable {
        /// Of the same form as a station's id, and unique ignoring case.
        package var id: String
        package var name: String
        package var kind: StationKind
        /// Nil: the zone the settings name.
        package var timeZone: String?
        package var stations: [StationEntry]

        package init(id: String, name: String, kind: StationKind, timeZone: String?, stations: [StationEntry]) {
            self.id = id
            self.name = name
            self.kind = kind
            self.timeZone = timeZone
            self.stations = stations
        }
    }

    /// A station as the file describes it.
    package struct StationEntry: Sendable, Hashable {
        package var id: StationID
        package var name: String
        /// Nil: the site's.
        package var kind: StationKind?
        package var latitude: Double?
        package var longitude: Double?
        /// How often it reports; nil when it has no fixed interval, then nothing is due of it.
        package var intervalMilliseconds: Int64?
        /// The local date, as days since 1970-01-01, from whose first instant on nothing is due any more.
        package var retiredLocalDay: Int64?
        package var parameters: [ParameterEntry]

        package init(
            id: StationID, name: String, kind: StationKind?, latitude: Double?, longitude: Double?,
            intervalMilliseconds: Int64?, retiredLocalDay: Int64?, parameters: [ParameterEntry]
        ) {
            self.id = id
            self.name = name
            self.kind = kind
            self.latitude = latitude
            self.longitude = longitude
            self.intervalMilliseconds = intervalMilliseconds
            self.retiredLocalDay = retiredLocalDay
            self.parameters = parameters
        }
    }

    /// A parameter of a station as the file describes it.
    package struct ParameterEntry: Sendable, Hashable {
        package var id: ParameterID
        /// NFC, with the micro sign U+00B5; empty for a number without a unit.
        package var unit: String
        package var kind: SeriesKind
        /// Degrees of a compass: averaged as vectors.
        package var isDirection: Bool

        package init(id: ParameterID, unit: String, kind: SeriesKind, isDirection: Bool) {
            self.id = id
            self.unit = unit
            self.kind = kind
            self.isDirection = isDirection
        }
    }
}
