import Monitoring
import TimeSeriesStore

/// The accounts of all stations in one line, for `status`.
struct AccountSummary: Encodable {
    /// Today's and yesterday's ledgers add up, and no incident says otherwise.
    let balanced: Bool
    /// Stations that owe more readings of today than are still on their way.
    let stationsIncomplete: Int
    /// Numbered messages that never came, of the boots that are remembered.
    let seqMissing: Int64
    /// When we do not read; null while we do.
    let outage: OutageItem?

    init(balanced: Bool, stationsIncomplete: Int, seqMissing: Int64, outage: OutageItem?) {
        self.balanced = balanced
        self.stationsIncomplete = stationsIncomplete
        self.seqMissing = seqMissing
        self.outage = outage
    }

    init(_ settings: Settings, _ reader: StoreReader, _ ledgers: LedgerMoment, nowMilliseconds now: Int64) throws {
        let registry = reader.registry
        let accounts = registry.stations.flatMap { reader.accounts(of: $0) }
        let incidents = try reader.incidents(openOnly: true)
        let outage = try reader.openOutage() ?? settings.silentCrash(reader, nowMilliseconds: now)
        self.init(
            balanced: ledgers.isBalanced && accounts.allSatisfy(\.balances)
                && !incidents.contains { $0.rule == "quantrac.unbalanced" },
            stationsIncomplete: try registry.stations.count {
                try Self.isIncomplete($0, reader, nowMilliseconds: now)
            }, seqMissing: accounts.reduce(0) { $0 + $1.missingCount },
            outage: outage.map { OutageItem($0, settings.timeText) })
    }

    /// Whether more than the reading that is just due is missing of today: counted from the day's summaries, which are
    /// at hand, without looking for gaps.
    private static func isIncomplete(
        _ station: Station, _ reader: StoreReader, nowMilliseconds now: Int64
    ) throws -> Bool {
        let registry = reader.registry
        let day = registry.site(of: station).zone.dayBucket(containing: now)
        let soFar = day.startMilliseconds..<max(day.startMilliseconds, now)
        let present = try station.seriesIndices.map { index in
            try reader.rollups(
                of: registry.series[index], level: .day, from: day.startMilliseconds, to: day.endMilliseconds, limit: 1
            ).first?.rollup.n ?? 0
        }
        guard let least = present.min() else { return false }
        func owes(since first: Int64?) -> Bool {
            station.duePeriods(in: soFar, firstMilliseconds: first).reduce(0) { $0 + $1.due } > least + 1
        }
        // The first reading ever is only looked for when it makes a difference.
        guard owes(since: .min) else { return false }
        return owes(since: try reader.firstMilliseconds(of: station))
    }

    /// Null where there is nothing, and always there.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.balanced, forKey: .balanced)
        try container.encode(self.stationsIncomplete, forKey: .stationsIncomplete)
        try container.encode(self.seqMissing, forKey: .seqMissing)
        try container.encode(self.outage, forKey: .outage)
    }

    private enum CodingKeys: CodingKey {
        case balanced
        case stationsIncomplete
        case seqMissing
        case outage
    }

    /// For people.
    var text: String {
        var text = self.balanced ? "balanced" : "DOES NOT ADD UP, see `quantrac incident list --open`"
        text += ", \(StoreRequestHandler.counted(self.stationsIncomplete, "station")) incomplete today"
        if self.seqMissing > 0 { text += ", \(StoreRequestHandler.counted(Int(self.seqMissing), "message")) missing" }
        if let outage = self.outage { text += ", not reading since \(outage.fromLocal) (\(outage.cause))" }
        return text
    }
}
