import Monitoring
import TimeSeriesStore

/// A station's account for people.
enum AccountText {
    static let header = [
        "STATION", "DAY", "MESSAGES", "REFUSED", "LOST", "DUE", "PRESENT", "VALID", "GAPS", "CAUSES", "BALANCED",
    ]

    /// One line; the least complete parameter speaks for the station.
    static func row(_ account: StationAccount) -> [String] {
        let least = account.parameters.max { $0.missing < $1.missing }
        let causes = GapCause.allCases.filter { cause in account.gaps.contains { $0.cause == cause } }
        let missing = account.numbered.reduce(0) { $0 + $1.missingCount }
        return [
            account.station.id.text, Civil.formatDate(days: account.day), "\(account.counts.received)",
            "\(account.counts.deadLettered + account.counts.quarantined)",
            account.numbered.isEmpty ? "–" : "\(missing)", least?.dueSoFar.map { "\($0)" } ?? "–",
            "\(least?.present ?? 0)", "\(least?.valid ?? 0)", "\(account.gaps.count + account.gapsOmitted)",
            causes.isEmpty ? "–" : causes.map(\.rawValue).joined(separator: " "),
            account.imbalance == nil ? "yes" : "NO",
        ]
    }

    /// Everything.
    static func whole(_ account: StationAccount) -> String {
        let time = TimeText(zone: account.site.zone)
        let counts = account.counts
        var lines = [
            ("station", "\(account.station.id), \(account.site.name)"),
            (
                "day",
                "\(Civil.formatDate(days: account.day)), \(account.site.zone.name)"
                    + (account.isOpen ? ", not over yet" : "")
            ),
            ("first", time.text(account.firstMilliseconds) ?? "not yet reporting"),
            (
                "messages",
                "\(counts.received) received = \(counts.decoded) decoded + \(counts.deadLettered) dead letters + "
                    + "\(counts.repeated) repeated"
                    + (counts.qos0 > 0 ? "; \(counts.qos0) of them not guaranteed (QoS 0)" : "")
            ),
            (
                "readings",
                "\(counts.readings + counts.quarantined) decoded = \(counts.stored) stored + \(counts.duplicate) "
                    + "duplicate + \(counts.revised) revised + \(counts.quarantined) quarantined + "
                    + "\(counts.undecided) undecided"
            ),
        ]
        lines += account.numbered.map { boot in
            (
                "numbered",
                "boot '\(String(decoding: boot.boot, as: UTF8.self))' \(boot.first)–\(boot.through): "
                    + "\(boot.expectedCount) expected = \(boot.distinctCount) distinct + \(boot.missingCount) missing"
            )
        }
        for (name, reasons) in [("messages", account.refused.messages), ("values", account.refused.values)]
        where !reasons.isEmpty { lines.append(("refused", "\(name): \(self.reasons(reasons))")) }
        lines.append(("balanced", account.imbalance.map { "NO: \($0)" } ?? "yes"))
        lines += account.outages.map { ("outage", self.outage($0, time)) }
        lines += account.parameters.map { (name: $0.id.text, self.completeness($0)) }.map {
            ("complete", "\($0.name): \($0.1)")
        }
        lines += account.gaps.map { ("gap", self.gap($0, account, time)) }
        if account.gapsOmitted > 0 { lines.append(("gap", "and \(account.gapsOmitted) more")) }
        return lines.map { "\($0.0)\(String(repeating: " ", count: 10 - $0.0.count))\($0.1)\n" }.joined()
    }

    private static func completeness(_ parameter: StationAccount.Parameter) -> String {
        var text = "\(parameter.present) present"
        if let soFar = parameter.dueSoFar, let due = parameter.due {
            text += " of \(soFar) due" + (due == soFar ? "" : " so far, \(due) in all")
        }
        text += ", \(parameter.valid) valid"
        if parameter.calibrating > 0 { text += ", \(parameter.calibrating) calibrating" }
        if parameter.fault > 0 { text += ", \(parameter.fault) fault" }
        if parameter.missing > 0 { text += ", \(parameter.missing) missing" }
        return text
    }

    private static func gap(_ gap: StationAccount.Gap, _ account: StationAccount, _ time: TimeText) -> String {
        let readings = StoreRequestHandler.counted(gap.count, "reading")
        var text = "\(time.text(gap.range.lowerBound)) – \(time.text(gap.range.upperBound)) \(readings)"
        text += " of \(account.isWhole(gap) ? "all" : gap.parameters.map(\.text).joined(separator: ", ")): "
        switch gap.cause {
        case .silent: text += "device silent"
        case .calibrating: text += "calibrating"
        case .fault: text += "the device says it is at fault"
        case .refused: text += "refused, \(self.reasons(gap.refused))"
        case .sequence:
            let holes = gap.holes.prefix(4).map { hole in
                let boot = String(decoding: hole.boot, as: UTF8.self)
                return "\(hole.numbers.lowerBound)–\(hole.numbers.upperBound) of boot '\(boot)'"
            }
            text += "never came, seq \(holes.joined(separator: ", "))\(gap.holes.count > 4 ? " and more" : "")"
        case .outage: text += "we did not read" + (gap.outage.map { ", \(self.outage($0, time))" } ?? "")
        }
        return text
    }

    private static func outage(_ row: OutageRow, _ time: TimeText) -> String {
        var text = "\(row.cause.rawValue) \(time.text(row.beganMilliseconds)) – "
        text += time.text(row.endedMilliseconds) ?? "now"
        if row.sessionWasLost { text += ", session lost at the broker" }
        if let before = row.versionBefore, let after = row.versionAfter, before != after {
            text += ", version \(before) before, \(after) after"
        } else if let version = row.versionBefore ?? row.versionAfter {
            text += ", version \(version)"
        }
        return text
    }

    private static func reasons(_ reasons: [String: Int]) -> String {
        reasons.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}
