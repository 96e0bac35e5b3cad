import Monitoring

/// How an export is written.
enum ExportFormat: String, Sendable, CaseIterable {
    case csv
    case ndjson
}

/// Builds rows of CSV or NDJSON as bytes, without a `String` per field.
///
/// CSV: UTF-8, LF, comma, quotes only where needed, an absent value is an empty field. NDJSON: the same columns as
/// keys, an absent value is `null`, instants are texts.
struct RowBuilder {
    let format: ExportFormat
    /// What is ready to be written; taken and emptied by whoever writes.
    var bytes: [UInt8] = []
    private var isFirstField = true

    init(format: ExportFormat) { self.format = format }

    /// The header line of CSV; nothing in NDJSON, where every row names its columns.
    mutating func header(_ columns: [String]) {
        guard self.format == .csv else { return }
        self.bytes.append(contentsOf: columns.joined(separator: ",").utf8)
        self.bytes.append(UInt8(ascii: "\n"))
    }

    mutating func beginRow() {
        self.isFirstField = true
        if self.format == .ndjson { self.bytes.append(UInt8(ascii: "{")) }
    }

    mutating func endRow() {
        if self.format == .ndjson { self.bytes.append(UInt8(ascii: "}")) }
        self.bytes.append(UInt8(ascii: "\n"))
    }

    mutating func text(_ column: StaticString, _ text: String) {
        self.beginField(column)
        switch self.format {
        case .csv: Self.appendCSV(text, to: &self.bytes)
        case .ndjson: Self.appendJSON(text, to: &self.bytes)
        }
    }

    /// A text of letters and digits only.
    mutating func status(_ column: StaticString, _ status: Status) {
        self.beginField(column)
        if self.format == .ndjson { self.bytes.append(UInt8(ascii: "\"")) }
        var rest = status.packed
        while rest != 0 {
            self.bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
        if self.format == .ndjson { self.bytes.append(UInt8(ascii: "\"")) }
    }

    mutating func number(_ column: StaticString, _ value: Double?) {
        self.beginField(column)
        guard let value, value.isFinite else {
            self.appendNone()
            return
        }
        NumberText.append(value, to: &self.bytes)
    }

    mutating func integer(_ column: StaticString, _ value: Int?) {
        self.beginField(column)
        guard let value else {
            self.appendNone()
            return
        }
        NumberText.append(Int64(value), to: &self.bytes)
    }

    mutating func instant(_ column: StaticString, _ milliseconds: Int64?, zone: Zone, decimals: Bool) {
        self.beginField(column)
        guard let milliseconds else {
            self.appendNone()
            return
        }
        if self.format == .ndjson { self.bytes.append(UInt8(ascii: "\"")) }
        Civil.appendRFC3339(
            milliseconds: milliseconds, offsetSeconds: zone.offsetSeconds(at: milliseconds), decimals: decimals,
            to: &self.bytes)
        if self.format == .ndjson { self.bytes.append(UInt8(ascii: "\"")) }
    }

    private mutating func beginField(_ column: StaticString) {
        if !self.isFirstField { self.bytes.append(UInt8(ascii: ",")) }
        self.isFirstField = false
        guard self.format == .ndjson else { return }
        self.bytes.append(UInt8(ascii: "\""))
        column.withUTF8Buffer { self.bytes.append(contentsOf: $0) }
        self.bytes.append(UInt8(ascii: "\""))
        self.bytes.append(UInt8(ascii: ":"))
    }

    private mutating func appendNone() {
        if self.format == .ndjson { self.bytes.append(contentsOf: "null".utf8) }
    }

    /// A field of CSV: in quotes when it holds a comma, a quote or a line break.
    static func appendCSV(_ text: String, to bytes: inout [UInt8]) {
        guard text.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) else {
            bytes.append(contentsOf: text.utf8)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A string of JSON.
    static func appendJSON(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                for digit in [byte >> 4, byte & 15] {
                    bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
