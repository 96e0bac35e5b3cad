import GRDB
package import Monitoring

/// A correction as somebody asks for it.
package struct CorrectionDraft: Sendable {
    package let fromMilliseconds: Int64
    package let toMilliseconds: Int64
    package let kind: Correction.Kind
    package let who: String
    package let why: String
    package let madeMilliseconds: Int64

    package init(
        fromMilliseconds: Int64, toMilliseconds: Int64, kind: Correction.Kind, who: String, why: String,
        madeMilliseconds: Int64
    ) {
        self.fromMilliseconds = fromMilliseconds
        self.toMilliseconds = toMilliseconds
        self.kind = kind
        self.who = who
        self.why = why
        self.madeMilliseconds = madeMilliseconds
    }
}

extension StoreWriter {
    /// Lays a correction over a series; readers of this process apply it from now on.
    package func addCorrection(to series: Series, _ draft: CorrectionDraft) throws -> Correction {
        try Self.check(draft, for: series)
        let inForce = self.loaded.corrections[series.number]?.all ?? []
        // An answer that got lost makes people ask again, and a scale counts twice.
        if let same = inForce.first(where: { $0.says(draft) }) {
            throw StoreError(.refused, "correction \(same.id) of \(same.who) already says exactly this")
        }
        guard inForce.count < StoreLimits.correctionsPerSeriesMax else {
            throw StoreError(
                .refused,
                "\(series.parameter) has \(inForce.count) corrections in force, and that is the most there can be: "
                    + "revoke some, or cover their time with one")
        }
        let added = try self.transaction(.full) { database in
            let change = try self.drawChange(database)
            let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM correction") ?? 0
            let correction = Correction(
                id: last + 1, series: series.number, fromMilliseconds: draft.fromMilliseconds,
                toMilliseconds: draft.toMilliseconds, kind: draft.kind, who: draft.who, why: draft.why,
                madeMilliseconds: draft.madeMilliseconds, change: change)
            try CorrectionRows.insert(database, correction)
            return correction
        }
        try self.correctionsChanged()
        return added
    }

    /// Takes a correction out of force; it stays in the list.
    package func revokeCorrection(
        _ id: Int64, who: String, why: String, atMilliseconds: Int64
    ) throws -> Correction {
        try Self.check(who: who, why: why)
        let revoked = try self.transaction(.full) { database in
            guard let correction = try CorrectionRows.correction(database, id: id) else {
                throw StoreError(.refused, "there is no correction \(id) in `quantrac correction list --all`")
            }
            if let earlier = correction.revocation {
                throw StoreError(
                    .refused,
                    "correction \(id) was revoked by \(earlier.who) at "
                        + Civil.formatRFC3339(milliseconds: earlier.atMilliseconds))
            }
            let change = try self.drawChange(database)
            try CorrectionRows.revoke(
                database, id: id,
                Correction.Revocation(who: who, why: why, atMilliseconds: atMilliseconds, change: change))
            return correction
        }
        try self.correctionsChanged()
        return revoked
    }

    private func correctionsChanged() throws {
        self.change += 1
        self.loaded.corrections = try self.pool.read { try CorrectionRows.inForce($0) }
        self.reader.adopt(self.loaded)
    }

    private static func check(_ draft: CorrectionDraft, for series: Series) throws {
        guard draft.fromMilliseconds < draft.toMilliseconds else {
            throw StoreError(.refused, "the time corrected is half-open: from must be before to")
        }
        try self.check(who: draft.who, why: draft.why)
        if case .annotate(let note) = draft.kind { try self.check(note, "the note") }
        do { try draft.kind.check(for: series) } catch { throw StoreError(.refused, error.description) }
    }

    private static func check(who: String, why: String) throws {
        try self.check(who, "who")
        try self.check(why, "why")
    }

    private static func check(_ text: String, _ name: String) throws {
        guard text.contains(where: { !$0.isWhitespace }), text.utf8.count <= StoreLimits.correctionTextBytesMax else {
            throw StoreError(
                .refused, "\(name) must be said, in at most \(StoreLimits.correctionTextBytesMax) bytes")
        }
    }
}

extension Correction {
    /// Whether a draft would do the same again.
    fileprivate func says(_ draft: CorrectionDraft) -> Bool {
        self.fromMilliseconds == draft.fromMilliseconds && self.toMilliseconds == draft.toMilliseconds
            && self.kind == draft.kind
    }
}
