import Monitoring
import Testing

@testable import quantrac

private func text(_ value: Double) -> String {
    var bytes: [UInt8] = []
    NumberText.append(value, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}

private let hanoi = Zone(name: "Asia/Ho_Chi_Minh", offsetSeconds: 25_200)

private func registry(method: Rollup.Method = .plain, unit: String = "\u{B5}g/m³") throws -> Registry {
    let site = Site(id: "s", name: "S", kind: .mine, zone: hanoi)
    let station = Station(
        number: 1, id: try #require(StationID("nd-1")), name: "Nd", siteIndex: 0, kind: .ambientAir, latitude: nil,
        longitude: nil, intervalMilliseconds: Dated(600_000), retiredMilliseconds: nil, seriesIndices: [0])
    let series = Series(
        number: 1, stationIndex: 0, parameter: try #require(ParameterID("PM10")), unit: Dated(unit),
        kind: method == .counter ? .counter : .gauge, isDirection: method == .direction)
    return Registry(sites: [site], stations: [station], series: [series])
}

@Suite struct NumberTextTests {
    @Test(
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (100, "100"), (31.4, "31.4"), (0.1, "0.1"), (-0.1, "-0.1"),
            (0.0001, "0.0001"), (0.00001, "1e-5"), (0.000012345, "1.2345e-5"), (12.1234, "12.1234"),
            (12.12345, "12.12345"), (0.1 + 0.2, "0.30000000000000004"), (1.0 / 3, "0.3333333333333333"),
            (999_999_999, "999999999"), (1_234_567_890, "1234567890"), (9_007_199_254_740_992, "9007199254740992"),
            (1e15, "1000000000000000"), (1e16, "1e16"), (1e21, "1e21"), (1.5e300, "1.5e300"),
            (.leastNonzeroMagnitude, "5e-324"),
            (-1.7976931348623157e308, "-1.7976931348623157e308"), (1e100, "1e100"), (1.25e-10, "1.25e-10"),
            (-273.15, "-273.15"), (1_013.25, "1013.25"), (0.5, "0.5"), (1e-4, "0.0001"), (123_456.7891, "123456.7891"),
            (999_999_999.9999, "999999999.9999"), (1e9, "1000000000"),
        ] as [(Double, String)])
    func `a number has its shortest text`(value: Double, expected: String) {
        #expect(text(value) == expected)
        #expect(Double(text(value))?.bitPattern == value.bitPattern)
    }

    @Test func `every number reads back to the same bits and is no longer than Swift's own text`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let bits = UInt64.random(in: 0...UInt64.max, using: &random)
            let values = [
                Double(bitPattern: bits), Double.random(in: -1e4...1e4, using: &random),
                (Double.random(in: -1e6...1e6, using: &random) * 1_000).rounded() / 1_000,
                Double(Int64.random(in: -1_000_000...1_000_000, using: &random)) / 100,
            ]
            for value in values where value.isFinite {
                let text = text(value)
                #expect(Double(text)?.bitPattern == value.bitPattern, "bits \(value.bitPattern)")
                #expect(text.utf8.count <= value.description.utf8.count, "bits \(value.bitPattern)")
            }
        }
    }

    @Test(
        arguments: [(0, "0"), (7, "7"), (-7, "-7"), (1_440, "1440"), (.max, "9223372036854775807")] as [(Int64, String)]
    )
    func `a count is its digits`(value: Int64, expected: String) {
        var bytes: [UInt8] = []
        NumberText.append(value, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
    }
}

@Suite struct RowTests {
    private static let at: Int64 = 1_795_420_800_123

    private func raw(_ format: ExportFormat, version: Int? = nil) throws -> String {
        let registry = try registry()
        var row = RowBuilder(format: format)
        row.header(ExportRows.columns(level: .raw, revisions: version != nil))
        let reading = Reading(
            timeMilliseconds: Self.at, value: 31.4, status: .measuring, receivedSeconds: 1_795_420_807)
        ExportSeries(registry.series[0], registry: registry).append(reading, version: version, to: &row)
        return String(decoding: row.bytes, as: UTF8.self)
    }

