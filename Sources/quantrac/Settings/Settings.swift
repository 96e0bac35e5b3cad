/// Everything an operator can set, with the defaults in force when nothing is.
///
/// What each key means, its type and its range stand in ``SettingKey/all``; `ops/manual/settings.md` lists them for
/// people.
struct Settings: Sendable, Hashable {
    /// The MQTT broker.
    struct Broker: Sendable, Hashable {
        var host = "127.0.0.1"
        var port = 1_883
        var clientID = "quantrac"
        var username: String?
        var passwordFile: String?
        var passwordsFile: String?
        var aclFile: String?
        var topicPrefix = "quantrac/v1"
        /// Topic filters to subscribe to; nil: all stations, all kinds.
        var topics: [String]?
        var keepAliveSeconds = 60
        var tls = TLS()
    }

    /// TLS towards the broker; off while `caFile` is nil.
    struct TLS: Sendable, Hashable {
        var caFile: String?
        var certFile: String?
        var keyFile: String?
    }

    /// The one SQLite file.
    struct Store: Sendable, Hashable {
        var path = "var/quantrac.db"
        var mergeSeconds = 3_600
        var headBytes = 64 << 20
        var reserveBytes = 1 << 30
    }

    /// What device times are believed.
    struct Ingest: Sendable, Hashable {
        var oldestDays = 400
        var newestSeconds = 300
    }

    /// How long everything is kept; durations of the surface, or `forever`.
    struct Retention: Sendable, Hashable {
        var raw = "1826d"
        var hours = "forever"
        var days = "forever"
        var events = "3652d"
        var incidents = "3652d"
        var setAside = "1826d"
    }

    /// Where the HTTP API listens.
    struct HTTP: Sendable, Hashable {
        var host = "127.0.0.1"
        var port = 8_420
    }

    /// The Data Lake; off while `destination` is nil.
    struct Lake: Sendable, Hashable {
        var destination: String?
        var duckdb: String?
    }

    /// Who is told that the service lives.
    struct Notify: Sendable, Hashable {
        var heartbeatURL: String?
    }

    /// What is logged.
    struct Log: Sendable, Hashable {
        var level = "info"
    }

    var broker = Broker()
    var store = Store()
    var ingest = Ingest()
    var retention = Retention()
    var http = HTTP()
    var timeZone = "Asia/Ho_Chi_Minh"
    var rules: String?
    var lake = Lake()
    var notify = Notify()
    var log = Log()
    var demo = false

    /// The last topic level of everything a station publishes.
    static let stationTopics = ["telemetry", "history", "event", "status", "response"]

    /// What the service subscribes to.
    var subscriptions: [String] {
        self.broker.topics ?? Self.stationTopics.map { "\(self.broker.topicPrefix)/+/\($0)" }
    }

    /// Where the service takes requests, beside the store.
    var socketPath: String { "\(self.store.path).sock" }
}
