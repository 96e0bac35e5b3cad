import Alerting
import Monitoring
import TimeSeriesStore

/// Raises and clears the incidents about stations that are offline, silent or stale.
final class LifeKeeper {
    private let writer: StoreWriter
    private let metrics: ServiceMetrics
    /// What devices said of their links, as it is in the store.
    private var presence: [Int32: (online: Bool, changedMilliseconds: Int64)]
    private var watches: [Int32: StationWatch] = [:]
    private var nextLook: Int64 = 0

    init(writer: StoreWriter, metrics: ServiceMetrics) throws {
        self.writer = writer
        self.metrics = metrics
        self.presence = try writer.reader.presence()
        var open: [Int32: Set<LifeTrouble>] = [:]
        for incident in try writer.reader.incidents(openOnly: true, limit: .max) {
            guard let trouble = LifeTrouble.allCases.first(where: { Self.rule($0) == incident.rule }),
                let station = Int32(incident.subject.dropFirst("station:".count))
            else { continue }
            open[station, default: []].insert(trouble)
        }
        self.watches = open.mapValues { StationWatch(open: $0) }
    }

    private static func rule(_ trouble: LifeTrouble) -> String {
        switch trouble {
        case .offline: "quantrac.offline"
        case .silent: "quantrac.silent"
        case .stale: "quantrac.stale"
        }
    }

    /// Takes over what a committed batch said of links.
    ///
    /// A retained word that is only heard again changes nothing (the store sees it the same way).
    func take(_ presence: [(station: Int32, online: Bool, detail: String)], atMilliseconds now: Int64) {
        for item in presence where self.presence[item.station]?.online != item.online {
            self.presence[item.station] = (item.online, now)
        }
    }

    /// Looks at all stations, when it is time.
    ///
    /// - Parameter outage: The last time we were not caught up with the broker; its end is when we came back.
    func look(nowMilliseconds now: Int64, outage: Outage?) throws {
        guard now >= self.nextLook || now < self.nextLook - IngestLimits.lifeMilliseconds else { return }
        self.nextLook = now + IngestLimits.lifeMilliseconds
        let registry = self.writer.registry
        let back = outage.map { $0.toMilliseconds == .max ? nil : $0.toMilliseconds } ?? 0
        let lives = self.writer.reader.lives(presence: self.presence, of: registry)
        var effects = BatchEffects()
        var watches = self.watches
        var counts = (offline: 0, silent: 0, stale: 0)
        for (station, life) in zip(registry.stations, lives) {
            // Of a retired station nothing is expected; what was open of it is over.
            let isRetired = station.retiredMilliseconds.map { now >= $0 } ?? false
            var watch = watches[station.number] ?? StationWatch()
            let changes =
                isRetired
                ? watch.open.map { StationWatch.Change.cleared($0) }
                : watch.look(life, nowMilliseconds: now, backMilliseconds: back)
            if isRetired { watch = StationWatch() }
            watches[station.number] = watch.open.isEmpty ? nil : watch
            for change in changes { self.append(change, station, registry, now, &effects) }
            if watch.open.contains(.offline) { counts.offline += 1 }
            if watch.open.contains(.silent) { counts.silent += 1 }
            if watch.open.contains(.stale) { counts.stale += 1 }
        }
        try self.writer.apply(effects, atMilliseconds: now)
        self.watches = watches
        self.metrics.stationsOffline.set(counts.offline)
        self.metrics.stationsSilent.set(counts.silent)
        self.metrics.stationsStale.set(counts.stale)
    }

    private func append(
        _ change: StationWatch.Change, _ station: Station, _ registry: Registry, _ now: Int64,
        _ effects: inout BatchEffects
    ) {
        let subject = "station:\(station.number)"
        guard case .raised(let trouble, let since, let parameters) = change else {
            guard case .cleared(let trouble) = change else { return }
            effects.incidents.append(
                .cleared(rule: Self.rule(trouble), subject: subject, atMilliseconds: now))
            return
        }
        let rule = Self.rule(trouble)
        let time = Civil.formatRFC3339(milliseconds: since)
        let detail: String
        switch trouble {
        case .offline: detail = "The link of station \(station.id) has been down since \(time)"
        case .silent: detail = "Nothing was received of station \(station.id) since \(time)"
        case .stale:
            let names = parameters.map { registry.series[station.seriesIndices[$0]].parameter.text }
            detail =
                "Station \(station.id) sends, but has no fresh reading of \(names.joined(separator: ", ")); the oldest "
                + "is of \(time)"
        }
        effects.incidents.append(
            .open(
                id: self.writer.reserveIncident(), name: "\(rule)/\(station.id)/\(now)", rule: rule, subject: subject,
                series: nil, station: station.number, severity: "warning", openedMilliseconds: now,
                sinceMilliseconds: since, value: nil, bound: nil, foundLate: false, detail: detail))
    }
}