    @Test func `a raw row in CSV`() throws {
        #expect(
            try self.raw(.csv) == """
                station,parameter,unit,time,received,value,status
                nd-1,PM10,\u{B5}g/m³,2026-11-23T15:00:00.123+07:00,2026-11-23T15:00:07+07:00,31.4,00

                """)
        #expect(
            try self.raw(.csv, version: 2) == """
                station,parameter,unit,time,received,value,status,version
                nd-1,PM10,\u{B5}g/m³,2026-11-23T15:00:00.123+07:00,2026-11-23T15:00:07+07:00,31.4,00,2

                """)
    }

    @Test func `a raw row in NDJSON has the same columns`() throws {
        let line = #"{"station":"nd-1","parameter":"PM10","unit":"µg/m³","time":"2026-11-23T15:00:00.123+07:00","#
        #expect(
            try self.raw(.ndjson)
                == line + #""received":"2026-11-23T15:00:07+07:00","value":31.4,"status":"00"}"# + "\n")
        #expect(
            try self.raw(.ndjson, version: 1)
                == line + #""received":"2026-11-23T15:00:07+07:00","value":31.4,"status":"00","version":1}"# + "\n")
    }

    private func bucket(
        _ format: ExportFormat, method: Rollup.Method, values: [(Double, Status)], unit: String = "t"
    ) throws -> String {
        let registry = try registry(method: method, unit: unit)
        var rollup = Rollup()
        let start: Int64 = 1_795_417_200_000
        for (index, (value, status)) in values.enumerated() {
            rollup.add(value, status: status, atMilliseconds: start + Int64(index) * 600_000, method: method)
        }
        var row = RowBuilder(format: format)
        ExportSeries(registry.series[0], registry: registry).append(
            Bucket(startMilliseconds: start, endMilliseconds: start + 3_600_000), rollup, total: rollup.sum, to: &row)
        return String(decoding: row.bytes, as: UTF8.self)
    }

    private static let hour = "nd-1,PM10,t,2026-11-23T14:00:00+07:00,2026-11-23T15:00:00+07:00"

    @Test func `an hour of a gauge`() throws {
        #expect(
            try self.bucket(
                .csv, method: .plain, values: [(2, .measuring), (9, .fault), (4, .measuring), (3, .measuring)])
                == "\(Self.hour),4,3,6,3,9,2,2026-11-23T14:00:00.000+07:00,4,2026-11-23T14:20:00.000+07:00,2,3\n")
    }

    @Test func `an hour of which nothing counts has only its counts`() throws {
        #expect(
            try self.bucket(.csv, method: .plain, values: [(2, .calibrating)]) == "\(Self.hour),1,0,6,,,,,,,,\n")
        let json = try self.bucket(.ndjson, method: .plain, values: [(2, .calibrating)])
        #expect(json.contains(#""n":1,"n_valid":0,"n_due":6,"mean":null,"sum":null,"min":null,"min_at":null,"#))
    }

    @Test func `an hour of a direction has its direction for a mean, and no extremes`() throws {
        let row = try self.bucket(.csv, method: .direction, values: [(90, .measuring)])
        #expect(row == "\(Self.hour),1,1,6,90,,,,,,90,90\n")
    }

    @Test func `an hour of a counter has its growth for a sum, and no mean`() throws {
        #expect(
            try self.bucket(.csv, method: .counter, values: [(10, .measuring), (15, .measuring)])
                == "\(Self.hour),2,2,6,,5,10,2026-11-23T14:00:00.000+07:00,15,2026-11-23T14:10:00.000+07:00,10,15\n")
    }

    @Test(arguments: [
        ("t", "t", #""t""#), ("a,b", "\"a,b\"", #""a,b""#), ("a\"b", "\"a\"\"b\"", #""a\"b""#),
        ("a\nb", "\"a\nb\"", #""a\nb""#), ("", "", #""""#), ("°", "°", #""°""#), ("a\\b", "a\\b", #""a\\b""#),
        ("a\u{1}b", "a\u{1}b", #""a\u0001b""#), ("a b", "a b", #""a b""#),
    ])
    func `a text is quoted only where it must be`(text: String, csv: String, json: String) {
        var bytes: [UInt8] = []
        RowBuilder.appendCSV(text, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == csv)
        bytes = []
        RowBuilder.appendJSON(text, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == json)
    }

    @Test func `the columns of the levels are those of the surface`() {
        #expect(
            ExportRows.columns(level: .hour, revisions: false).joined(separator: ",")
                == "station,parameter,unit,start,end,n,n_valid,n_due,mean,sum,min,min_at,max,max_at,first,last")
        #expect(
            ExportRows.columns(level: .raw, revisions: false).joined(separator: ",")
                == "station,parameter,unit,time,received,value,status")
    }
}

