// NFC is the one thing needed of the whole of Foundation here.
import Foundation
import Monitoring
import TimeSeriesStore

/// Reads a station file; every error names file, line and key.
struct StationFileReader {
    private var sites: [String: Int] = [:]
    private var stations: [String: Int] = [:]

    /// Reads the text of a file.
    static func read(text: String, file: String) throws(ConfigurationError) -> StationFile {
        guard let root = try YAMLValue.document(text, file: file) else {
            throw ConfigurationError(place: file, key: "", problem: "is empty; it needs the key sites")
        }
        var reader = StationFileReader()
        let sites = try root.mapping(["sites"]).required("sites").sequence(of: "sites")
        guard sites.count <= FileLimits.sitesMax else {
            throw root.error("more than \(FileLimits.sitesMax) sites")
        }
        var entries: [StationFile.SiteEntry] = []
        for site in sites { entries.append(try reader.site(site)) }
        return StationFile(sites: entries)
    }

    private mutating func site(_ value: YAMLValue) throws(ConfigurationError) -> StationFile.SiteEntry {
        let keys = try value.mapping(["id", "name", "kind", "timeZone", "stations"])
        let idValue = try keys.required("id")
        guard let id = StationID(try idValue.text(Self.idAllowed)) else {
            throw idValue.error("must be \(Self.idAllowed)")
        }
        if let line = self.sites.updateValue(idValue.line, forKey: id.folded) {
            throw idValue.error("site \(id) is already there at line \(line) (case does not count)")
        }
        var stations: [StationFile.StationEntry] = []
        for station in try keys["stations"]?.sequence(of: "stations") ?? [] {
            stations.append(try self.station(station))
        }
        return StationFile.SiteEntry(
            id: id.text, name: try Self.name(keys["name"], default: id.text),
            kind: try keys.required("kind").word(StationKind.self), timeZone: try Self.timeZone(keys["timeZone"]),
            stations: stations)
    }

    private mutating func station(_ value: YAMLValue) throws(ConfigurationError) -> StationFile.StationEntry {
        let keys = try value.mapping([
            "id", "name", "kind", "latitude", "longitude", "interval", "retired", "parameters",
        ])
        let idValue = try keys.required("id")
        guard let id = StationID(try idValue.text(Self.idAllowed)) else {
            throw idValue.error("must be \(Self.idAllowed)")
        }
        if let line = self.stations.updateValue(idValue.line, forKey: id.folded) {
            throw idValue.error("station \(id) is already there at line \(line) (case does not count)")
        }
        guard self.stations.count <= FileLimits.stationsMax else {
            throw value.error("more than \(FileLimits.stationsMax) stations")
        }
        let latitude = try Self.coordinate(keys["latitude"], limit: 90)
        let longitude = try Self.coordinate(keys["longitude"], limit: 180)
        guard (latitude == nil) == (longitude == nil) else {
            throw value.error("latitude and longitude go together")
        }
        return StationFile.StationEntry(
            id: id, name: try Self.name(keys["name"], default: id.text),
            kind: try keys["kind"]?.word(StationKind.self), latitude: latitude, longitude: longitude,
            intervalMilliseconds: try keys["interval"]?
                .duration("how often the station reports", range: 1...(366 * Civil.millisecondsPerDay)),
            retiredLocalDay: try Self.date(keys["retired"]),
            parameters: try Self.parameters(try keys.required("parameters")))
    }

    private static func parameters(_ value: YAMLValue) throws(ConfigurationError) -> [StationFile.ParameterEntry] {
        let values = try value.sequence(of: "parameters, such as {id: PM10, unit: µg/m³}")
        guard values.count <= FileLimits.parametersPerStationMax else {
            throw value.error("more than \(FileLimits.parametersPerStationMax) parameters")
        }
        var lines: [String: Int] = [:]
        var parameters: [StationFile.ParameterEntry] = []
        for value in values {
            let keys = try value.mapping(["id", "unit", "direction", "kind"])
            let idValue = try keys.required("id")
            guard let id = ParameterID(try idValue.text("a parameter's name")) else {
                throw idValue.error("must be 1–64 letters, digits, '.', '_' or '-'")
            }
            if let line = lines.updateValue(idValue.line, forKey: id.text) {
                throw idValue.error("parameter \(id) is already there at line \(line)")
            }
            let isDirection = try keys["direction"]?.boolean() ?? false
            let kind = try keys["kind"]?.word(SeriesKind.self) ?? .gauge
            guard !isDirection || kind == .gauge else { throw value.error("a direction cannot be a \(kind.rawValue)") }
            parameters.append(
                .init(id: id, unit: try self.unit(try keys.required("unit")), kind: kind, isDirection: isDirection))
        }
        return parameters
    }

    private static let idAllowed = "1–64 letters, digits, '.', '_' or '-', beginning with a letter or digit"

    private static func name(_ value: YAMLValue?, default text: String) throws(ConfigurationError) -> String {
        guard let value else { return text }
        let name = try value.text("a name").precomposedStringWithCanonicalMapping
        guard !name.isEmpty, name.utf8.count <= FileLimits.nameBytesMax, name.isPrintable else {
            throw value.error("must be 1–\(FileLimits.nameBytesMax) bytes of printable text")
        }
        return name
    }

    /// A unit in the one spelling the store knows: NFC, and the micro sign U+00B5 where someone typed the letter mu.
    private static func unit(_ value: YAMLValue) throws(ConfigurationError) -> String {
        let unit = String(
            String.UnicodeScalarView(
                try value.text("a unit; \"\" for a number without one").precomposedStringWithCanonicalMapping
                    .unicodeScalars.map { $0 == "\u{3BC}" ? "\u{B5}" : $0 }))
        guard unit.utf8.count <= FileLimits.unitBytesMax, unit.isPrintable else {
            throw value.error("must be at most \(FileLimits.unitBytesMax) bytes of printable text")
        }
        return unit
    }

    private static func timeZone(_ value: YAMLValue?) throws(ConfigurationError) -> String? {
        guard let value else { return nil }
        let name = try value.text("a time zone of the tz database")
        guard ZoneDatabase.zone(named: name) != nil else {
            throw value.error("'\(name)' must be a time zone of the tz database, such as Asia/Ho_Chi_Minh")
        }
        return name
    }

    private static func coordinate(_ value: YAMLValue?, limit: Double) throws(ConfigurationError) -> Double? {
        guard let value else { return nil }
        let allowed = "decimal degrees from -\(Int(limit)) to \(Int(limit))"
        let degrees = try value.number(allowed)
        guard abs(degrees) <= limit else { throw value.error("must be \(allowed)") }
        return degrees
    }

    private static func date(_ value: YAMLValue?) throws(ConfigurationError) -> Int64? {
        guard let value else { return nil }
        guard let day = Civil.parseDate(try value.text("a date")) else {
            throw value.error("must be a date, such as 2031-01-01")
        }
        return day
    }
}

extension String {
    /// No control characters: such a text stays one line and one field wherever it is shown.
    var isPrintable: Bool { self.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) } }
}
