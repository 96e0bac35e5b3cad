import GRDB
package import Monitoring

/// The registry as the store's tables hold it.
struct RegistryRows {
    /// Everything valid, with the dated facts spliced in.
    static func load(_ database: Database, defaultZone: String) throws -> LoadedRegistry {
        let facts = try self.facts(database)
        let seals = try SealRows.all(database)
        var sites: [Site] = []
        var siteIndex: [Int64: Int] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT number, id, name FROM site ORDER BY number") {
            let number: Int64 = row[0]
            let zones = facts[FactKey("site", number, "zone")]
            siteIndex[number] = sites.count
            sites.append(
                Site(
                    id: row[1], name: row[2],
                    kind: facts[FactKey("site", number, "kind")]?.latest.flatMap(StationKind.init) ?? .ambientAir,
                    zone: try self.zone(zones, defaultZone: defaultZone)))
        }
        var series: [Series] = []
        var stations: [Station] = []
        var receipts: [Int32: Int32] = [:]
        let seriesRows = Dictionary(
            grouping: try Row.fetchAll(
                database,
                sql: "SELECT station, number, parameter, kind, direction FROM series ORDER BY station, position")
        ) { row -> Int64 in row[0] }
        for row in try Row.fetchAll(
            database, sql: "SELECT number, id, site, name, latitude, longitude, retired FROM station ORDER BY number")
        {
            let number: Int64 = row[0]
            guard let id = StationID(row[1] as String), let site = siteIndex[row[2]] else { continue }
            var indices: [Int] = []
            for item in seriesRows[number] ?? [] {
                let seriesNumber: Int64 = item[1]
                guard let parameter = ParameterID(item[2] as String) else {
                    receipts[Int32(number)] = Int32(seriesNumber)
                    continue
                }
                indices.append(series.count)
                let units = facts[FactKey("series", seriesNumber, "unit")]?.entries.map {
                    Dated<String>.Entry(fromMilliseconds: $0.fromMilliseconds, value: $0.value ?? "")
                }
                series.append(
                    Series(
                        number: Int32(seriesNumber), stationIndex: stations.count, parameter: parameter,
                        unit: Dated(entries: units ?? []) ?? Dated(""),
                        kind: SeriesKind(rawValue: item[3]) ?? .gauge, isDirection: item[4]))
            }
            let intervals = facts[FactKey("station", number, "interval")]?.entries.map {
                Dated<Int64?>.Entry(fromMilliseconds: $0.fromMilliseconds, value: $0.value.flatMap { Int64($0) })
            }
            stations.append(
                Station(
                    number: Int32(number), id: id, name: row[3], siteIndex: site,
                    kind: facts[FactKey("station", number, "kind")]?.latest.flatMap(StationKind.init)
                        ?? sites[site].kind,
                    latitude: row[4], longitude: row[5],
                    intervalMilliseconds: Dated(entries: intervals ?? []) ?? Dated(nil), retiredMilliseconds: row[6],
                    seriesIndices: indices,
                    sealedBeforeMilliseconds: seals[Int32(number)]?.beforeMilliseconds ?? 0,
                    rawBeforeMilliseconds: seals[Int32(number)]?.rawBeforeMilliseconds ?? 0))
        }
        return LoadedRegistry(
            registry: Registry(sites: sites, stations: stations, series: series), receiptSeries: receipts,
            corrections: try CorrectionRows.inForce(database))
    }

    private struct FactKey: Hashable {
        let subject: String
        let number: Int64
        let property: String

        init(_ subject: String, _ number: Int64, _ property: String) {
            self.subject = subject
            self.number = number
            self.property = property
        }
    }

    private static func facts(_ database: Database) throws -> [FactKey: Dated<String?>] {
        var entries: [FactKey: [Dated<String?>.Entry]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT subject, number, property, valid_from, value FROM fact") {
            entries[FactKey(row[0], row[1], row[2]), default: []]
                .append(.init(fromMilliseconds: row[3], value: row[4]))
        }
        return entries.compactMapValues { Dated(entries: $0) }
    }

    private static func zone(_ names: Dated<String?>?, defaultZone: String) throws -> Zone {
        var zone: Zone?
        for entry in names?.entries ?? [.init(fromMilliseconds: .min, value: defaultZone)] {
            let name = entry.value ?? defaultZone
            guard let next = ZoneDatabase.zone(named: name) else {
                throw StoreError(.refused, "time zone \(name) is not known on this machine; install tzdata")
            }
            zone = zone.map { $0.spliced(with: next, from: entry.fromMilliseconds) } ?? next
        }
        return zone ?? Zone(name: defaultZone, offsetSeconds: 0)
    }
}

/// The registry, and the hidden series that hold the stations' receipt times, by station number.
package struct LoadedRegistry: Sendable {
    package let registry: Registry
    let receiptSeries: [Int32: Int32]
    /// The corrections in force, by series number; none for most.
    var corrections: [Int32: SeriesCorrections]
}
