import Monitoring
import TimeSeriesStore

/// A correction as the verb was given it; times are read on the site's clock where the station is known.
struct CorrectionRequest: Codable, Sendable, Hashable {
    var station: String
    var parameter: String
    var from: String
    var to: String
    var form: CorrectionForm
    var who: String
    var why: String
}

/// Adds and revokes corrections.
struct CorrectionWork {
    let nowMilliseconds: Int64

    func add(_ request: CorrectionRequest, on store: some StoreAccess) throws -> StoreReply {
        let registry = store.reader.registry
        guard let id = StationID(request.station), let station = registry.station(id) else {
            throw VerbFailure.usage("unknown station \(request.station)")
        }
        guard let parameter = ParameterID(request.parameter), let series = registry.series(id, parameter) else {
            let known = station.seriesIndices.map { registry.series[$0].parameter.text }.joined(separator: ", ")
            throw VerbFailure.usage("station \(station.id) has no parameter \(request.parameter); it has \(known)")
        }
        let zone = registry.zone(of: series)
        let kind: Correction.Kind
        do { kind = try request.form.understood() } catch { throw VerbFailure.usage(error.description) }
        let draft = CorrectionDraft(
            fromMilliseconds: try Self.instant(request.from, "--from", zone),
            toMilliseconds: try Self.instant(request.to, "--to", zone), kind: kind, who: request.who, why: request.why,
            madeMilliseconds: self.nowMilliseconds)
        let added = try store.onWriter { try $0.addCorrection(to: series, draft) }
        let isEmpty = try store.reader.values(
            of: series, from: added.fromMilliseconds, to: added.toMilliseconds, limit: 1
        ).isEmpty
        let time = TimeText(zone: zone)
        return .done(
            "correction \(added.id) of \(station.id) \(series.parameter), \(time.text(added.fromMilliseconds)) to "
                + "\(time.text(added.toMilliseconds)): \(CorrectionForm(added.kind).sentence)",
            warning: isEmpty ? "there is no reading in this time yet" : "")
    }

    func revoke(_ id: Int64, who: String, why: String, on store: some StoreAccess) throws -> StoreReply {
        let now = self.nowMilliseconds
        let revoked = try store.onWriter { try $0.revokeCorrection(id, who: who, why: why, atMilliseconds: now) }
        return .done("correction \(id) (\(CorrectionForm(revoked.kind).sentence)) revoked by \(who)")
    }

    private static func instant(_ text: String, _ option: String, _ zone: Zone) throws(VerbFailure) -> Int64 {
        guard let time = ExportTime(text) else {
            throw .usage("\(option): '\(text)' must be \(ExportTime.allowed)")
        }
        return time.milliseconds(zone: zone)
    }
}

extension CorrectionForm {
    /// What it does, in a few words.
    var sentence: String {
        func text(_ number: Double?) -> String { number.map(NumberText.text) ?? "–" }
        switch self.kind {
        case "replace": return "replace by \(text(self.value)), status \(self.status ?? "–")"
        case "scale":
            func line(_ factor: Double?, _ offset: Double?) -> String {
                "× \(text(factor)) \((offset ?? 0) < 0 ? "−" : "+") \(text(offset?.magnitude))"
            }
            let isSteady = self.factor == self.endFactor && self.offset == self.endOffset
            return "scale \(line(self.factor, self.offset))"
                + (isSteady ? "" : ", drifting to \(line(self.endFactor, self.endOffset))")
        case "annotate": return "annotate: \(self.note ?? "")"
        default: return "\(self.kind), status \(self.status ?? "–")"
        }
    }
}
