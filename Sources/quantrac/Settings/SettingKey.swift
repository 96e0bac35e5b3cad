import Monitoring
import TimeSeriesStore

/// One key an operator can set: the single place that names its path, type, range and meaning.
///
/// The file reader, the environment reader, the defaults in the manual and the test that compares the manual with the
/// code all read this table.
struct SettingKey: Sendable {
    /// Where a key's value goes, and what type it has.
    enum Field: Sendable {
        case text(any WritableKeyPath<Settings, String> & Sendable)
        case optionalText(any WritableKeyPath<Settings, String?> & Sendable)
        case texts(any WritableKeyPath<Settings, [String]?> & Sendable)
        case integer(any WritableKeyPath<Settings, Int> & Sendable, ClosedRange<Int>)
        case boolean(any WritableKeyPath<Settings, Bool> & Sendable)
    }

    /// What a text must be, beyond being a text.
    struct Rule: Sendable {
        /// Completes "must be …".
        let allowed: String
        let accepts: @Sendable (String) -> Bool
    }

    /// For example `broker.tls.caFile`.
    let path: String
    let field: Field
    let rule: Rule
    /// For the manual and for errors.
    let summary: String

    init(_ path: String, _ field: Field, _ rule: Rule = .anyText, _ summary: String) {
        self.path = path
        self.field = field
        self.rule = rule
        self.summary = summary
    }

    /// For example `QUANTRAC_BROKER_TLS_CA_FILE`.
    var environmentName: String {
        var name = "QUANTRAC_"
        var previousIsLower = false
        for character in self.path {
            if character == "." {
                name.append("_")
                previousIsLower = false
                continue
            }
            if character.isUppercase, previousIsLower { name.append("_") }
            name.append(character.uppercased())
            previousIsLower = !character.isUppercase
        }
        return name
    }

    /// What the key allows, as it completes "must be …".
    var allowed: String {
        switch self.field {
        case .text, .optionalText: self.rule.allowed
        case .texts: "a list, each \(self.rule.allowed)"
        case .integer(_, let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        }
    }

    /// The type's name in the manual.
    var typeName: String {
        switch self.field {
        case .text, .optionalText: "text"
        case .texts: "list of texts"
        case .integer: "whole number"
        case .boolean: "true or false"
        }
    }

    /// The value in force when nothing is set; nil for none.
    var defaultText: String? {
        let settings = Settings()
        return switch self.field {
        case .text(let path): settings[keyPath: path]
        case .optionalText(let path): settings[keyPath: path]
        case .texts(let path): settings[keyPath: path]?.joined(separator: ",")
        case .integer(let path, _): String(settings[keyPath: path])
        case .boolean(let path): String(settings[keyPath: path])
        }
    }

    /// The key's line in `ops/manual/settings.md`, up to the colon.
    var manualHeading: String {
        var heading = "- `\(self.path)` (\(self.typeName)"
        if case .integer(_, let range) = self.field { heading += " \(range.lowerBound)–\(range.upperBound)" }
        return heading + ", default \(self.defaultText.map { "`\($0)`" } ?? "none")):"
    }
}

extension SettingKey.Rule {
    static let anyText = Self(allowed: "a text that is not empty") { !$0.isEmpty }

    static let path = Self(allowed: "the path of a file") { !$0.isEmpty && !$0.utf8.contains(0) }

    static let host = Self(allowed: "a host name or an address") { text in
        (1...253).contains(text.utf8.count) && !text.contains { $0.isWhitespace || $0 == "/" }
    }

    /// Fixed and not empty: the broker keeps our session under it.
    ///
    /// A `/`, `+` or `#` would break our own topics.
    static let clientID = Self(allowed: "1–64 letters, digits, '.', '_' or '-'") { text in
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    static let topicPrefix = Self(
        allowed: "topic levels such as quantrac/v1: no '+', '#', '$', blanks, nor a '/' at either end"
    ) { text in
        (1...256).contains(text.utf8.count)
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
            && !text.contains { "+#$".contains($0) || $0.isWhitespace }
    }

    /// Completed by a check against the prefix in ``Settings/contradiction()``.
    static let topicFilter = Self(
        allowed: "<topicPrefix>/<station or +>/<telemetry, history, event, status or response>"
    ) { !$0.isEmpty && !$0.contains("#") && !$0.hasPrefix("$") }

    static let timeZone = Self(allowed: "a time zone of the tz database, such as Asia/Ho_Chi_Minh") {
        ZoneDatabase.zone(named: $0) != nil
    }

    static let keeping = Self(allowed: KeepRule.expectation) { KeepRule($0) != nil }

    static let keepingAll = Self(allowed: "a duration of at least 1d such as 3652d, or forever") {
        KeepRule($0)?.byKind.isEmpty ?? false
    }

    static let logLevel = oneOf(["trace", "debug", "info", "notice", "warning", "error", "critical"])

    static let url = Self(allowed: "an http:// or https:// address") { text in
        (text.hasPrefix("http://") || text.hasPrefix("https://")) && !text.contains { $0.isWhitespace }
            && !(text.split(separator: "/", omittingEmptySubsequences: false).dropFirst(2).first ?? "").isEmpty
    }

    static func oneOf(_ words: [String]) -> Self {
        Self(allowed: "one of \(words.joined(separator: ", "))") { words.contains($0) }
    }
}
