import Foundation
import Monitoring
import Testing

@testable import quantrac

/// A file, and the exact error it must give.
private struct BadFile: Sendable, CustomTestStringConvertible {
    let text: String
    let line: Int
    let key: String
    /// A part of the sentence: what is allowed.
    let says: String

    init(_ text: String, line: Int, key: String, says: String) {
        self.text = text
        self.line = line
        self.key = key
        self.says = says
    }

    var testDescription: String { "\(self.key): \(self.text.prefix(40))" }
}

private func settings(_ text: String, _ environment: [String: String] = [:]) throws(ConfigurationError) -> Settings {
    try Settings.load(text: text, file: "quantrac.yaml", environment: environment)
}

@Suite struct SettingsTests {
    @Test func `who lets older readings in keeps them, unless a retention is given`() throws {
        let day: Int64 = 86_400_000
        #expect(try settings("").retentionPolicy.raw.usualMilliseconds == 1_826 * day)
        #expect(try settings("ingest:\n  oldestDays: 5000\n").retentionPolicy.raw.usualMilliseconds >= 5_000 * day)
        let given = try settings("ingest:\n  oldestDays: 5000\nretention:\n  raw: 30d\n")
        #expect(given.retentionPolicy.raw.usualMilliseconds == 30 * day)
    }

