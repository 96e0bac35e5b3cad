import FoundationEssentials
import Monitoring

extension Settings {
    /// Variables that belong to the test harness, not to the program: names that begin like this are no settings.
    static let foreignEnvironmentPrefixes = [
        "QUANTRAC_TEST_", "QUANTRAC_DEMO_", "QUANTRAC_BINARIES", "QUANTRAC_KILL", "QUANTRAC_REAL",
    ]

    /// The settings of a file (defaults without one) with the environment on top.
    static func load(
        path: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> Settings {
        guard let path else { return try self.load(text: "", file: "settings", environment: environment) }
        return try self.load(text: try TextFile.read(path), file: path, environment: environment)
    }

    /// The settings of a file's text with the environment on top.
    static func load(
        text: String, file: String, environment: [String: String]
    ) throws(ConfigurationError) -> Settings {
        var settings = Settings()
        let root = try YAMLValue.document(text, file: file)
        if let root { try settings.read(section: root, prefix: "") }
        try settings.read(environment: environment)
        // Judged last: the environment may mend what the file alone would leave contradictory.
        if let contradiction = settings.contradiction() {
            guard let value = root?.descendant(contradiction.key) else {
                throw ConfigurationError(
                    place: file, key: contradiction.key, problem: contradiction.problem)
            }
            throw value.error(contradiction.problem)
        }
        return settings
    }

    private mutating func read(section: YAMLValue, prefix: String) throws(ConfigurationError) {
        let names = SettingKey.childNames(of: prefix)
        let mapping = try section.mapping(names)
        for name in mapping.keys {
            guard let value = mapping.written(name) else { continue }
            let path = prefix + name
            if let key = SettingKey.all.first(where: { $0.path == path }) {
                try key.read(value, into: &self)
            } else {
                try self.read(section: value, prefix: path + ".")
            }
        }
    }

    /// Takes what the environment says; an unknown `QUANTRAC_…` is an error, as a misspelt one would do nothing.
    mutating func read(environment: [String: String]) throws(ConfigurationError) {
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("QUANTRAC_") {
            guard !Self.foreignEnvironmentPrefixes.contains(where: { name.hasPrefix($0) }) else { continue }
            guard let key = SettingKey.all.first(where: { $0.environmentName == name }) else {
                throw ConfigurationError(
                    place: "environment", key: name,
                    problem: "is no setting; allowed are "
                        + SettingKey.all.map(\.environmentName).joined(separator: ", "))
            }
            try key.read(environment: text, into: &self)
        }
    }

    /// Two settings that cannot both be: the key to change, and what is allowed.
    struct Contradiction {
        let key: String
        let problem: String
    }

    /// The first contradiction among settings that are each possible alone.
    func contradiction() -> Contradiction? {
        if self.broker.passwordFile != nil, self.broker.username == nil {
            return .init(key: "broker.passwordFile", problem: "needs broker.username")
        }
        if (self.broker.tls.certFile == nil) != (self.broker.tls.keyFile == nil) {
            let key = self.broker.tls.certFile == nil ? "broker.tls.keyFile" : "broker.tls.certFile"
            return .init(key: key, problem: "needs the other of broker.tls.certFile and broker.tls.keyFile")
        }
        if self.broker.tls.certFile != nil, self.broker.tls.caFile == nil {
            return .init(key: "broker.tls.certFile", problem: "needs broker.tls.caFile")
        }
        if let early = self.retentionPolicy.shortLived {
            return .init(
                key: "retention.\(early.level.rawValue)",
                problem: "must not be shorter than retention.raw (sites of kind \(early.kind.rawValue)): it is what "
                    + "stays of raw readings")
        }
        for topic in self.broker.topics ?? [] where !self.isStationTopic(topic) {
            return .init(
                key: "broker.topics",
                problem: "'\(topic)' must be \(self.broker.topicPrefix)/<station or +>/"
                    + "<\(Self.stationTopics.joined(separator: ", "))>")
        }
        return nil
    }

    private func isStationTopic(_ topic: String) -> Bool {
        guard topic.hasPrefix(self.broker.topicPrefix + "/") else { return false }
        let levels = topic.dropFirst(self.broker.topicPrefix.count + 1)
            .split(separator: "/", omittingEmptySubsequences: false)
        return levels.count == 2 && (levels[0] == "+" || StationID(levels[0]) != nil)
            && Self.stationTopics.contains(String(levels[1]))
    }
}

extension SettingKey {
    /// The keys and sections directly below a prefix (`""`, `broker.`, `broker.tls.`), in the order of the table.
    static func childNames(of prefix: String) -> [String] {
        var names: [String] = []
        for key in self.all where key.path.hasPrefix(prefix) {
            let name = String(key.path.dropFirst(prefix.count).prefix { $0 != "." })
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// Takes the value of a file.
    fileprivate func read(_ value: YAMLValue, into settings: inout Settings) throws(ConfigurationError) {
        switch self.field {
        case .text(let path):
            settings[keyPath: path] = try self.checked(value)
        case .optionalText(let path):
            settings[keyPath: path] = value.isNull ? nil : try self.checked(value)
        case .texts(let path):
            if value.isNull {
                settings[keyPath: path] = nil
                return
            }
            var texts: [String] = []
            for item in try value.sequence(of: "texts, each \(self.rule.allowed)") {
                texts.append(try self.checked(item))
            }
            guard !texts.isEmpty else { throw value.error("must be \(self.allowed), and not empty") }
            settings[keyPath: path] = texts
        case .integer(let path, let range):
            settings[keyPath: path] = try value.integer(range, self.allowed)
        case .boolean(let path):
            settings[keyPath: path] = try value.boolean()
        }
    }

    private func checked(_ value: YAMLValue) throws(ConfigurationError) -> String {
        let text = try value.text(self.rule.allowed, strict: true)
        guard self.rule.accepts(text) else { throw value.error("'\(text)' must be \(self.rule.allowed)") }
        return text
    }

    /// Takes the value of an environment variable; an empty one means "none" where the key allows it.
    fileprivate func read(environment text: String, into settings: inout Settings) throws(ConfigurationError) {
        let problem = ConfigurationError(
            place: "environment", key: self.environmentName, problem: "'\(text)' must be \(self.allowed)")
        switch self.field {
        case .text(let path):
            guard self.rule.accepts(text) else { throw problem }
            settings[keyPath: path] = text
        case .optionalText(let path):
            guard text.isEmpty || self.rule.accepts(text) else { throw problem }
            settings[keyPath: path] = text.isEmpty ? nil : text
        case .texts(let path):
            let texts = text.split(separator: ",").map(String.init)
            guard texts.allSatisfy(self.rule.accepts) else { throw problem }
            settings[keyPath: path] = texts.isEmpty ? nil : texts
        case .integer(let path, let range):
            guard let number = Int(text), range.contains(number) else { throw problem }
            settings[keyPath: path] = number
        case .boolean(let path):
            guard text == "true" || text == "false" else { throw problem }
            settings[keyPath: path] = text == "true"
        }
    }
}
