import GRDB
import Monitoring

/// What an import of a station file did.
package struct ImportReport: Sendable, Hashable, Codable {
    package var sitesAdded = 0
    package var stationsAdded = 0
    package var seriesAdded = 0
    /// One line per change, as a person would say it.
    package var changes: [String] = []

    package var isEmpty: Bool {
        self.sitesAdded + self.stationsAdded + self.seriesAdded == 0 && self.changes.isEmpty
    }
}

/// Brings the registry in line with a station file: adds and changes, never deletes; the second time it does nothing.
struct StationImport {
    let database: Database
    let change: Int64
    /// From when changed facts hold; nil when the person did not say.
    let validFromMilliseconds: Int64?
    let nowMilliseconds: Int64
    let defaultZone: String
    /// Newest device time of a station, by its number; -1 when it has no reading.
    let newestMilliseconds: (Int64) -> Int64
    var report = ImportReport()

    mutating func run(_ file: StationFile) throws {
        for entry in file.sites { try self.site(entry) }
    }

    private mutating func site(_ entry: StationFile.SiteEntry) throws {
        let known = try Row.fetchOne(
            self.database, sql: "SELECT number, name FROM site WHERE id = ? COLLATE NOCASE", arguments: [entry.id])
        let number: Int64
        if let known {
            number = known[0]
            let name: String = known[1]
            if name != entry.name {
                try self.database.execute(
                    sql: "UPDATE site SET name = ? WHERE number = ?", arguments: [entry.name, number])
                self.report.changes.append("site \(entry.id): name \(name) → \(entry.name)")
            }
        } else {
            try self.database.execute(
                sql: "INSERT INTO site (id, name) VALUES (?, ?)", arguments: [entry.id, entry.name])
            number = self.database.lastInsertedRowID
            self.report.sitesAdded += 1
        }
        let zone = entry.timeZone ?? self.defaultZone
        guard ZoneDatabase.zone(named: zone) != nil else {
            throw StoreError(.refused, "site \(entry.id): time zone \(zone) is not known on this machine")
        }
        if known != nil { try self.checkZone(site: number, id: entry.id, zone: zone) }
        try self.fact("site", number, "zone", zone, of: "site \(entry.id)", needsFrom: true, isNew: known == nil)
        try self.fact("site", number, "kind", entry.kind.rawValue, of: "site \(entry.id)", isNew: known == nil)
        for station in entry.stations { try self.station(station, site: number, zoneName: zone) }
    }

    /// Stored hours and days are those of the local clock: it may change only after everything that is in them.
    private func checkZone(site: Int64, id: String, zone: String) throws {
        guard let from = self.validFromMilliseconds, try self.zones(ofSite: site).last?.value != zone else { return }
        let stations = try Int64.fetchAll(
            self.database, sql: "SELECT number FROM station WHERE site = ?", arguments: [site])
        guard let newest = stations.map(self.newestMilliseconds).max(), newest >= from else { return }
        throw StoreError(
            .refused,
            "site \(id): timeZone cannot become \(zone) from \(Civil.formatRFC3339(milliseconds: from)): there are "
                + "readings until \(Civil.formatRFC3339(milliseconds: newest)), summed up by the days of the old "
                + "clock; "
                + "say a later --from")
    }

    private func zones(ofSite site: Int64) throws -> [Dated<String?>.Entry] {
        try Row.fetchAll(
            self.database,
            sql: """
                SELECT valid_from, value FROM fact WHERE subject = 'site' AND number = ? AND property = 'zone'
                ORDER BY valid_from
                """,
            arguments: [site]
        ).map { Dated<String?>.Entry(fromMilliseconds: $0[0], value: $0[1]) }
    }

