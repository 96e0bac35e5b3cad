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
    private let clock: any WallClock
    private let kept = Mutex<Kept?>(nil)

    init(reader: StoreReader, clock: any WallClock) {
        self.reader = reader
        self.clock = clock
    }

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
        let lives = self.reader.lives(presence: try self.reader.presence(), of: registry)
        for (station, life) in zip(registry.stations, lives) { try self.write(station, life, registry, &json) }
        json.endArray()
        let written = Kept(json: json, at: .now, registry: registry)
        self.kept.withLock { $0 = written }
        return json
    }

    private func write(
        _ station: Station, _ life: StationLife, _ registry: Registry, _ json: inout JSONWriter
    ) throws {
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
        // Three things: what it said of its link, when it was last heard, and which parameters are fresh.
        json.key("online")
        if let online = life.online { json.value(online) } else { json.null() }
        json.key("lastReceived")
        json.value(life.heardMilliseconds > 0 ? life.heardMilliseconds : nil)
        json.key("parameters")
        json.beginArray()
        let now = self.clock.nowMilliseconds
        for (position, index) in station.seriesIndices.enumerated() {
            let series = registry.series[index]
            json.beginObject()
            json.key("id")
            json.value(series.parameter.text)
            json.key("unit")
            json.value(series.unit.latest)
            json.key("interval")
            json.value(station.intervalMilliseconds.latest)
            json.key("fresh")
            if let isFresh = life.isFresh(position, nowMilliseconds: now) { json.value(isFresh) } else { json.null() }
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
