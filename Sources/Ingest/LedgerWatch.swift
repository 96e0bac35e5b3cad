import Monitoring
import TimeSeriesStore

/// Checks all the time that the ledgers balance, and raises an incident when one does not (invariant I5).
struct LedgerWatch {
    static let rule = "quantrac.unbalanced"
    /// Stations with an open incident; 0 for messages of stations nobody knows.
    private var unbalanced: Set<Int32>
    private var missing: [Int32: Int64] = [:]
    private var missingInAll: Int64 = 0

    init(_ writer: StoreWriter) throws {
        // Those an earlier run left open are ours to clear.
        let open = try writer.reader.incidents(openOnly: true).filter { $0.rule == Self.rule }
        self.unbalanced = Set(open.compactMap { Int32($0.subject.dropFirst("station:".count)) })
        writer.touchAllLedgers()
    }

    /// Checks some of the stations whose ledgers changed.
    mutating func look(_ now: Int64, writer: StoreWriter, metrics: ServiceMetrics) throws {
        var effects = BatchEffects()
        var unbalanced = self.unbalanced
        for result in try writer.checkLedgers(limit: IngestLimits.ledgersCheckedMax) {
            self.missingInAll += result.missingCount - self.missing[result.station, default: 0]
            self.missing[result.station] = result.missingCount == 0 ? nil : result.missingCount
            let subject = "station:\(result.station)"
            if let imbalance = result.imbalance {
                guard unbalanced.insert(result.station).inserted else { continue }
                let name = writer.registry.stationIndex(number: result.station).map {
                    writer.registry.stations[$0].id.text
                }
                effects.incidents.append(
                    .open(
                        id: writer.reserveIncident(), name: "\(Self.rule)/\(name ?? "unknown")/\(now)",
                        rule: Self.rule, subject: subject, series: nil,
                        station: name == nil ? nil : result.station, severity: "alarm", openedMilliseconds: now,
                        sinceMilliseconds: now, value: nil, bound: nil, foundLate: false,
                        detail: "The account of \(name ?? "unknown stations") does not add up for what was received "
                            + "on \(Civil.formatDate(days: imbalance.day)): \(imbalance.figures)"))
            } else if unbalanced.remove(result.station) != nil {
                effects.incidents.append(.cleared(rule: Self.rule, subject: subject, atMilliseconds: now))
            }
        }
        try writer.apply(effects, atMilliseconds: now)
        self.unbalanced = unbalanced
        metrics.ledgerUnbalanced.set(unbalanced.count)
        metrics.sequenceMissing.set(self.missingInAll)
    }
}
