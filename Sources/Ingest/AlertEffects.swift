import Alerting
import FoundationEssentials
import Monitoring
import TimeSeriesStore

/// Transitions as rows of the batch's transaction: incidents and messages.
enum AlertEffects {
    static func append(
        _ raised: [AlertBook.Raised], of bindings: RuleBindings, to effects: inout BatchEffects, nowMilliseconds: Int64,
        reserveIncident: () -> Int64
    ) {
        for item in raised {
            self.append(
                item.transition, rule: bindings.rule(slot: item.slot), series: bindings.series(slot: item.slot),
                registry: bindings.registry, to: &effects, nowMilliseconds: nowMilliseconds,
                reserveIncident: reserveIncident)
        }
    }

    static func append(
        _ transition: Transition, rule: Rule, series: Series, registry: Registry, to effects: inout BatchEffects,
        nowMilliseconds: Int64, reserveIncident: () -> Int64
    ) {
        let subject = "series:\(series.number)"
        let station = registry.station(of: series)
        let name = incidentID(
            rule: rule, station: station.id, parameter: series.parameter,
            openedAtMilliseconds: transition.openedAtMilliseconds)
        switch transition.kind {
        case .opened:
            effects.incidents.append(
                .open(
                    id: reserveIncident(), name: name, rule: rule.id, subject: subject, series: series.number,
                    station: station.number, severity: rule.severity.rawValue, openedMilliseconds: nowMilliseconds,
                    sinceMilliseconds: transition.sinceMilliseconds, value: transition.value, bound: rule.limit,
                    foundLate: transition.foundLate, detail: ""))
        case .reopened: effects.incidents.append(.reopened(name: name))
        case .paged: break
        case .cleared, .retired:
            effects.incidents.append(
                .cleared(rule: rule.id, subject: subject, atMilliseconds: transition.atMilliseconds))
        }
        if transition.isNotified, transition.leavesOpen {
            effects.incidents.append(.paged(rule: rule.id, subject: subject, atMilliseconds: nowMilliseconds))
        }
        for notice in Notice.all(for: transition, rule: rule, series: series, registry: registry) {
            effects.outbox.append(
                OutboxMessage(
                    key: notice.id, channel: notice.channel, body: self.body(notice),
                    createdMilliseconds: nowMilliseconds))
        }
    }

    /// The webhook's body.
    private struct Body: Encodable {
        let id: String
        let kind: String
        let incident: String
        let rule: String
        let severity: String
        let site: String
        let station: String
        let parameter: String
        let unit: String
        let value: Double
        let limit: Double
        let since: Int64
        let at: Int64
        let foundLate: Bool
        let `repeat`: Bool
    }

    static func body(_ notice: Notice) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = Body(
            id: notice.id, kind: notice.kind.rawValue, incident: notice.incident, rule: notice.rule,
            severity: notice.severity.rawValue, site: notice.site, station: notice.station.text,
            parameter: notice.parameter.text, unit: notice.unit, value: notice.value, limit: notice.limit,
            since: notice.sinceMilliseconds, at: notice.atMilliseconds, foundLate: notice.foundLate,
            repeat: notice.isRepeat)
        // Every value is finite, so that encoding cannot fail.
        return (try? encoder.encode(body)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
