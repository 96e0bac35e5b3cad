import Monitoring

/// Writes the station file (YAML) that makes the service know the simulated stations.
package enum StationYAML {
    package static func yaml(_ sites: [SitePlan], comment: String) -> String {
        var text = comment.split(separator: "\n").map { "# \($0)\n" }.joined() + "sites:\n"
        for site in sites {
            text += "  - id: \(scalar(site.id))\n"
            text += "    name: \(scalar(site.name))\n"
            text += "    kind: \(site.kind.rawValue)\n"
            text += "    timeZone: \(scalar(site.timeZone))\n"
            text += "    stations:\n"
            for station in site.stations { append(station, site: site, to: &text) }
        }
        return text
    }

    private static func append(_ station: StationPlan, site: SitePlan, to text: inout String) {
        text += "      - id: \(scalar(station.id.text))\n"
        text += "        name: \(scalar(station.name))\n"
        if station.kind != site.kind { text += "        kind: \(station.kind.rawValue)\n" }
        text += "        latitude: \(degrees(station.latitude))\n"
        text += "        longitude: \(degrees(station.longitude))\n"
        text += "        interval: \(DurationText.format(milliseconds: station.intervalMilliseconds))\n"
        text += "        parameters:\n"
        for parameter in station.parameters {
            text += "          - {id: \(scalar(parameter.id.text)), unit: \(scalar(parameter.unit))"
            if parameter.isDirection { text += ", direction: true" }
            if parameter.kind != .gauge { text += ", kind: \(parameter.kind.rawValue)" }
            text += "}\n"
        }
    }

    /// A double-quoted scalar: never read as a number, a truth value or a list, whatever is in it.
    private static func scalar(_ text: String) -> String {
        var quoted = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(character)
            }
        }
        return quoted + "\""
    }

    /// Five decimals: about a metre.
    private static func degrees(_ value: Double) -> String {
        var bytes: [UInt8] = []
        Quantity(value, decimals: 5).append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
