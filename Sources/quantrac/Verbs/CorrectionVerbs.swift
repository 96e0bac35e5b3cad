import ArgumentParser
import Monitoring
import TimeSeriesStore

/// `quantrac correction …`: layers over what was received.
struct CorrectionVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correction",
        abstract: "Layers over what was received: invalid spans, replaced values, calibration drift, remarks.",
        discussion: """
            What a device sent is never edited. A correction is laid over it when it is read, and can be revoked. \
            Several over the same time are applied in the order in which they were made.
            """,
        subcommands: [Add.self, List.self, Revoke.self])

    /// Who does it, and why.
    struct Reason: ParsableArguments {
        @Option(help: "Who says so.") var who: String
        @Option(help: "Why.") var why: String
    }

    /// `quantrac correction add`.
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lays a correction over the readings of a time range.",
            discussion: """
                Exactly one of --invalidate, --replace, --scale and --annotate. Times are half-open, [from, to): \
                RFC 3339 with an offset, or a date, which is 00:00 at the site. \
                With --scale-end or --offset-end the factor and the offset drift in a straight line from the start of \
                the range to its end.
                """)

        @OptionGroup var common: CommonOptions
        @Option(help: "The station's id.") var station: String
        @Option(help: "The parameter.") var parameter: String
        @Option(help: "From this device time on.") var from: String
        @Option(help: "Until before this device time.") var to: String
        @Flag(help: "Readings keep their value and enter no mean; their status becomes INV, or --status.")
        var invalidate = false
        @Option(parsing: .unconditional, help: "Every reading becomes this value, with status 00 or --status.")
        var replace: Double?
        @Option(parsing: .unconditional, help: "Every value is multiplied by this; with --offset added to it.")
        var scale: Double?
        @Option(help: "A remark; changes no reading.") var annotate: String?
        @Option(help: "The status of --invalidate or --replace.") var status: String?
        @Option(parsing: .unconditional, help: "Added after --scale, in the series' unit.") var offset: Double?
        @Option(parsing: .unconditional, help: "The factor at the end of the range.") var scaleEnd: Double?
        @Option(parsing: .unconditional, help: "The offset at the end of the range.") var offsetEnd: Double?
        @OptionGroup var reason: Reason

        func validate() throws { _ = try self.form() }

        func run() throws {
            let settings = try self.common.settings()
            try settings.perform(
                .correctionAdd(
                    CorrectionRequest(
                        station: self.station, parameter: self.parameter, from: self.from, to: self.to,
                        form: try self.form(), who: self.reason.who, why: self.reason.why)))
        }

        private func form() throws -> CorrectionForm {
            var forms: [CorrectionForm] = []
            if self.invalidate { forms.append(CorrectionForm(kind: "invalidate", status: self.status)) }
            if let value = self.replace {
                forms.append(CorrectionForm(kind: "replace", status: self.status, value: value))
            }
            if let factor = self.scale {
                forms.append(
                    CorrectionForm(
                        kind: "scale", factor: factor, offset: self.offset, endFactor: self.scaleEnd,
                        endOffset: self.offsetEnd))
            }
            if let note = self.annotate { forms.append(CorrectionForm(kind: "annotate", note: note)) }
            guard forms.count == 1 else {
                throw ValidationError("give exactly one of --invalidate, --replace, --scale and --annotate")
            }
            let isStatusMeant = self.invalidate || self.replace != nil
            guard self.status == nil || isStatusMeant else {
                throw ValidationError("--status goes with --invalidate and --replace")
            }
            let isScaleMeant = self.offset == nil && self.scaleEnd == nil && self.offsetEnd == nil
            guard self.scale != nil || isScaleMeant else {
                throw ValidationError("--offset, --scale-end and --offset-end go with --scale (1 for an offset alone)")
            }
            do { _ = try forms[0].understood() } catch { throw ValidationError("\(error)") }
            return forms[0]
        }
    }

    /// `quantrac correction list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the corrections in force, in the order in which they are applied.")

        @OptionGroup var common: CommonOptions
        @Option(parsing: .upToNextOption, help: "Only those of these stations.") var station: [String] = []
        @Flag(help: "Revoked ones, too.") var all = false
        @Flag(help: "As JSON.") var json = false

        func run() throws {
            let settings = try self.common.settings()
            let reader = try settings.openReader()
            let registry = reader.registry
            for name in self.station where StationID(name).flatMap({ registry.station($0) }) == nil {
                throw VerbFailure.usage("unknown station \(name)")
            }
            let items = try reader.corrections(includingRevoked: self.all)
                .map { CorrectionItem($0, registry, settings.timeText) }
                .filter { self.station.isEmpty || self.station.contains($0.station) }
            if self.json { return try Output.json(items) }
            try Output.table(
                ["ID", "STATION", "PARAMETER", "FROM", "TO", "WHAT", "WHO", "WHY", "MADE", "REVOKED"],
                items.map(\.cells))
        }
    }

    /// `quantrac correction revoke ID`.
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes a correction out of force; it stays in the list of all.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The correction's number.") var id: Int64
        @OptionGroup var reason: Reason

        func run() throws {
            let settings = try self.common.settings()
            try settings.perform(.correctionRevoke(id: self.id, who: self.reason.who, why: self.reason.why))
        }
    }
}

