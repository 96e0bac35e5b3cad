/// Where the broker is and who we are to it.
package struct BrokerSettings: Sendable {
    package var host: String
    package var port: Int
    /// Fixed for an installation: the broker keeps our queue under this name.
    package var clientID: String
    package var username: String?
    package var password: String?
    package var topicPrefix: String
    /// Subscriptions; nil for the derived ones.
    package var topics: [String]?
    package var keepAliveSeconds: Int
    package var certificateAuthorityFile: String?
    package var certificateFile: String?
    package var keyFile: String?

    package init(
        host: String, port: Int, clientID: String, username: String? = nil, password: String? = nil,
        topicPrefix: String = "quantrac/v1", topics: [String]? = nil, keepAliveSeconds: Int = 60,
        certificateAuthorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil
    ) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.username = username
        self.password = password
        self.topicPrefix = topicPrefix
        self.topics = topics
        self.keepAliveSeconds = keepAliveSeconds
        self.certificateAuthorityFile = certificateAuthorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }

    /// The session that reads the backlog.
    package var historyClientID: String { "\(self.clientID)-history" }

    /// What the two reading sessions subscribe to, and nothing wider.
    private var subscriptions: [String] {
        self.topics ?? ["telemetry", "history", "event", "status", "response"].map { "\(self.topicPrefix)/+/\($0)" }
    }

    /// All but the backlog, and our own marker.
    ///
    /// It comes back to whoever chose other topics, too: without it we would never know that we are caught up.
    package var liveSubscriptions: [String] {
        let topics = self.subscriptions.filter { !$0.hasSuffix("/history") }
        return topics.contains("\(self.topicPrefix)/+/response") ? topics : topics + [self.markerTopic]
    }

    /// The backlog; empty when the settings name topics and none of it.
    package var historySubscriptions: [String] {
        let topics = self.subscriptions.filter { $0.hasSuffix("/history") }
        guard !topics.isEmpty, !topics.contains("\(self.topicPrefix)/+/history") else { return topics }
        return topics + [self.historyMarkerTopic]
    }

    /// In the place of a station: an id that no station can have.
    package var markerStation: String { "_\(self.clientID)" }

    /// Where our own marker comes back to the live session, and who holds it is said.
    package var markerTopic: String { "\(self.topicPrefix)/\(self.markerStation)/response" }
    /// Where it comes back to the session for the backlog.
    package var historyMarkerTopic: String { "\(self.topicPrefix)/\(self.markerStation)/history" }
}
