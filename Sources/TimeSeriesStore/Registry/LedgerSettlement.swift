import Monitoring

extension StoreWriter {
    /// Decides and folds what came so far, when a station file changes a site's clock.
    ///
    /// A reading is counted on the local day it was received on, and its fate, at its merge, on the day it was received
    /// on: with another clock in between these might be two days, and neither would add up.
    func settleLedgers(before file: StationFile) throws {
        let clockChanges = file.sites.contains { entry in
            self.registry.sites.contains {
                $0.id.lowercased() == entry.id.lowercased() && $0.zone.name != entry.timeZone ?? self.defaultZone
            }
        }
        guard clockChanges else { return }
        try self.mergeEverything(nowMilliseconds: self.newestReceivedMilliseconds)
        try self.foldCounts()
    }
}
