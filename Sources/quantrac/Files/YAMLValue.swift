import Monitoring
import Yams

/// A node of a YAML (or JSON) file that knows its file, its line and the path of keys that leads to it.
///
/// Everything the program reads from files goes through this type, so every error names file, line, key and what is
/// allowed. Scalars are read from their text; YAML's own guesses (`on` is true, `12:30` is 750) are not used.
struct YAMLValue {
    let file: String
    /// For example `sites[0].stations[2].id`; empty for the whole file.
    let path: String
    let line: Int
    private let node: Node

    /// Reads one document; nil when the file holds nothing but comments.
    static func document(_ text: String, file: String) throws(ConfigurationError) -> YAMLValue? {
        guard text.utf8.count <= FileLimits.fileBytesMax else {
            throw ConfigurationError(
                place: file, key: "", problem: "is larger than \(FileLimits.fileBytesMax >> 20) MiB")
        }
        do {
            guard let node = try compose(yaml: text, .basic) else { return nil }
            return YAMLValue(file: file, path: "", line: node.mark?.line ?? 1, node: node)
        } catch {
            throw Self.syntaxError(error, file: file)
        }
    }

    private static func syntaxError(_ error: any Error, file: String) -> ConfigurationError {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return .init(place: "\(file):\(mark.line)", key: "", problem: "is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let names = duplicates.sorted().map { "'\($0)'" }.joined(separator: ", ")
            return .init(
                place: "\(file):\(context.mark.line)", key: "", problem: "the key \(names) is there more than once")
        default:
            return .init(place: file, key: "", problem: "is not YAML: \(error)")
        }
    }

    /// An error at this place.
    func error(_ problem: String) -> ConfigurationError {
        .init(place: "\(self.file):\(self.line)", key: self.path, problem: problem)
    }

    /// The value a path of keys leads to from here, when all of them are there.
    func descendant(_ path: String) -> YAMLValue? {
        var value = self
        for name in path.split(separator: ".") {
            guard case .mapping(let mapping) = value.node,
                let (key, node) = mapping.first(where: { $0.key.scalar?.string == String(name) })
            else { return nil }
            value = YAMLValue(
                file: self.file, path: value.child(String(name)),
                line: node.mark?.line ?? key.mark?.line ?? value.line, node: node)
        }
        return value
    }