    @Test func `without a file and an environment the defaults of the manual hold`() throws {
        let settings = try Settings.load(path: nil, environment: [:])
        #expect(settings == Settings())
        #expect(settings.broker.port == 1_883)
        #expect(settings.store.path == "var/quantrac.db")
        #expect(settings.http.port == 8_420)
        #expect(settings.timeZone == "Asia/Ho_Chi_Minh")
        #expect(
            settings.subscriptions == [
                "quantrac/v1/+/telemetry", "quantrac/v1/+/history", "quantrac/v1/+/event", "quantrac/v1/+/status",
                "quantrac/v1/+/response",
            ])
    }

    @Test func `an empty file and one of comments change nothing`() throws {
        #expect(try settings("") == Settings())
        #expect(try settings("# nothing\n") == Settings())
        #expect(try settings("---\n") == Settings())
        #expect(try settings("broker:\n  # host: elsewhere\n") == Settings())
    }

    @Test func `every key of the table can be set in a file`() throws {
        let settings = try settings(
            """
            broker:
              host: mqtt.example.org
              port: 8883
              clientID: quantrac-2
              username: quantrac
              passwordFile: etc/password
              passwordsFile: etc/passwords
              aclFile: etc/acl
              topicPrefix: langson/v2
              topics: [langson/v2/+/telemetry, langson/v2/na-duong/status]
              keepAliveSeconds: 30
              tls: {caFile: ca.pem, certFile: cert.pem, keyFile: key.pem}
            store: {path: /srv/q.db, mergeSeconds: 60, headBytes: 1048576, reserveBytes: 0}
            ingest: {oldestDays: 5000, newestSeconds: 0}
            retention:
              raw: 30d, mine=60d
              hours: 100d
              days: 36500d
              events: 90d
              incidents: forever
              setAside: 24h
            http: {host: "0.0.0.0", port: 80}
            timeZone: Asia/Shanghai
            rules: rules.yaml
            lake: {destination: lake, duckdb: .tools/duckdb}
            notify: {heartbeatURL: "https://example.org/ping"}
            log: {level: debug}
            demo: true
            """)
        var expected = Settings()
        expected.broker = .init(
            host: "mqtt.example.org", port: 8_883, clientID: "quantrac-2", username: "quantrac",
            passwordFile: "etc/password", passwordsFile: "etc/passwords", aclFile: "etc/acl", topicPrefix: "langson/v2",
            topics: ["langson/v2/+/telemetry", "langson/v2/na-duong/status"], keepAliveSeconds: 30,
            tls: .init(caFile: "ca.pem", certFile: "cert.pem", keyFile: "key.pem"))
        expected.store = .init(path: "/srv/q.db", mergeSeconds: 60, headBytes: 1_048_576, reserveBytes: 0)
        expected.ingest = .init(oldestDays: 5_000, newestSeconds: 0)
        expected.retention = .init(
            raw: "30d, mine=60d", hours: "100d", days: "36500d", events: "90d", incidents: "forever", setAside: "24h")
        expected.http = .init(host: "0.0.0.0", port: 80)
        expected.timeZone = "Asia/Shanghai"
        expected.rules = "rules.yaml"
        expected.lake = .init(destination: "lake", duckdb: ".tools/duckdb")
        expected.notify = .init(heartbeatURL: "https://example.org/ping")
        expected.log = .init(level: "debug")
        expected.demo = true
        #expect(settings == expected)
    }

    @Test func `JSON is YAML too`() throws {
        #expect(try settings(#"{"broker": {"port": 1884}, "demo": true}"#).broker.port == 1_884)
    }

    @Test func `null turns an optional key off`() throws {
        #expect(try settings("rules: ~\nlake: {destination: null}") == Settings())
    }

    private static let badFiles: [BadFile] = [
        .init("broker:\n  hots: x\n", line: 2, key: "broker.hots", says: "allowed are host, port, clientID"),
        .init("brokers: {}\n", line: 1, key: "brokers", says: "allowed are broker, store, ingest"),
        .init("# a\nbroker:\n  tls:\n    ca: x\n", line: 4, key: "broker.tls.ca", says: "caFile, certFile, keyFile"),
        .init("broker: 5\n", line: 1, key: "broker", says: "must be a mapping"),
        .init("- broker\n", line: 1, key: "", says: "must be a mapping"),
        .init("broker:\n  port: many\n", line: 2, key: "broker.port", says: "a whole number from 1 to 65535"),
        .init("broker:\n  port: \"1883\"\n", line: 2, key: "broker.port", says: "whole number"),
        .init("broker:\n  port: 0\n", line: 2, key: "broker.port", says: "1 to 65535"),
        .init("broker:\n  port: 65536\n", line: 2, key: "broker.port", says: "1 to 65535"),
        .init("broker:\n  port: 1883.5\n", line: 2, key: "broker.port", says: "whole number"),
        .init("broker:\n  port: ~\n", line: 2, key: "broker.port", says: "whole number"),
        .init("broker:\n  port: [1]\n", line: 2, key: "broker.port", says: "whole number"),
        .init("broker:\n  host: 5\n", line: 2, key: "broker.host", says: "write it in quotes"),
        .init("broker:\n  host: [a]\n", line: 2, key: "broker.host", says: "a host name or an address"),
        .init("broker:\n  host: \"\"\n", line: 2, key: "broker.host", says: "a host name"),
        .init("broker:\n  host:\n", line: 2, key: "broker.host", says: "a host name"),
        .init("broker:\n  clientID: \"\"\n", line: 2, key: "broker.clientID", says: "1–64 letters"),
        .init("broker:\n  clientID: a/b\n", line: 2, key: "broker.clientID", says: "1–64 letters"),
        .init("broker:\n  topicPrefix: a/+/b\n", line: 2, key: "broker.topicPrefix", says: "no '+'"),
        .init("broker:\n  topicPrefix: a/\n", line: 2, key: "broker.topicPrefix", says: "at either end"),
        .init("broker:\n  topics: [\"#\"]\n", line: 2, key: "broker.topics[0]", says: "<station or +>"),
        .init(
            "broker:\n  topics:\n    - quantrac/v1/+/telemetry\n    - $share/g/quantrac/v1/+/telemetry\n", line: 4,
            key: "broker.topics[1]", says: "<station or +>"),
        .init("broker:\n  topics: [other/+/telemetry]\n", line: 2, key: "broker.topics", says: "quantrac/v1/<station"),
        .init("broker:\n  topics: [quantrac/v1/+/stored]\n", line: 2, key: "broker.topics", says: "telemetry"),
        .init("broker:\n  topics: []\n", line: 2, key: "broker.topics", says: "not empty"),
        .init("broker:\n  keepAliveSeconds: 4\n", line: 2, key: "broker.keepAliveSeconds", says: "from 5"),
        .init("broker:\n  passwordFile: p\n", line: 2, key: "broker.passwordFile", says: "needs broker.username"),
        .init("broker:\n  tls:\n    certFile: p\n", line: 3, key: "broker.tls.certFile", says: "keyFile"),
        .init("store:\n  mergeSeconds: -1\n", line: 2, key: "store.mergeSeconds", says: "from 1"),
        .init("store:\n  headBytes: 0\n", line: 2, key: "store.headBytes", says: "from 1048576"),
        .init("store:\n  reserveBytes: -5\n", line: 2, key: "store.reserveBytes", says: "from 0"),
        .init("ingest:\n  oldestDays: 0\n", line: 2, key: "ingest.oldestDays", says: "from 1"),
        .init("ingest: {newestSeconds: -1}\n", line: 1, key: "ingest.newestSeconds", says: "from 0"),
        .init("retention:\n  raw: 5y\n", line: 2, key: "retention.raw", says: "such as 1826d"),
        .init("retention:\n  raw: 30d, mines=60d\n", line: 2, key: "retention.raw", says: "ambient-air"),
        .init("retention:\n  events: 30d, mine=60d\n", line: 2, key: "retention.events", says: "or forever"),
        .init("retention:\n  raw: 30d\n  hours: 29d\n", line: 3, key: "retention.hours", says: "retention.raw"),
        .init("retention:\n  raw: 30d, mine=forever\n  days: 90d\n", line: 3, key: "retention.days", says: "mine"),
        .init("http:\n\n  port: 70000\n", line: 3, key: "http.port", says: "1 to 65535"),
        .init("timeZone: Asia/Atlantis\n", line: 1, key: "timeZone", says: "tz database"),
        .init("timeZone: EST\n", line: 1, key: "timeZone", says: "tz database"),
        .init("rules: \"\"\n", line: 1, key: "rules", says: "the path of a file"),
        .init("notify:\n  heartbeatURL: example.org\n", line: 2, key: "notify.heartbeatURL", says: "http://"),
        .init("notify:\n  heartbeatURL: \"http:///x\"\n", line: 2, key: "notify.heartbeatURL", says: "http://"),
        .init("log:\n  level: loud\n", line: 2, key: "log.level", says: "trace, debug, info"),
        .init("demo: yes\n", line: 1, key: "demo", says: "true or false"),
        .init("demo: \"true\"\n", line: 1, key: "demo", says: "true or false"),
        .init("demo: false\n\ndemo: true\n", line: 3, key: "", says: "more than once"),
        .init("broker: {host: a\n", line: 2, key: "", says: "is not YAML"),
        .init("a: b: c\n", line: 1, key: "", says: "is not YAML"),
        .init("demo: true\n---\ndemo: false\n", line: 2, key: "", says: "is not YAML"),
    ]

    @Test(arguments: badFiles)
    private func `a bad file is refused with its line, its key and what is allowed`(bad: BadFile) {
        let error = #expect(throws: ConfigurationError.self) { try settings(bad.text) }
        guard let error else { return }
        // A duplicate is reported at one of its two lines.
        let lines = bad.says == "more than once" ? [1, bad.line] : [bad.line]
        #expect(lines.map { "quantrac.yaml:\($0)" }.contains(error.place), "\(error)")
        #expect(error.key == bad.key, "\(error)")
        #expect(error.problem.contains(bad.says), "\(error)")
        #expect(!"\(error)".contains("\n"), "one line")
    }

    @Test func `the environment beats the file`() throws {
        let settings = try settings(
            "broker: {host: a, port: 1}\nrules: r.yaml\n",
            [
                "QUANTRAC_BROKER_HOST": "b", "QUANTRAC_HTTP_PORT": "9000", "QUANTRAC_TIME_ZONE": "UTC",
                "QUANTRAC_DEMO": "true", "QUANTRAC_RULES": "",
                "QUANTRAC_BROKER_TOPICS": "quantrac/v1/+/telemetry,quantrac/v1/a/event", "PATH": "/bin",
            ])
        #expect(settings.broker.host == "b")
        #expect(settings.broker.port == 1)
        #expect(settings.http.port == 9_000)
        #expect(settings.timeZone == "UTC")
        #expect(settings.demo)
        #expect(settings.rules == nil)
        #expect(settings.broker.topics == ["quantrac/v1/+/telemetry", "quantrac/v1/a/event"])
    }

    @Test func `the environment may mend what the file leaves half said`() throws {
        let settings = try settings("broker: {passwordFile: p}", ["QUANTRAC_BROKER_USERNAME": "quantrac"])
        #expect(settings.broker.username == "quantrac")
    }

    @Test(arguments: [
        ("broker.clientID", "QUANTRAC_BROKER_CLIENT_ID"), ("broker.tls.caFile", "QUANTRAC_BROKER_TLS_CA_FILE"),
        ("http.port", "QUANTRAC_HTTP_PORT"), ("timeZone", "QUANTRAC_TIME_ZONE"),
        ("notify.heartbeatURL", "QUANTRAC_NOTIFY_HEARTBEAT_URL"), ("store.headBytes", "QUANTRAC_STORE_HEAD_BYTES"),
        ("broker.keepAliveSeconds", "QUANTRAC_BROKER_KEEP_ALIVE_SECONDS"), ("lake.duckdb", "QUANTRAC_LAKE_DUCKDB"),
        ("broker.topicPrefix", "QUANTRAC_BROKER_TOPIC_PREFIX"), ("demo", "QUANTRAC_DEMO"),
    ])
    func `a key's variable is its path in upper snake case`(path: String, name: String) throws {
        let key = try #require(SettingKey.all.first { $0.path == path })
        #expect(key.environmentName == name)
    }

    @Test(arguments: [
        ("QUANTRAC_BROKER_HOTS", "x", "is no setting"), ("QUANTRAC_HTTP_PORT", "x", "whole number"),
        ("QUANTRAC_HTTP_PORT", "", "whole number"), ("QUANTRAC_BROKER_HOST", "", "host name"),
        ("QUANTRAC_DEMO", "yes", "true or false"), ("QUANTRAC_TIME_ZONE", "Mars/Base", "tz database"),
        ("QUANTRAC_LOG_LEVEL", "loud", "one of trace"), ("QUANTRAC_STORE_HEAD_BYTES", "-1", "whole number"),
        ("QUANTRAC_", "", "is no setting"),
    ])
    func `a bad variable is refused by name`(name: String, value: String, says: String) {
        let error = #expect(throws: ConfigurationError.self) { try settings("", [name: value]) }
        #expect(error?.key == name)
        #expect(error?.place == "environment")
        #expect(error?.problem.contains(says) == true, "\(String(describing: error))")
    }

    @Test func `variables of the test harness are not ours`() throws {
        let foreign = [
            "QUANTRAC_TEST_SEED": "1", "QUANTRAC_DEMO_PORT": "1", "QUANTRAC_BINARIES": "b", "QUANTRAC_KILLS": "9",
        ]
        #expect(try settings("", foreign) == Settings())
    }

    @Test func `paths and variables are unique`() {
        #expect(Set(SettingKey.all.map(\.path)).count == SettingKey.all.count)
        #expect(Set(SettingKey.all.map(\.environmentName)).count == SettingKey.all.count)
    }

    @Test func `a file that is not there or not UTF-8 is a clear error`() throws {
        let directory = try TemporaryFolder()
        let absent = #expect(throws: ConfigurationError.self) {
            try Settings.load(path: directory.path("none.yaml"), environment: [:])
        }
        #expect(absent?.problem.contains("no such file") == true)
        try Data([0x61, 0xFF, 0xFE]).write(to: URL(filePath: directory.path("bad.yaml")))
        let bad = #expect(throws: ConfigurationError.self) {
            try Settings.load(path: directory.path("bad.yaml"), environment: [:])
        }
        #expect(bad?.problem == "is not UTF-8")
    }

    @Test func `the manual lists exactly the keys there are`() throws {
        let manual = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "ops/manual/settings.md")
        let lines = try String(contentsOf: manual, encoding: .utf8).split(separator: "\n").map(String.init)
        let listed = lines.filter { $0.hasPrefix("- `") }
        for key in SettingKey.all {
            #expect(listed.contains { $0.hasPrefix("\(key.manualHeading) ") }, "missing: \(key.manualHeading)")
        }
        let paths = listed.map { String($0.dropFirst(3).prefix { $0 != "`" }) }
        #expect(paths == SettingKey.all.map(\.path), "the manual and the table differ in keys or order")
    }
}
