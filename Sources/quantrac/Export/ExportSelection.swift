import Monitoring

/// Which series, and of which time, an export is asked for.
struct ExportSelection {
    /// One series and the half-open time asked of it, `[from, to)`.
    struct Span {
        let series: Series
        let fromMilliseconds: Int64
        let toMilliseconds: Int64
    }

    /// Ids, or the word `all`.
    var stations: [String]
    var parameters: [String]
    var from: ExportTime?
    var to: ExportTime?

    /// The spans in the order of exports: station, then parameter, as bytes.
    ///
    /// Naming something that is not there is an error.
    func spans(registry: Registry) throws(VerbFailure) -> [Span] {
        let stations = try self.selectedStations(registry)
        let wanted = self.parameters.contains("all") ? nil : Set(self.parameters)
        var unseen = wanted ?? []
        var spans: [Span] = []
        for station in stations {
            let zone = registry.site(of: station).zone
            let from = self.from?.milliseconds(zone: zone) ?? TimeBounds.earliestMilliseconds
            let to = self.to?.milliseconds(zone: zone) ?? TimeBounds.endMilliseconds
            // An empty file would look as if nothing had been measured.
            guard from <= to else { throw .usage("--from is later than --to; from ≤ to is needed") }
            let series = station.seriesIndices.map { registry.series[$0] }
                .filter { wanted?.contains($0.parameter.text) ?? true }.sorted { $0.parameter < $1.parameter }
            for one in series {
                unseen.remove(one.parameter.text)
                if from < to { spans.append(Span(series: one, fromMilliseconds: from, toMilliseconds: to)) }
            }
        }
        guard unseen.isEmpty else {
            throw .usage("unknown parameter \(unseen.sorted().joined(separator: ", ")) at the stations asked for")
        }
        return spans
    }

    private func selectedStations(_ registry: Registry) throws(VerbFailure) -> [Station] {
        guard !self.stations.contains("all") else { return registry.stations.sorted { $0.id < $1.id } }
        var stations: [StationID: Station] = [:]
        for name in self.stations {
            guard let id = StationID(name), let station = registry.station(id) else {
                throw .usage("unknown station \(name)")
            }
            stations[id] = station
        }
        return stations.values.sorted { $0.id < $1.id }
    }
}

/// A time as `--from` and `--to` take it: an instant, or the first instant of a date at each site.
enum ExportTime: Hashable, Sendable {
    case instant(milliseconds: Int64)
    case date(localDay: Int64)

    static let allowed = "RFC 3339 with an offset (2026-11-23T09:00:00+07:00) or a date (2026-11-23)"

    /// Nil on anything but RFC 3339 with an offset, or a date.
    init?(_ text: String) {
        if let day = Civil.parseDate(text) {
            self = .date(localDay: day)
        } else if let milliseconds = Civil.parseRFC3339(text) {
            self = .instant(milliseconds: milliseconds)
        } else {
            return nil
        }
    }

    func milliseconds(zone: Zone) -> Int64 {
        let milliseconds =
            switch self {
            case .instant(let milliseconds): milliseconds
            case .date(let day): zone.start(ofLocalDay: day)
            }
        return min(max(milliseconds, TimeBounds.earliestMilliseconds), TimeBounds.endMilliseconds)
    }
}
