import Foundation
import Monitoring
import Testing

@testable import quantrac

private func read(_ text: String) throws(ConfigurationError) -> StationFile {
    try StationFileReader.read(text: text, file: "stations.yaml")
}

/// A station file around one station's lines; they begin at line 6.
private func around(_ station: String) -> String {
    "sites:\n  - id: na-duong\n    name: Na Dương (DEMO)\n    kind: mine\n    stations:\n" + station
}

@Suite struct StationFileTests {
    @Test func `the example of the surface reads as written`() throws {
        let file = try read(
            """
            sites:
              - id: na-duong
                name: Mỏ than Na Dương (DEMO)
                kind: mine                      # ambient-air | surface-water | wastewater | stack | mine
                timeZone: Asia/Ho_Chi_Minh      # optional
                stations:
                  - id: nd-dust-1
                    name: Trạm bụi cổng mỏ
                    kind: ambient-air           # optional, the site's is the default
                    latitude: 21.702
                    longitude: 106.985
                    interval: 60s
                    retired: 2031-01-01         # optional
                    parameters:
                      - {id: PM10, unit: µg/m³}
                      - {id: WindDir, unit: °, direction: true}
                      - {id: Tonnage, unit: t, kind: counter}   # gauge (default) | counter | sum
            """)
        let station = StationFile.StationEntry(
            id: try #require(StationID("nd-dust-1")), name: "Trạm bụi cổng mỏ", kind: .ambientAir, latitude: 21.702,
            longitude: 106.985, intervalMilliseconds: 60_000, retiredLocalDay: Civil.days(year: 2031, month: 1, day: 1),
            parameters: [
                .init(id: try #require(ParameterID("PM10")), unit: "\u{B5}g/m³", kind: .gauge, isDirection: false),
                .init(id: try #require(ParameterID("WindDir")), unit: "°", kind: .gauge, isDirection: true),
                .init(id: try #require(ParameterID("Tonnage")), unit: "t", kind: .counter, isDirection: false),
            ])
        #expect(
            file.sites == [
                .init(
                    id: "na-duong", name: "Mỏ than Na Dương (DEMO)", kind: .mine, timeZone: "Asia/Ho_Chi_Minh",
                    stations: [station])
            ])
    }

    @Test func `a station file may be JSON, with its durations in quotes`() throws {
        let file = try read(
            #"{"sites": [{"id": "s", "name": "S", "kind": "mine", "stations": [{"id": "a", "name": "A", "interval": "10s", "#
                + #""parameters": [{"id": "PM10", "unit": "mg/L"}]}]}]}"#)
        #expect(file.sites[0].stations[0].intervalMilliseconds == 10_000)
    }

    @Test func `what is optional may be left out`() throws {
        let file = try read(around("      - {id: 4711, parameters: [{id: pH, unit: \"\"}]}"))
        let station = try #require(file.sites.first?.stations.first)
        #expect(station.id.text == "4711")
        #expect(station.name == "4711")
        #expect(station.kind == nil && station.latitude == nil && station.intervalMilliseconds == nil)
        #expect(station.parameters.first?.unit == "")
        #expect(try read("sites: []").sites.isEmpty)
    }

    @Test(arguments: [
        ("\u{3BC}g/m³", "\u{B5}g/m³"), ("\u{B5}g/m³", "\u{B5}g/m³"), ("A\u{30A}", "\u{C5}"), ("\u{2126}", "\u{3A9}"),
        ("m³/h", "m³/h"), ("%V", "%V"),
    ])
    func `a unit has one spelling`(written: String, stored: String) throws {
        let file = try read(around("      - {id: a, parameters: [{id: P, unit: \"\(written)\"}]}"))
        let unit = try #require(file.sites.first?.stations.first?.parameters.first?.unit)
        #expect(Array(unit.utf8) == Array(stored.utf8))
    }

    private static let good = "[{id: P, unit: t}]"

    @Test(arguments: [
        ("", 0, "", "is empty"),
        ("site: []", 1, "site", "allowed are sites"),
        ("sites: {}", 1, "sites", "a list of sites"),
        ("sites:\n  - {id: a, kind: mine, zone: x}", 2, "sites[0].zone", "id, name, kind, timeZone, stations"),
        ("sites:\n  - {id: a}", 2, "sites[0]", "the key kind is missing"),
        ("sites:\n  - {kind: mine}", 2, "sites[0]", "the key id is missing"),
        ("sites:\n  - id: a\n    kind: air", 3, "sites[0].kind", "ambient-air, surface-water, wastewater, stack, mine"),
        ("sites:\n  - {id: a/b, kind: mine}", 2, "sites[0].id", "letters, digits"),
        ("sites:\n  - {id: -a, kind: mine}", 2, "sites[0].id", "beginning with a letter"),
        ("sites:\n  - {id: a, kind: mine}\n  - {id: A, kind: mine}", 3, "sites[1].id", "already there at line 2"),
        ("sites:\n  - {id: a, kind: mine, timeZone: Mars}", 2, "sites[0].timeZone", "tz database"),
        (
            around("      - {id: x, parameters: \(good)}\n      - {id: X, parameters: \(good)}"), 7,
            "sites[0].stations[1].id", "station X is already there at line 6"
        ),
        (around("      - id: x"), 6, "sites[0].stations[0]", "the key parameters is missing"),
        (around("      - {id: x, parametres: \(good)}"), 6, "sites[0].stations[0].parametres", "allowed are id, name"),
        (
            around("      - {id: x, latitude: 91, longitude: 1, parameters: \(good)}"), 6,
            "sites[0].stations[0].latitude", "from -90 to 90"
        ),
        (
            around("      - {id: x, latitude: 9, longitude: 181, parameters: \(good)}"), 6,
            "sites[0].stations[0].longitude", "from -180 to 180"
        ),
        (around("      - {id: x, latitude: 9, parameters: \(good)}"), 6, "sites[0].stations[0]", "go together"),
        (
            around("      - {id: x, latitude: north, longitude: 1, parameters: \(good)}"), 6,
            "sites[0].stations[0].latitude", "decimal degrees"
        ),
        (around("      - id: x\n        interval: 60"), 7, "sites[0].stations[0].interval", "such as 90s or 5m"),
        (around("      - id: x\n        interval: 0s"), 7, "sites[0].stations[0].interval", "from 1ms to 366d"),
        (around("      - id: x\n        interval: 1.5h"), 7, "sites[0].stations[0].interval", "a whole number"),
        (around("      - id: x\n        interval: 99999999999999999999d"), 7, "sites[0].stations[0].interval", "366d"),
        (around("      - id: x\n        retired: 2031-02-29"), 7, "sites[0].stations[0].retired", "2031-01-01"),
        (around("      - id: x\n        name: [a]"), 7, "sites[0].stations[0].name", "a name"),
        (around("      - id: x\n        name: \"a\\nb\""), 7, "sites[0].stations[0].name", "printable"),
        (around("      - id: x\n        parameters: {}"), 7, "sites[0].stations[0].parameters", "a list of parameters"),
        (
            around("      - id: x\n        parameters:\n          - {id: PM 10, unit: t}"), 8,
            "sites[0].stations[0].parameters[0].id", "letters, digits"
        ),
        (
            around("      - id: x\n        parameters:\n          - {id: P}"), 8, "sites[0].stations[0].parameters[0]",
            "the key unit is missing"
        ),
        (
            around("      - id: x\n        parameters:\n          - {id: P, unit: t}\n          - {id: P, unit: t}"), 9,
            "sites[0].stations[0].parameters[1].id", "already there at line 8"
        ),
        (
            around("      - {id: x, parameters: [{id: P, unit: t, kind: meter}]}"), 6,
            "sites[0].stations[0].parameters[0].kind", "gauge, counter, sum"
        ),
        (
            around("      - {id: x, parameters: [{id: P, unit: °, direction: true, kind: sum}]}"), 6,
            "sites[0].stations[0].parameters[0]", "cannot be a sum"
        ),
        (
            around("      - {id: x, parameters: [{id: P, unit: °, direction: 1}]}"), 6,
            "sites[0].stations[0].parameters[0].direction", "true or false"
        ),
    ])
    func `a bad station file is refused with line, key and what is allowed`(
        text: String, line: Int, key: String, says: String
    ) {
        let error = #expect(throws: ConfigurationError.self) { try read(text) }
        guard let error else { return }
        #expect(error.place == (line == 0 ? "stations.yaml" : "stations.yaml:\(line)"), "\(error)")
        #expect(error.key == key, "\(error)")
        #expect(error.problem.contains(says), "\(error)")
    }

    @Test func `thousands of stations read quickly`() throws {
        var text = "sites:\n  - id: s\n    kind: mine\n    stations:\n"
        for number in 0..<3_000 {
            text += "      - id: station-\(number)\n        interval: 60s\n        parameters:\n"
            for parameter in 0..<10 { text += "          - {id: P\(parameter), unit: µg/m³}\n" }
        }
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try read(text).sites.first?.stations.count == 3_000)
        let duration = clock.now - start
        // Generous: a debug build on a busy machine. It guards against something quadratic.
        #expect(duration < .seconds(60))
    }
}
