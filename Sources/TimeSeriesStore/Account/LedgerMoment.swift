import Foundation
import GRDB
package import Monitoring

/// The ledgers of some days and what is unmerged of them, at one moment.
package struct LedgerMoment: Sendable {
    package fileprivate(set) var counts: [LedgerKey: LedgerCounts] = [:]
    package fileprivate(set) var unmerged: [LedgerKey: Int] = [:]

    /// Whether every day asked for adds up.
    package var isBalanced: Bool {
        Set(self.counts.keys).union(self.unmerged.keys).allSatisfy { self.imbalance($0) == nil }
    }

    /// What does not add up on a day; nil when everything does.
    package func imbalance(_ key: LedgerKey) -> String? {
        LedgerBalance.imbalance(self.counts[key] ?? LedgerCounts(), unmerged: self.unmerged[key] ?? 0)
    }
}

extension LedgerKey {
    package init(_ station: Station, day: Int64) { self.init(station: station.number, day: day) }
}

extension StoreReader {
    /// Opens a store beside the service, or when none runs, with the ledgers of the same moment.
    ///
    /// - Parameter days: Which local days are asked of a site.
    package static func open(
        path: String, defaultZone: String, ledgersOf days: @Sendable (Site) -> ClosedRange<Int64>
    ) throws -> (reader: StoreReader, ledgers: LedgerMoment) {
        let files = StoreFiles(database: path)
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreError(.wrongFile, "\(path): no store there yet; `quantrac serve` creates it")
        }
        let pool = try StoreOpening.pool(files, readonly: true)
        let (loaded, head, ledgers) = try pool.read { database in
            let loaded = try RegistryRows.load(database, defaultZone: defaultZone)
            let head = try Replay.run(database, loaded).head
            var moment = LedgerMoment()
            for station in loaded.registry.stations {
                let asked = days(loaded.registry.site(of: station))
                let rows = try LedgerRows.load(
                    database, station: station.number, fromDay: asked.lowerBound, throughDay: asked.upperBound)
                for (day, counts) in rows { moment.counts[LedgerKey(station, day: day)] = counts }
                let unmerged = head.unmergedByDay(station: Int(station.number), isExact: true)
                for (day, count) in unmerged where asked.contains(day) {
                    moment.unmerged[LedgerKey(station, day: day)] = count
                }
                for day in asked {
                    let key = LedgerKey(station, day: day)
                    if let more = head.ledger[key] { moment.counts[key, default: .init()] += more }
                }
            }
            return (loaded, UncheckedBox(head), moment)
        }
        let reader = StoreReader(
            files: files, pool: pool, head: Head(head.value), loaded: loaded, defaultZone: defaultZone)
        return (reader, ledgers)
    }
}