    private mutating func station(
        _ entry: StationFile.StationEntry, site: Int64, zoneName: String
    ) throws {
        let retired = entry.retiredLocalDay.flatMap { ZoneDatabase.zone(named: zoneName)?.start(ofLocalDay: $0) }
        let known = try Row.fetchOne(
            self.database,
            sql: "SELECT number, id, site, name, latitude, longitude, retired FROM station WHERE folded = ?",
            arguments: [entry.id.folded])
        let number: Int64
        if let known {
            number = known[0]
            let id: String = known[1]
            guard id == entry.id.text else {
                throw StoreError(
                    .refused, "station \(entry.id) differs from the known station \(id) only in upper and lower case")
            }
            let siteBefore: Int64 = known[2]
            if siteBefore != site, self.newestMilliseconds(number) >= 0,
                try self.zones(ofSite: siteBefore) != self.zones(ofSite: site)
            {
                throw StoreError(
                    .refused,
                    "station \(id): cannot move to a site with another time zone: its readings are summed up by the "
                        + "days "
                        + "of the old one; give it a new id there")
            }
            let before: [DatabaseValue] = [known[2], known[3], known[4], known[5], known[6]]
            let after: [DatabaseValue] = [
                site.databaseValue, entry.name.databaseValue, entry.latitude.databaseValue,
                entry.longitude.databaseValue, retired.databaseValue,
            ]
            if before != after {
                try self.database.execute(
                    sql: """
                        UPDATE station SET site = ?, name = ?, latitude = ?, longitude = ?, retired = ? WHERE number = ?
                        """,
                    arguments: [site, entry.name, entry.latitude, entry.longitude, retired, number])
                let names = ["site", "name", "latitude", "longitude", "retired"]
                for (index, name) in names.enumerated() where before[index] != after[index] {
                    self.report.changes.append("station \(id): \(name) changed")
                }
            }
        } else {
            try self.database.execute(
                sql: """
                    INSERT INTO station (id, folded, site, name, latitude, longitude, retired)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    entry.id.text, entry.id.folded, site, entry.name, entry.latitude, entry.longitude, retired,
                ])
            number = self.database.lastInsertedRowID
            self.report.stationsAdded += 1
            // The hidden series of the station's receipt times.
            try self.insertSeries(station: number, position: -1, parameter: "", kind: .gauge, isDirection: false)
        }
        let subject = "station \(entry.id)"
        try self.fact(
            "station", number, "interval", entry.intervalMilliseconds.map(String.init), of: subject,
            isNew: known == nil)
        try self.fact("station", number, "kind", entry.kind?.rawValue, of: subject, isNew: known == nil)
        for (position, parameter) in entry.parameters.enumerated() {
            try self.parameter(parameter, position: position, station: number, subject: subject)
        }
    }

    private mutating func parameter(
        _ entry: StationFile.ParameterEntry, position: Int, station: Int64, subject: String
    ) throws {
        let subject = "\(subject) \(entry.id)"
        let known = try Row.fetchOne(
            self.database,
            sql: "SELECT number, kind, direction FROM series WHERE station = ? AND parameter = ?",
            arguments: [station, entry.id.text])
        guard let known else {
            let number = try self.insertSeries(
                station: station, position: position, parameter: entry.id.text, kind: entry.kind,
                isDirection: entry.isDirection)
            self.report.seriesAdded += 1
            try self.fact("series", number, "unit", entry.unit, of: subject, isNew: true)
            return
        }
        let kind: String = known[1]
        let isDirection: Bool = known[2]
        guard kind == entry.kind.rawValue, isDirection == entry.isDirection else {
            throw StoreError(
                .refused,
                "\(subject): kind \(kind)\(isDirection ? ", a direction," : "") cannot become \(entry.kind.rawValue)"
                    + "\(entry.isDirection ? ", a direction" : ""): its rollups would mean something else; "
                    + "use a new parameter name")
        }
        try self.fact("series", known[0], "unit", entry.unit, of: subject, needsFrom: true, isNew: false)
    }

    @discardableResult
    private func insertSeries(
        station: Int64, position: Int, parameter: String, kind: SeriesKind, isDirection: Bool
    ) throws -> Int64 {
        try self.database.execute(
            sql: "INSERT INTO series (station, position, parameter, kind, direction) VALUES (?, ?, ?, ?, ?)",
            arguments: [station, position, parameter, kind.rawValue, isDirection])
        let number = self.database.lastInsertedRowID
        guard number <= Int64(StoreLimits.seriesNumberMax) else {
            throw StoreError(.refused, "a store holds at most \(StoreLimits.seriesNumberMax) series")
        }
        return number
    }

    private mutating func fact(
        _ subject: String, _ number: Int64, _ property: String, _ value: String?, of name: String,
        needsFrom: Bool = false, isNew: Bool
    ) throws {
        let latest = try Row.fetchOne(
            self.database,
            sql: """
                SELECT value, valid_from FROM fact WHERE subject = ? AND number = ? AND property = ?
                ORDER BY valid_from DESC LIMIT 1
                """,
            arguments: [subject, number, property])
        let before: String? = latest?[0]
        if latest != nil, before == value { return }
        if latest == nil, !isNew, value == nil { return }
        if latest != nil, needsFrom, self.validFromMilliseconds == nil {
            throw StoreError(
                .refused,
                "\(name): \(property) changes from \(before ?? "nothing") to \(value ?? "nothing"); "
                    + "say from when with --from, so that older readings keep what they were measured in")
        }
        let from = latest == nil ? Int64.min : self.validFromMilliseconds ?? self.nowMilliseconds
        if let latest, from < latest[1] as Int64 {
            throw StoreError(
                .refused,
                "\(name): \(property) is \(before ?? "nothing") from \(Civil.formatRFC3339(milliseconds: latest[1])) "
                    + "on; "
                    + "it cannot change from \(Civil.formatRFC3339(milliseconds: from)), before that")
        }
        try self.database.execute(
            sql: "INSERT OR REPLACE INTO fact VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [subject, number, property, from, value, self.change])
        if latest != nil {
            self.report.changes.append(
                "\(name): \(property) \(before ?? "none") → \(value ?? "none") from "
                    + Civil.formatRFC3339(milliseconds: from))
        }
    }
}
