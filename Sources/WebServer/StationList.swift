import Monitoring
import NIOCore
import Synchronization
import TimeSeriesStore

/// The stations with their last readings, as one JSON array.
///
/// Reading the last value of thousands of series takes a while, so that an answer is served again for a second.
final class StationList: Sendable {
    private struct Kept {
        let json: JSONWriter
        let at: ContinuousClock.Instant
        let registry: Registry
    }

    private let reader: StoreReader
    private let kept = Mutex<Kept?>(nil)

    init(reader: StoreReader) { self.reader = reader }

    /// Blocks for one short read transaction per series.
    func write() throws -> JSONWriter {
        let registry = self.reader.registry
        if let kept = self.kept.withLock({ $0 }), kept.registry === registry,
            kept.at.duration(to: .now) < .milliseconds(WebLimits.stationListAgeMillisecondsMax)
        {
            return kept.json
        }
        var json = JSONWriter(reservingBytes: 64 * registry.series.count)
        json.beginArray()
        for station in registry.stations { try self.write(station, registry, &json) }
        json.endArray()
        let written = Kept(json: json, at: .now, registry: registry)
        self.kept.withLock { $0 = written }
        return json
    }

    private func write(_ station: Station, _ registry: Registry, _ json: inout JSONWriter) throws {
        json.beginObject()
        json.key("id")
        json.value(station.id.text)
        json.key("name")
        json.value(station.name)
        json.key("site")
        json.value(registry.site(of: station).id)
        json.key("kind")
        json.value(station.kind.rawValue)
        json.key("latitude")
        json.value(station.latitude)
        json.key("longitude")
        json.value(station.longitude)
        json.key("parameters")
        json.beginArray()
        for index in station.seriesIndices {
            let series = registry.series[index]
            json.beginObject()
            json.key("id")
            json.value(series.parameter.text)
            json.key("unit")
            json.value(series.unit.latest)
            json.key("interval")
            json.value(station.intervalMilliseconds.latest)
            json.key("last")
            self.write(try self.last(of: series), &json)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }

    private func last(of series: Series) throws -> Reading? {
        let newest = self.reader.newestMilliseconds(of: series)
        guard newest >= 0 else { return nil }
        // Without receipt times: they would cost a second column per series.
        return try self.reader.values(of: series, from: newest, to: newest + 1, limit: 1, view: .corrected).first
    }

    private func write(_ reading: Reading?, _ json: inout JSONWriter) {
        guard let reading else { return json.null() }
        json.beginObject()
        json.key("time")
        json.value(reading.timeMilliseconds)
        json.key("value")
        json.value(reading.value)
        json.key("status")
        json.value(reading.status)
        json.endObject()
    }
}
