package import Monitoring

/// What is wrong with a set of rules, and where; the reader of the file adds the line.
package struct RuleProblem: Sendable, Hashable, CustomStringConvertible {
    package enum Subject: Sendable, Hashable {
        /// The set as a whole; `key` is `channels` or `rules`.
        case ruleSet
        /// Position in `RuleSet.channels`, and its id as written.
        case channel(index: Int, id: String)
        /// Position in `RuleSet.rules`, and its id as written.
        case rule(index: Int, id: String)
    }

    package let subject: Subject
    /// The key of the rules file whose value is wrong.
    package let key: String
    /// Position in the key's list, where it is one.
    package let element: Int?
    /// What is wrong and what is allowed, without subject and key.
    package let message: String
    /// A warning does not keep a set of rules from being loaded.
    package let isWarning: Bool

    package var description: String {
        let place = self.element.map { "\(self.key)[\($0)]" } ?? self.key
        return switch self.subject {
        case .ruleSet: "\(place): \(self.message)"
        case .channel(_, let id): "channel \(id): \(place): \(self.message)"
        case .rule(_, let id): "rule \(id): \(place): \(self.message)"
        }
    }
}

extension RuleSet {
    /// Everything wrong with the set, in the order of the file; empty when it may be loaded as it is.
    ///
    /// - Parameter registry: Where given, rules that name stations or parameters it does not have are warned of: the
    ///   station may be imported tomorrow.
    /// - Returns: Errors and warnings; only errors keep a set from being loaded.
    package func validate(registry: Registry? = nil) -> [RuleProblem] {
        var problems: [RuleProblem] = []
        func problem(_ key: String, _ message: String) {
            problems.append(
                RuleProblem(subject: .ruleSet, key: key, element: nil, message: message, isWarning: false))
        }
        if self.channels.count > AlertingLimits.channelsMax {
            problem("channels", "\(self.channels.count) channels; at most \(AlertingLimits.channelsMax) are allowed")
        }
        if self.rules.count > AlertingLimits.rulesMax {
            problem("rules", "\(self.rules.count) rules; at most \(AlertingLimits.rulesMax) are allowed")
        }
        var seen: Set<String> = []
        for (index, channel) in self.channels.enumerated() {
            var check = Check(subject: .channel(index: index, id: channel.id))
            check.identifier(channel.id, isNew: seen.insert(channel.id).inserted)
            check.webhook(channel.webhook)
            check.headers(channel.headers)
            problems += check.problems
        }
        let channelIDs = seen
        seen = []
        for (index, rule) in self.rules.enumerated() {
            var check = Check(subject: .rule(index: index, id: rule.id))
            check.identifier(rule.id, isNew: seen.insert(rule.id).inserted)
            check.series(of: rule, registry: registry)
            check.limits(of: rule)
            check.durations(of: rule)
            check.notify(rule.notify, channels: channelIDs)
            problems += check.problems
        }
        return problems
    }
}

/// Collects what is wrong with one channel or rule.
private struct Check {
    let subject: RuleProblem.Subject
    var problems: [RuleProblem] = []

    mutating func add(_ key: String, _ message: String, element: Int? = nil, isWarning: Bool = false) {
        self.problems.append(
            RuleProblem(
                subject: self.subject, key: key, element: element, message: message, isWarning: isWarning))
    }

    mutating func identifier(_ id: String, isNew: Bool) {
        if ParameterID(id) == nil {
            self.add("id", "1 to \(AlertingLimits.identifierBytesMax) letters, digits, '.', '_' or '-' are allowed")
        } else if !isNew {
            self.add("id", "used before; ids must differ")
        }
    }

    mutating func webhook(_ text: String) {
        let rest: Substring.UTF8View
        if text.hasPrefix("http://") {
            rest = text.dropFirst(7).utf8
        } else if text.hasPrefix("https://") {
            rest = text.dropFirst(8).utf8
        } else {
            self.add("webhook", "an address that begins with http:// or https:// is allowed")
            return
        }
        guard let first = rest.first, !"/:?#@".utf8.contains(first) else {
            self.add("webhook", "no host after the scheme")
            return
        }
        if !rest.allSatisfy({ (0x21...0x7E).contains($0) }) {
            self.add("webhook", "spaces and characters outside ASCII must be percent-encoded")
        }
        if text.utf8.count > AlertingLimits.webhookBytesMax {
            self.add("webhook", "longer than \(AlertingLimits.webhookBytesMax) bytes")
        }
    }