@Suite struct ExportSelectionTests {
    /// Stations b (Berlin) with P and Q, a (Hanoi) with Q and P.
    private func two() throws -> Registry {
        let berlin = Zone(name: "Europe/Berlin", offsetSeconds: 3_600)
        let sites = [
            Site(id: "x", name: "X", kind: .mine, zone: berlin), Site(id: "y", name: "Y", kind: .mine, zone: hanoi),
        ]
        var stations: [Station] = []
        var series: [Series] = []
        for (index, (id, parameters)) in [("b", ["P", "Q"]), ("a", ["Q", "P"])].enumerated() {
            stations.append(
                Station(
                    number: Int32(index), id: try #require(StationID(id)), name: id, siteIndex: index, kind: .mine,
                    latitude: nil, longitude: nil, intervalMilliseconds: Dated(nil), retiredMilliseconds: nil,
                    seriesIndices: [series.count, series.count + 1]))
            for parameter in parameters {
                series.append(
                    Series(
                        number: Int32(series.count), stationIndex: index,
                        parameter: try #require(ParameterID(parameter)),
                        unit: Dated("t"), kind: .gauge, isDirection: false))
            }
        }
        return Registry(sites: sites, stations: stations, series: series)
    }

    private func names(_ selection: ExportSelection) throws -> [String] {
        let registry = try self.two()
        return try selection.spans(registry: registry).map {
            "\(registry.station(of: $0.series).id)/\($0.series.parameter)"
        }
    }

    @Test func `all is a set, in the order of bytes`() throws {
        #expect(try self.names(.init(stations: ["all"], parameters: ["all"])) == ["a/P", "a/Q", "b/P", "b/Q"])
        #expect(try self.names(.init(stations: ["b", "a", "b"], parameters: ["Q"])) == ["a/Q", "b/Q"])
    }

    @Test func `an unknown station or parameter is named`() {
        let station = #expect(throws: VerbFailure.self) {
            try self.names(.init(stations: ["a", "nope"], parameters: ["all"]))
        }
        #expect(station == .usage("unknown station nope"))
        let parameter = #expect(throws: VerbFailure.self) {
            try self.names(.init(stations: ["a"], parameters: ["P", "PM10"]))
        }
        #expect(parameter == .usage("unknown parameter PM10 at the stations asked for"))
    }

    @Test func `all of nothing is nothing`() throws {
        #expect(try ExportSelection(stations: ["all"], parameters: ["all"]).spans(registry: .empty).isEmpty)
    }

    @Test func `a date begins at each site's own midnight`() throws {
        let spans = try ExportSelection(
            stations: ["all"], parameters: ["P"], from: ExportTime("2026-11-23"), to: ExportTime("2026-11-24T00:00:00Z")
        ).spans(registry: try self.two())
        let utcMidnight = Civil.days(year: 2026, month: 11, day: 23) * Civil.millisecondsPerDay
        #expect(spans.map(\.fromMilliseconds) == [utcMidnight - 25_200_000, utcMidnight - 3_600_000])
        #expect(spans.map(\.toMilliseconds) == Array(repeating: utcMidnight + 86_400_000, count: 2))
    }

    @Test(arguments: ["2026-11-23T09:00:00", "yesterday", "2026-13-01", "1795420800000", ""])
    func `a time without an offset is none`(text: String) { #expect(ExportTime(text) == nil) }
}
