import GRDB
package import Monitoring

extension StoreReader {
    /// What devices said of their links, by station number, and when that changed.
    package func presence() throws -> [Int32: (online: Bool, changedMilliseconds: Int64)] {
        try self.pool.read { database in
            var presence: [Int32: (online: Bool, changedMilliseconds: Int64)] = [:]
            let rows = try Row.fetchCursor(
                database, sql: "SELECT station, online, changed FROM device WHERE online IS NOT NULL")
            while let row = try rows.next() { presence[row[0]] = (row[1], row[2]) }
            return presence
        }
    }

    /// The stored times that tell of every station's life, in the order of the registry.
    package func lives(
        presence: [Int32: (online: Bool, changedMilliseconds: Int64)], of registry: Registry
    ) -> [StationLife] {
        self.head.withState { state in
            registry.stations.map { station in
                let part = Int(station.number) < state.stations.count ? state.stations[Int(station.number)] : nil
                let said = presence[station.number]
                return StationLife(
                    intervalMilliseconds: station.intervalMilliseconds.latest, online: said?.online,
                    onlineChangedMilliseconds: said?.changedMilliseconds ?? 0,
                    heardMilliseconds: part?.lastReceivedMilliseconds ?? 0,
                    newestMilliseconds: station.seriesIndices.map { index in
                        let number = Int(registry.series[index].number)
                        return number < state.series.count ? state.series[number].newest : -1
                    })
            }
        }
    }
}
