import Monitoring

/// A small registry: two ambient stations at a town, one at a mine, one river station.
enum Province {
    static let zone = Zone(name: "Asia/Ho_Chi_Minh", offsetSeconds: 7 * 3_600)

    static func station(_ text: String) -> StationID { StationID(text)! }
    static func parameter(_ text: String) -> ParameterID { ParameterID(text)! }

    /// Numbers of series are ten times what they are called in tests, so that no position can pass for a number.
    static func registry(without dropped: Set<String> = []) -> Registry {
        let sites = [
            Site(id: "town", name: "Town (DEMO)", kind: .ambientAir, zone: self.zone),
            Site(id: "pit", name: "Pit (DEMO)", kind: .mine, zone: self.zone),
        ]
        let plan: [(id: String, site: Int, kind: StationKind, interval: Int64?, parameters: [String])] = [
            ("air-1", 0, .ambientAir, 60_000, ["PM10", "SO2"]),
            ("air-2", 0, .ambientAir, 3_600_000, ["PM10"]),
            ("river-1", 0, .surfaceWater, nil, ["pH"]),
            ("pit-1", 1, .mine, 60_000, ["PM10", "Tonnage"]),
        ]
        var stations: [Station] = []
        var series: [Series] = []
        var number: Int32 = 0
        for (index, entry) in plan.enumerated() {
            number = Int32(index) * 100
            guard !dropped.contains(entry.id) else { continue }
            var indices: [Int] = []
            for text in entry.parameters {
                number += 10
                indices.append(series.count)
                series.append(
                    Series(
                        number: number, stationIndex: stations.count, parameter: self.parameter(text),
                        unit: Dated("µg/m³"), kind: .gauge, isDirection: false))
            }
            stations.append(
                Station(
                    number: Int32(index + 1), id: self.station(entry.id), name: entry.id, siteIndex: entry.site,
                    kind: entry.kind, latitude: nil, longitude: nil, intervalMilliseconds: Dated(entry.interval),
                    retiredMilliseconds: nil, seriesIndices: indices))
        }
        return Registry(sites: sites, stations: stations, series: series)
    }
}
