import DataLake
import Monitoring
import TimeSeriesStore

/// Incidents and the state of the service, as JSON: what a live line or a console shows.
enum StatusAnswer {
    /// Incidents, newest first; with `openOnly` those whose machine track is not cleared.
    static func incidents(_ reader: StoreReader, openOnly: Bool) throws -> JSONWriter {
        var json = JSONWriter(reservingBytes: 16 << 10)
        json.beginArray()
        for row in try reader.incidents(openOnly: openOnly, limit: WebLimits.incidentRowsMax) {
            self.write(row, &json)
        }
        json.endArray()
        return json
    }

    private static func write(_ row: IncidentRow, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("id")
        json.value(row.id)
        json.key("name")
        json.value(row.name)
        json.key("rule")
        json.value(row.rule)
        json.key("subject")
        json.value(row.subject)
        json.key("station")
        json.value(row.station)
        json.key("parameter")
        json.value(row.parameter)
        json.key("severity")
        json.value(row.severity)
        json.key("opened")
        json.value(row.openedMilliseconds)
        json.key("since")
        json.value(row.sinceMilliseconds)
        json.key("value")
        json.value(row.value)
        json.key("limit")
        json.value(row.bound)
        json.key("cleared")
        json.value(row.clearedMilliseconds)
        json.key("foundLate")
        json.value(row.foundLate)
        json.key("paged")
        json.value(row.pagedMilliseconds)
        json.key("detail")
        json.value(row.detail)
        json.key("acknowledged")
        json.value(row.acknowledgedMilliseconds)
        json.key("acknowledgedBy")
        json.value(row.acknowledgedBy)
        json.key("acknowledgedWhy")
        json.value(row.acknowledgedWhy)
        json.key("acknowledgedUntil")
        json.value(row.acknowledgedUntilMilliseconds)
        json.key("closed")
        json.value(row.closedMilliseconds)
        json.endObject()
    }

    static func status(_ context: WebContext) throws -> JSONWriter {
        let registry = context.reader.registry
        let metrics = context.metrics
        var json = JSONWriter()
        json.beginObject()
        json.key("health")
        context.health().write(to: &json)
        json.key("stations")
        json.value(registry.stations.count)
        json.key("series")
        json.value(registry.series.count)
        json.key("messagesReceived")
        json.value(metrics.messagesReceived.value)
        json.key("readingsStored")
        json.value(metrics.readingsStored.value)
        json.key("deadLetters")
        json.value(metrics.deadLetters.value)
        json.key("readingsQuarantined")
        json.value(metrics.readingsQuarantined.value)
        json.key("headReadings")
        json.value(metrics.headReadings.value)
        json.key("openIncidents")
        json.value(try context.reader.openIncidentCount())
        json.key("account")
        json.beginObject()
        json.key("balanced")
        json.value(metrics.ledgerUnbalanced.value == 0)
        json.key("seqMissing")
        json.value(metrics.sequenceMissing.value)
        json.endObject()
        json.key("lake")
        if let lake = try context.lake?() { self.write(lake, &json) } else { json.null() }
        json.endObject()
        return json
    }

    private static func write(_ lake: LakeStatus, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("publishedDays")
        json.value(lake.publishedDays)
        json.key("pendingDays")
        json.value(lake.pendingDays)
        json.key("lastPart")
        json.value(lake.lastPart?.file)
        json.key("lastPublished")
        json.value(lake.lastPart?.publishedMilliseconds)
        json.key("error")
        json.value(lake.lastError)
        json.endObject()
    }
}
