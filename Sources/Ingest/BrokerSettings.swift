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

    /// What the ingest session subscribes to, and nothing wider.
    ///
    /// Our marker comes back to whoever chose other topics, too: without it we would never know that we are caught up.
    package var subscriptions: [String] {
        guard let topics = self.topics else {
            return ["telemetry", "history", "event", "status", "response"].map { "\(self.topicPrefix)/+/\($0)" }
        }
        return topics.contains("\(self.topicPrefix)/+/response") ? topics : topics + [self.markerTopic]
    }

    /// Where our own marker comes back: an id that no station can have.
    package var markerTopic: String { "\(self.topicPrefix)/_\(self.clientID)/response" }
}
