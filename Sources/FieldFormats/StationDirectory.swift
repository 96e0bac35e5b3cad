package import Monitoring

/// Who may send what: station ids and their parameters, looked up by bytes.
///
/// Built once per registry.
///
/// Positions it returns are those of the registry it was made from.
package final class StationDirectory: Sendable {
    /// The registry it was made from.
    package let registry: Registry
    /// The most parameters of any station.
    let parametersPerStationMax: Int

    // Written by init only, freed by deinit: reading from any thread is safe.
    nonisolated(unsafe) private let ids: NameTable
    nonisolated(unsafe) private let parameters: UnsafeMutablePointer<ParameterTable>

    /// The parameters of one station.
    struct ParameterTable {
        let names: NameTable
        /// Position in `Registry.series` of each name.
        let seriesIndices: UnsafeMutablePointer<Int32>
    }

    package init(registry: Registry) {
        let stations = registry.stations
        self.registry = registry
        self.parametersPerStationMax = stations.lazy.map(\.seriesIndices.count).max() ?? 0
        self.ids = NameTable(stations.map(\.id.text))
        self.parameters = .allocate(capacity: max(1, stations.count))
        for (position, station) in stations.enumerated() {
            let indices = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, station.seriesIndices.count))
            for (local, series) in station.seriesIndices.enumerated() {
                (indices + local).initialize(to: Int32(series))
            }
            let names = NameTable(station.seriesIndices.map { registry.series[$0].parameter.text })
            (self.parameters + position).initialize(to: ParameterTable(names: names, seriesIndices: indices))
        }
    }

    deinit {
        self.ids.deallocate()
        for position in self.registry.stations.indices {
            self.parameters[position].names.deallocate()
            self.parameters[position].seriesIndices.deallocate()
        }
        self.parameters.deallocate()
    }

    /// The position in `Registry.stations` of an id (as written, case matters); nil when it is not there.
    package func stationIndex(of id: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let bytes = id.baseAddress, id.count > 0 else { return nil }
        let position = self.ids.find(Name(exact: bytes, count: id.count))
        return position < 0 ? nil : position
    }

    /// The parameters of a station; valid as long as the directory is.
    func parameters(ofStation index: Int) -> ParameterTable {
        precondition(index >= 0 && index < self.registry.stations.count, "a station of another directory")
        return self.parameters[index]
    }
}