    mutating func headers(_ headers: [Channel.Header]) {
        if headers.count > AlertingLimits.headersMax {
            self.add("headers", "\(headers.count) headers; at most \(AlertingLimits.headersMax) are allowed")
        }
        var seen: Set<String> = []
        for header in headers {
            let name = header.name.lowercased()
            if name.isEmpty || !name.utf8.allSatisfy(isTokenByte) {
                self.add("headers", "'\(header.name)' is no name of a header")
            } else if ["content-length", "content-type", "host", "idempotency-key", "transfer-encoding"].contains(name)
            {
                self.add("headers", "'\(header.name)' is set by the program")
            } else if !seen.insert(name).inserted {
                self.add("headers", "'\(header.name)' is given twice")
            }
            let isText = header.value.utf8.allSatisfy { $0 == 0x09 || (0x20...0x7E).contains($0) }
            if !isText || header.value.utf8.count > AlertingLimits.headerBytesMax {
                self.add(
                    "headers",
                    "the value of '\(header.name)' must be printable ASCII of at most "
                        + "\(AlertingLimits.headerBytesMax) bytes")
            }
        }
    }

    mutating func series(of rule: Rule, registry: Registry?) {
        if let kinds = rule.kinds {
            if kinds.isEmpty { self.add("kinds", "names no kind; leave the key out for every kind") }
            for (index, kind) in kinds.enumerated() where kinds[..<index].contains(kind) {
                self.add("kinds", "'\(kind.rawValue)' is given twice", element: index)
            }
        }
        if case .only(let ids) = rule.stations {
            if ids.isEmpty { self.add("stations", "names no station; write all for every station") }
            var seen: Set<StationID> = []
            for (index, id) in ids.enumerated() {
                if !seen.insert(id).inserted {
                    self.add("stations", "'\(id)' is given twice", element: index)
                } else if let registry, registry.station(id) == nil {
                    self.add("stations", "no station '\(id)'", element: index, isWarning: true)
                }
            }
        }
        guard let registry, !registry.series.isEmpty else { return }
        if !registry.series.contains(where: { $0.parameter == rule.parameter }) {
            self.add("parameter", "no station has a parameter '\(rule.parameter)'", isWarning: true)
        } else if !registry.series.contains(where: { rule.watches($0.parameter, at: registry.station(of: $0)) }) {
            self.add("stations", "no station it names has this parameter and kind", isWarning: true)
        }
    }

    mutating func limits(of rule: Rule) {
        let key = rule.condition.key
        guard rule.limit.isFinite else {
            self.add(key, "a finite number is allowed")
            return
        }
        guard rule.clear.isFinite else {
            self.add("clear", "a finite number is allowed")
            return
        }
        switch rule.condition {
        case .above(let limit) where rule.clear > limit:
            self.add("clear", "\(rule.clear) lies above the limit \(limit); at most the limit is allowed")
        case .below(let limit) where rule.clear < limit:
            self.add("clear", "\(rule.clear) lies below the limit \(limit); at least the limit is allowed")
        case .above, .below:
            break
        }
    }

    mutating func durations(of rule: Rule) {
        let durations = [
            ("for", rule.forMilliseconds), ("clearFor", rule.clearForMilliseconds),
            ("lateAfter", rule.lateAfterMilliseconds ?? 0),
        ]
        for (key, milliseconds) in durations
        where milliseconds < 0 || milliseconds > AlertingLimits.durationMillisecondsMax {
            let most = DurationText.format(milliseconds: AlertingLimits.durationMillisecondsMax)
            self.add(key, "0s to \(most) is allowed")
        }
    }

    mutating func notify(_ ids: [String], channels: Set<String>) {
        if ids.count > AlertingLimits.notifyMax {
            self.add("notify", "\(ids.count) channels; at most \(AlertingLimits.notifyMax) are allowed")
        }
        var seen: Set<String> = []
        for (index, id) in ids.enumerated() {
            if !channels.contains(id) {
                self.add("notify", "no channel '\(id)'", element: index)
            } else if !seen.insert(id).inserted {
                self.add("notify", "'\(id)' is given twice", element: index)
            }
        }
    }
}

/// A `tchar` of RFC 9110.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
