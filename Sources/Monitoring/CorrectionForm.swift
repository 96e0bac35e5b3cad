/// Why a correction cannot be what was asked; says what is allowed.
package struct CorrectionProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A correction's kind and parameters, flat: as they are stored, sent and listed.
package struct CorrectionForm: Codable, Sendable, Hashable {
    /// `invalidate`, `replace`, `scale` or `annotate`.
    package var kind: String
    package var status: String?
    package var value: Double?
    package var factor: Double?
    package var offset: Double?
    package var endFactor: Double?
    package var endOffset: Double?
    package var note: String?

    package init(
        kind: String, status: String? = nil, value: Double? = nil, factor: Double? = nil, offset: Double? = nil,
        endFactor: Double? = nil, endOffset: Double? = nil, note: String? = nil
    ) {
        self.kind = kind
        self.status = status
        self.value = value
        self.factor = factor
        self.offset = offset
        self.endFactor = endFactor
        self.endOffset = endOffset
        self.note = note
    }

    package init(_ kind: Correction.Kind) {
        switch kind {
        case .invalidate(let status): self.init(kind: "invalidate", status: status.description)
        case .replace(let value, let status):
            self.init(kind: "replace", status: status.description, value: value)
        case .scale(let scale):
            self.init(
                kind: "scale", factor: scale.factor, offset: scale.offset, endFactor: scale.endFactor,
                endOffset: scale.endOffset)
        case .annotate(let note): self.init(kind: "annotate", note: note)
        }
    }

    /// What it says, understood and checked.
    package func understood() throws(CorrectionProblem) -> Correction.Kind {
        switch self.kind {
        case "invalidate":
            let status = try self.status(else: .invalidated)
            guard status != .measuring else {
                throw CorrectionProblem("status 00 means measuring: an invalid reading needs another one")
            }
            return .invalidate(status)
        case "replace":
            return .replace(try self.number(self.value, "value"), try self.status(else: .measuring))
        case "scale":
            let factor = try self.number(self.factor, "factor")
            let offset = try self.number(self.offset ?? 0, "offset")
            let scale = Correction.Scale(
                factor: factor, offset: offset, endFactor: try self.number(self.endFactor ?? factor, "end factor"),
                endOffset: try self.number(self.endOffset ?? offset, "end offset"))
            guard scale.factor != 0, scale.endFactor != 0 else {
                throw CorrectionProblem("a factor of 0 makes every reading the same: replace them instead")
            }
            return .scale(scale)
        case "annotate":
            guard let note = self.note, !note.isEmpty else { throw CorrectionProblem("a note needs a text") }
            return .annotate(note)
        default:
            throw CorrectionProblem("\(self.kind) is no correction: invalidate, replace, scale or annotate")
        }
    }

    private func status(else status: Status) throws(CorrectionProblem) -> Status {
        guard let text = self.status else { return status }
        guard let status = Status(text) else {
            throw CorrectionProblem("status '\(text)' must be 1–8 letters and digits")
        }
        return status
    }

    private func number(_ number: Double?, _ name: String) throws(CorrectionProblem) -> Double {
        guard let number else { throw CorrectionProblem("the \(name) is missing") }
        guard number.isFinite else { throw CorrectionProblem("the \(name) must be a finite number") }
        return number
    }
}

extension Correction.Kind {
    /// Refuses what cannot be meant for a series of this kind.
    package func check(for series: Series) throws(CorrectionProblem) {
        switch (self, series.method) {
        case (.scale(let scale), .direction):
            guard scale.factor == 1, scale.endFactor == 1 else {
                throw CorrectionProblem(
                    "\(series.parameter) is a direction: only an offset turns it (factor 1, added modulo 360)"
                )
            }
        case (.replace(let value, _), .direction):
            guard value >= 0, value <= 360 else {
                throw CorrectionProblem("\(series.parameter) is a direction: a value of 0 to 360 degrees is needed")
            }
        case (.scale, .counter):
            throw CorrectionProblem(
                "\(series.parameter) is a counter: another slope or zero would look like a reset at either end of the "
                    + "range and add a false amount; invalidate or replace single readings instead")
        default: break
        }
    }
}