/// A correction in JSON: the keys of its form beside the others.
struct CorrectionItem: Encodable {
    let id: Int64
    let station: String
    let parameter: String
    let from: String
    let to: String
    let form: CorrectionForm
    let who: String
    let why: String
    let made: String
    let change: Int64
    let revoked: String?
    let revokedBy: String?
    let revokedWhy: String?
    let revokedChange: Int64?

    init(_ correction: Correction, _ registry: Registry, _ time: TimeText) {
        let series = registry.seriesIndex(number: correction.series).map { registry.series[$0] }
        let siteTime = series.map { TimeText(zone: registry.zone(of: $0)) } ?? time
        self.id = correction.id
        self.station = series.map { registry.station(of: $0).id.text } ?? "unknown"
        self.parameter = series?.parameter.text ?? "unknown"
        self.from = siteTime.text(correction.fromMilliseconds)
        self.to = siteTime.text(correction.toMilliseconds)
        self.form = CorrectionForm(correction.kind)
        self.who = correction.who
        self.why = correction.why
        self.made = time.text(correction.madeMilliseconds)
        self.change = correction.change
        self.revoked = time.text(correction.revocation?.atMilliseconds)
        self.revokedBy = correction.revocation?.who
        self.revokedWhy = correction.revocation?.why
        self.revokedChange = correction.revocation?.change
    }

    /// A row of the table for people, without line breaks.
    var cells: [String] {
        var revoked = "–"
        if let at = self.revoked { revoked = "\(at) by \(self.revokedBy ?? "–"): \(self.revokedWhy ?? "–")" }
        let cells = [
            "\(self.id)", self.station, self.parameter, self.from, self.to, self.form.sentence, self.who, self.why,
            self.made, revoked,
        ]
        return cells.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
    }

    func encode(to encoder: any Encoder) throws {
        try self.form.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(self.id, forKey: .id)
        try container.encode(self.station, forKey: .station)
        try container.encode(self.parameter, forKey: .parameter)
        try container.encode(self.from, forKey: .from)
        try container.encode(self.to, forKey: .to)
        try container.encode(self.who, forKey: .who)
        try container.encode(self.why, forKey: .why)
        try container.encode(self.made, forKey: .made)
        try container.encode(self.change, forKey: .change)
        try container.encodeIfPresent(self.revoked, forKey: .revoked)
        try container.encodeIfPresent(self.revokedBy, forKey: .revokedBy)
        try container.encodeIfPresent(self.revokedWhy, forKey: .revokedWhy)
        try container.encodeIfPresent(self.revokedChange, forKey: .revokedChange)
    }

    private enum CodingKeys: CodingKey {
        case id
        case station
        case parameter
        case from
        case to
        case who
        case why
        case made
        case change
        case revoked
        case revokedBy
        case revokedWhy
        case revokedChange
    }
}