    /// `~`, `null` or nothing at all.
    var isNull: Bool {
        guard case .scalar(let scalar) = self.node else { return false }
        return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// The keys and values, in the order of the file.
    ///
    /// Any key that is not allowed is an error at its line; an empty list of keys allows all.
    func mapping(_ allowed: [String]) throws(ConfigurationError) -> YAMLMapping {
        if self.isNull { return YAMLMapping(owner: self, entries: [:], keys: []) }
        guard case .mapping(let mapping) = self.node else {
            throw self.error("must be a mapping with the keys \(allowed.joined(separator: ", "))")
        }
        var entries: [String: YAMLValue] = [:]
        var keys: [String] = []
        for (key, value) in mapping {
            let line = key.mark?.line ?? self.line
            guard case .scalar(let scalar) = key, allowed.isEmpty || allowed.contains(scalar.string) else {
                let name = key.scalar?.string ?? "(not a text)"
                throw ConfigurationError(
                    place: "\(self.file):\(line)", key: self.child(name),
                    problem: "is not a key here; allowed are \(allowed.joined(separator: ", "))")
            }
            keys.append(scalar.string)
            entries[scalar.string] = YAMLValue(
                file: self.file, path: self.child(scalar.string), line: value.mark?.line ?? line, node: value)
        }
        return YAMLMapping(owner: self, entries: entries, keys: keys)
    }

    /// The items of a list.
    func sequence(of what: String) throws(ConfigurationError) -> [YAMLValue] {
        if self.isNull { return [] }
        guard case .sequence(let sequence) = self.node else { throw self.error("must be a list of \(what)") }
        return sequence.enumerated().map { index, item in
            YAMLValue(
                file: self.file, path: "\(self.path)[\(index)]", line: item.mark?.line ?? self.line, node: item)
        }
    }

    /// A scalar's text as written; with `quotedOnly`, a number or a truth value must be in quotes to be one.
    func text(_ what: String = "a text", strict: Bool = false) throws(ConfigurationError) -> String {
        guard !self.isNull, case .scalar(let scalar) = self.node else { throw self.error("must be \(what)") }
        if strict, scalar.style == .plain, scalar.string.looksLikeNumberOrTruth {
            throw self.error("must be \(what): write it in quotes, \"\(scalar.string)\"")
        }
        return scalar.string
    }

    /// An unquoted whole number within a range.
    func integer(_ range: ClosedRange<Int>, _ what: String) throws(ConfigurationError) -> Int {
        guard let text = self.plainText, let number = Int(text), range.contains(number) else {
            throw self.error("must be \(what)")
        }
        return number
    }

    /// An unquoted finite number.
    func number(_ what: String = "a number") throws(ConfigurationError) -> Double {
        guard let text = self.plainText, text.utf8.allSatisfy({ $0 != UInt8(ascii: "x") && $0 != UInt8(ascii: "p") }),
            let number = Double(text), number.isFinite
        else { throw self.error("must be \(what)") }
        return number
    }

    /// `true` or `false`.
    func boolean() throws(ConfigurationError) -> Bool {
        switch self.plainText {
        case "true": return true
        case "false": return false
        default: throw self.error("must be true or false")
        }
    }

    /// A duration as `90s`, in milliseconds; quoted, too, because JSON cannot write it otherwise.
    func duration(_ what: String, range: ClosedRange<Int64>) throws(ConfigurationError) -> Int64 {
        guard !self.isNull, case .scalar(let scalar) = self.node,
            let duration = DurationText.milliseconds(scalar.string), range.contains(duration)
        else {
            throw self.error(
                "must be \(what): \(DurationText.expectation), from "
                    + "\(DurationText.format(milliseconds: range.lowerBound)) to "
                    + DurationText.format(milliseconds: range.upperBound))
        }
        return duration
    }

    /// One of a set of words.
    func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type
    ) throws(ConfigurationError) -> Word where Word.RawValue == String {
        guard !self.isNull, case .scalar(let scalar) = self.node, let word = Word(rawValue: scalar.string) else {
            throw self.error("must be one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    private var plainText: String? {
        guard !self.isNull, case .scalar(let scalar) = self.node, scalar.style == .plain else { return nil }
        return scalar.string
    }

    private func child(_ name: String) -> String { self.path.isEmpty ? name : "\(self.path).\(name)" }
}

/// The keys of one mapping of a file.
struct YAMLMapping {
    let owner: YAMLValue
    private let entries: [String: YAMLValue]
    /// In the order of the file.
    let keys: [String]

    init(owner: YAMLValue, entries: [String: YAMLValue], keys: [String]) {
        self.owner = owner
        self.entries = entries
        self.keys = keys
    }

    /// The value of a key; nil when it is absent or null.
    subscript(key: String) -> YAMLValue? {
        guard let value = self.entries[key], !value.isNull else { return nil }
        return value
    }

    /// The value of a key, even when it is null.
    func written(_ key: String) -> YAMLValue? { self.entries[key] }

    /// The value of a key that must be there.
    func required(_ key: String) throws(ConfigurationError) -> YAMLValue {
        guard let value = self[key] else { throw self.owner.error("the key \(key) is missing") }
        return value
    }
}

extension String {
    /// What a YAML reader of another kind would take for a number or a truth value.
    fileprivate var looksLikeNumberOrTruth: Bool {
        Double(self) != nil || ["true", "false", "True", "False", "TRUE", "FALSE"].contains(self)
    }
}

/// Bounds of the files people write.
enum FileLimits {
    static let fileBytesMax = 32 << 20
    static let nameBytesMax = 256
    static let unitBytesMax = 32
    static let sitesMax = 10_000
    static let stationsMax = 100_000
    static let parametersPerStationMax = 1_000
}
