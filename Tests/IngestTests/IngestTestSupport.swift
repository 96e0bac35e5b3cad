import Alerting
import FieldFormats
import Foundation
import Monitoring
import TimeSeriesStore

@testable import Ingest

/// A registry of two stations, and a builder over it.
struct Bench {
    static let now: Int64 = 1_795_420_800_000
    let registry: Registry
    let builder: BatchBuilder

    init(rules: [Rule] = [], stationsWithClockOff: Set<Int32> = [], sealedBefore: Int64 = 0) {
        let zone = Zone(name: "Asia/Ho_Chi_Minh", offsetSeconds: 7 * 3_600)
        let parameters = ["PM10", "SO2"]
        var series: [Series] = []
        var stations: [Station] = []
        for (index, name) in ["a", "b"].enumerated() {
            let first = series.count
            for parameter in parameters {
                series.append(
                    Series(
                        number: Int32(10 * (index + 1) + series.count), stationIndex: index,
                        parameter: ParameterID(parameter)!, unit: Dated("µg/m³"), kind: .gauge, isDirection: false))
            }
            stations.append(
                Station(
                    number: Int32(index + 1), id: StationID(name)!, name: name, siteIndex: 0, kind: .ambientAir,
                    latitude: nil, longitude: nil, intervalMilliseconds: Dated(60_000), retiredMilliseconds: nil,
                    seriesIndices: Array(first..<series.count), sealedBeforeMilliseconds: sealedBefore))
        }
        self.registry = Registry(
            sites: [Site(id: "s", name: "S", kind: .ambientAir, zone: zone)], stations: stations, series: series)
        let ruleSet = RuleSet(version: 1, channels: [Channel(id: "duty", webhook: "http://127.0.0.1:1/")], rules: rules)
        final class Counter { var next: Int64 = 0 }
        let counter = Counter()
        self.builder = BatchBuilder(
            topicPrefix: "quantrac/v1", markerStation: "_quantrac",
            bounds: DeviceTimeBounds(oldestDays: 400, newestSeconds: 300),
            directory: StationDirectory(registry: self.registry),
            alerts: AlertBook(bindings: ruleSet.bindings(self.registry)), stationsWithClockOff: stationsWithClockOff,
            reserveIncident: {
                counter.next += 1
                return counter.next
            })
        self.begin()
    }

    func begin(at now: Int64 = Bench.now, outage: Outage? = nil) {
        self.builder.begin(receivedMilliseconds: now, outage: outage)
    }

    func take(_ topic: String, _ payload: String, isQoS0: Bool = false) {
        Array(topic.utf8).withUnsafeBufferPointer { topic in
            Array(payload.utf8).withUnsafeBytes { payload in
                self.builder.take(topic: topic, payload: payload, isQoS0: isQoS0, flags: [])
            }
        }
    }

    func telemetry(_ station: String, _ json: String) { self.take("quantrac/v1/\(station)/telemetry", json) }

    /// What stands in the frame, as lines.
    func frameLines() throws -> [String] {
        try self.builder.frame.withFrame(self.builder.header) { bytes in
            var reader = try FrameReader(bytes, sequence: 1)
            var lines: [String] = []
            while let message = try reader.nextMessage() {
                let boot = String(decoding: message.boot, as: UTF8.self)
                lines.append(
                    "station \(message.station) flags \(message.flags.rawValue) set aside \(message.quarantinedCount)"
                        + (message.sequence.map { " seq \($0) boot '\(boot)'" } ?? ""))
                for _ in 0..<message.sampleCount {
                    let sample = try reader.nextSample()
                    for _ in 0..<sample.readingCount {
                        let reading = try reader.nextReading()
                        lines.append(
                            "  \(reading.series) \(sample.timeMilliseconds - Bench.now) \(reading.value) \(reading.status)"
                        )
                    }
                }
            }
            return lines
        }
    }
}
