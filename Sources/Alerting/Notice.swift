package import Monitoring

/// What one channel is told of one transition: the fields of the webhook's body.
package struct Notice: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case firing
        case cleared
        /// A reminder of what is still firing.
        case `repeat`
    }

    /// The idempotency key: incident, number and kind of the message, and channel.
    ///
    /// The same after a crash and a re-run, and never the same for two messages: a receiver may drop what it has seen.
    package let id: String
    package let kind: Kind
    /// `rule/station/parameter/opened-at`; one text for all the notices of an incident.
    package let incident: String
    package let rule: String
    package let severity: Severity
    /// The site's id.
    package let site: String
    package let station: StationID
    package let parameter: ParameterID
    /// In force at `atMilliseconds`.
    package let unit: String
    package let value: Double
    package let limit: Double
    package let sinceMilliseconds: Int64
    package let atMilliseconds: Int64
    package let foundLate: Bool
    /// Whether it may have been delivered before: a crash between sending and marking.
    package var isRepeat: Bool
    /// Who is told; not part of the body.
    package let channel: String

    /// The notices of a transition, one for each channel of its rule, in the rule's order; none when it tells nobody.
    package static func all(
        for transition: Transition, rule: Rule, series: Series, registry: Registry
    ) -> [Notice] {
        guard transition.isNotified else { return [] }
        let station = registry.station(of: series)
        let incident = incidentID(
            rule: rule, station: station.id, parameter: series.parameter,
            openedAtMilliseconds: transition.openedAtMilliseconds)
        let kind: Kind = transition.leavesOpen ? .firing : .cleared
        return rule.notify.map { channel in
            Notice(
                id: "\(incident)/\(transition.ordinal)-\(transition.kind.label)/\(channel)", kind: kind,
                incident: incident, rule: rule.id, severity: rule.severity, site: registry.site(of: station).id,
                station: station.id, parameter: series.parameter,
                unit: series.unit.value(at: transition.atMilliseconds), value: transition.value, limit: rule.limit,
                sinceMilliseconds: transition.sinceMilliseconds, atMilliseconds: transition.atMilliseconds,
                foundLate: transition.foundLate, isRepeat: false, channel: channel)
        }
    }
}

/// What an incident is called: `pm10-high/nd-dust-1/PM10/1795420800000`.
///
/// All its characters may stand in a header or a path as they are. It is a function of the readings, so a replayed
/// journal names its incidents as it did before.
package func incidentID(
    rule: Rule, station: StationID, parameter: ParameterID, openedAtMilliseconds: Int64
) -> String {
    "\(rule.id)/\(station)/\(parameter)/\(openedAtMilliseconds)"
}
