import Monitoring
import TimeSeriesStore

extension SeriesAnswer {
    /// Which view the rows are of, and what was laid over them: in the order in which it was applied, remarks included.
    func writeCorrections(_ json: inout JSONWriter, zone: Zone) throws {
        json.key("view")
        json.value(self.query.view.rawValue)
        json.key("corrections")
        json.beginArray()
        if self.query.view == .corrected, self.query.fromMilliseconds < self.query.toMilliseconds {
            // A bucket that starts before `to` is shown whole.
            let end = self.query.level.bucket(containing: self.query.toMilliseconds - 1, zone: zone).endMilliseconds
            let corrections = try self.reader.corrections(
                of: self.series, from: self.query.fromMilliseconds, to: end,
                asOfMilliseconds: self.query.asOfMilliseconds)
            for correction in corrections { Self.write(correction, &json) }
        }
        json.endArray()
    }

    private static func write(_ correction: Correction, _ json: inout JSONWriter) {
        let form = CorrectionForm(correction.kind)
        json.beginObject()
        json.key("id")
        json.value(correction.id)
        json.key("kind")
        json.value(form.kind)
        json.key("from")
        json.value(correction.fromMilliseconds)
        json.key("to")
        json.value(correction.toMilliseconds)
        json.key("who")
        json.value(correction.who)
        json.key("why")
        json.value(correction.why)
        json.key("made")
        json.value(correction.madeMilliseconds)
        if let note = form.note {
            json.key("note")
            json.value(note)
        }
        json.endObject()
    }
}
