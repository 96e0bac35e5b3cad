/// Comma-separated values as RFC 4180 writes them, one line at a time (a field never spans lines).
package enum CSV {
    /// The fields of a line; a quoted field may hold commas and doubled quotes.
    package static func fields(_ line: some Sequence<UInt8>) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var quoteJustEnded = false
        for byte in line {
            switch byte {
            case UInt8(ascii: "\"") where isQuoted:
                isQuoted = false
                quoteJustEnded = true
                continue
            case UInt8(ascii: "\"") where quoteJustEnded:
                // Two quotes inside a quoted field are one.
                field.append(byte)
                isQuoted = true
            case UInt8(ascii: "\"") where field.isEmpty: isQuoted = true
            case UInt8(ascii: ",") where !isQuoted:
                fields.append(String(decoding: field, as: UTF8.self))
                field.removeAll(keepingCapacity: true)
            case UInt8(ascii: "\r") where !isQuoted: break
            default: field.append(byte)
            }
            quoteJustEnded = false
        }
        fields.append(String(decoding: field, as: UTF8.self))
        return fields
    }

    /// The number a field holds, as it may stand in a message; nil for an empty field and for what is no finite number.
    ///
    /// A text that is a JSON number already is passed on unchanged, so that nothing is lost on the way.
    package static func quantity(_ field: String) -> Quantity? {
        guard let first = field.utf8.first else { return nil }
        let isNumeric: Bool
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            isNumeric = true
        default: isNumeric = false
        }
        guard isNumeric, let number = Double(field), number.isFinite else { return nil }
        return .literal(Quantity.isJSONNumber(field) ? field : "\(number)")
    }
}

/// A column of a file that becomes a parameter.
package struct ColumnChoice: Sendable, Hashable {
    package let column: String
    package let parameter: String
    package let unit: String?

    /// Columns that only count the rows or repeat the time: never parameters unless asked for by name.
    private static let bookkeeping: Set<String> = [
        "no", "id", "index", "year", "month", "day", "hour", "minute", "second",
    ]

    /// Whether a column is taken when none are named, provided that all its fields are numbers or empty.
    package static func isUsual(_ column: String) -> Bool { !self.bookkeeping.contains(column.lowercased()) }

    /// What common column names are measured in.
    package static func usualUnit(_ parameter: String) -> String {
        switch parameter.lowercased() {
        case "pm2.5", "pm10", "pm1", "so2", "no2", "no", "nox", "co", "o3", "tsp": "µg/m³"
        case "temp", "dewp", "temperature": "°C"
        case "pres", "p", "pressure": "hPa"
        case "rain": "mm"
        case "wspm", "windspd": "m/s"
        case "winddir": "°"
        case "rh": "%"
        case "ph": "-"
        default: "1"
        }
    }

    /// Reads `COLUMN`, `COLUMN:PARAMETER` or `COLUMN:PARAMETER:UNIT`; nil when a part is empty.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(maxSplits: 2, omittingEmptySubsequences: false) { $0 == ":" }.map { String($0) }
        guard !parts.contains("") else { return nil }
        self.init(column: parts[0], parameter: parts.count > 1 ? parts[1] : nil, unit: parts.count > 2 ? parts[2] : nil)
    }

    package init(column: String, parameter: String? = nil, unit: String? = nil) {
        self.column = column
        self.parameter = parameter ?? column
        self.unit = unit
    }
}
