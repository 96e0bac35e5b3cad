/// What `/healthz` says: why the service is not well, and what else is worth knowing.
package struct HealthReport: Sendable, Hashable {
    /// In words; none when all is well.
    package var reasons: [String]
    package var isBrokerConnected: Bool
    /// Whether the broker's backlog has been read.
    package var isCaughtUp: Bool
    /// When the last commit or probe succeeded; nil before the first.
    package var lastCommitMilliseconds: Int64?
    /// How far our clock is from true time, as chrony or ntpd told the kernel; nil when nobody did.
    package var clockOffsetSeconds: Double?

    package init(
        reasons: [String], isBrokerConnected: Bool, isCaughtUp: Bool, lastCommitMilliseconds: Int64?,
        clockOffsetSeconds: Double?
    ) {
        self.reasons = reasons
        self.isBrokerConnected = isBrokerConnected
        self.isCaughtUp = isCaughtUp
        self.lastCommitMilliseconds = lastCommitMilliseconds
        self.clockOffsetSeconds = clockOffsetSeconds
    }

    package var isHealthy: Bool { self.reasons.isEmpty }

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("status")
        json.value(self.isHealthy ? "healthy" : "unhealthy")
        json.key("reasons")
        json.beginArray()
        for reason in self.reasons { json.value(reason) }
        json.endArray()
        json.key("brokerConnected")
        json.value(self.isBrokerConnected)
        json.key("caughtUp")
        json.value(self.isCaughtUp)
        json.key("lastCommit")
        json.value(self.lastCommitMilliseconds)
        json.key("clockOffsetSeconds")
        json.value(self.clockOffsetSeconds)
        json.endObject()
    }
}
