import FieldFormats
import Monitoring
import Testing

@Suite struct DirectoryTests {
    @Test func `every station is found by its bytes, and nobody else`() throws {
        let ids =
            (0..<500).map { "station-\($0)" } + ["a", "A", "1234567", "12345678", "123456789"]
            + [String(repeating: "x", count: 64), String(repeating: "x", count: 63) + "y"]
        let directory = StationDirectory(registry: try makeRegistry(ids.map { ($0, []) }))
        func find(_ id: String) -> Int? { Array(id.utf8).withUnsafeBufferPointer { directory.stationIndex(of: $0) } }
        for (position, id) in ids.enumerated() { #expect(find(id) == position) }
        for stranger in ["", "station-500", "station-", "STATION-1", "b", "123456", "123456780", "x", "station-1/"] {
            #expect(find(stranger) == nil)
        }
    }

    @Test func `a directory of nothing finds nothing`() {
        let directory = StationDirectory(registry: .empty)
        #expect(Array("a".utf8).withUnsafeBufferPointer { directory.stationIndex(of: $0) } == nil)
    }

    @Test func `parameters of any length are told apart`() throws {
        var names: [String] = []
        for length in 1...64 {
            let stem = String(repeating: "p", count: length - 1)
            names += [stem + "a", stem + "b"]
            // Names that differ in the middle only.
            if length > 20 { names.append(stem.prefix(10) + "q" + stem.dropFirst(10)) }
        }
        let bench = try Bench([("st-1", names)])
        let members = names.shuffled().map { "\"\($0)\":\(names.firstIndex(of: $0) ?? -1)" }.joined(separator: ",")
        let decoded = bench.decode("{\"ts\":1,\"values\":{\(members)}}")
        #expect(decoded.samples.first?.values.count == names.count)
        #expect(bench.decoder.values.allSatisfy { $0.value == Double($0.seriesIndex) })
    }

    @Test(
        arguments: [
            ("quantrac/v1/st-1/telemetry", "st-1", .telemetry), ("quantrac/v1/s/history", "s", .history),
            ("quantrac/v1/st-1/event", "st-1", .event), ("quantrac/v1/st-1/status", "st-1", .status),
            ("quantrac/v1/_quantrac/response", "_quantrac", .response), ("quantrac/v1/trạm/status", "trạm", .status),
        ] as [(String, String, TopicKind)])
    func `a topic is a station and a kind`(topic: String, station: String, kind: TopicKind) throws {
        let parser = TopicParser(prefix: "quantrac/v1")
        try topic.withCString { text in
            let parsed = try #require(parser.parse(cString: text))
            #expect(String(decoding: parsed.station, as: UTF8.self) == station)
            #expect(parsed.kind == kind)
        }
    }

    @Test(arguments: [
        "", "quantrac/v1", "quantrac/v1/", "quantrac/v1/st-1", "quantrac/v1/st-1/", "quantrac/v1//telemetry",
        "quantrac/v1/st-1/telemetrx", "quantrac/v1/st-1/telemetry/", "quantrac/v1/st-1/x/telemetry",
        "quantrac/v2/st-1/telemetry", "quantrac/v1x/st-1/telemetry", "/quantrac/v1/st-1/telemetry",
        "quantrac/v1/st-1/command", "quantrac/v1/st-1/stored", "quantrac/v1/st-1/Status", "quantrac/v1/telemetry",
        "quantrac/v1/st-1/historys", "quantrac/v1/st-1/responses",
    ])
    func `a topic of another form is not ours`(topic: String) {
        let parser = TopicParser(prefix: "quantrac/v1")
        #expect(Array(topic.utf8).withUnsafeBufferPointer { parser.parse($0) == nil })
    }
}
