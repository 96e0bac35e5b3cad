import Monitoring

/// The text rows travel in to DuckDB and back: tabs between fields, no quoting.
///
/// Texts that people wrote (site, unit) travel as hexadecimal of their UTF-8, so that no character of theirs means
/// anything.
enum LakeTransfer {
    /// Appends one row as DuckDB is to read it.
    static func append(_ row: borrowing LakeRow, to bytes: inout [UInt8]) {
        self.appendHexadecimal(row.site, to: &bytes)
        bytes.append(self.tab)
        bytes.append(contentsOf: row.station.utf8)
        bytes.append(self.tab)
        bytes.append(contentsOf: row.parameter.utf8)
        bytes.append(self.tab)
        self.appendHexadecimal(row.unit, to: &bytes)
        bytes.append(self.tab)
        NumberText.append(row.timeMilliseconds, to: &bytes)
        bytes.append(self.tab)
        NumberText.append(row.offsetSeconds, to: &bytes)
        bytes.append(self.tab)
        NumberText.append(row.receivedSeconds, to: &bytes)
        bytes.append(self.tab)
        NumberText.append(row.value, to: &bytes)
        bytes.append(self.tab)
        bytes.append(contentsOf: row.status.utf8)
        bytes.append(self.lineFeed)
    }

    /// Reads a line that DuckDB wrote, without its line feed; nil when it is none of ours.
    static func parse(_ line: ArraySlice<UInt8>) -> LakeRow? {
        let fields = line.split(separator: self.tab, maxSplits: 9, omittingEmptySubsequences: false)
        guard fields.count == 9, let site = self.hexadecimalText(fields[0]),
            let unit = self.hexadecimalText(fields[3]), let time = Int64(self.text(fields[4])),
            let offset = Int64(self.text(fields[5])), let received = Int64(self.text(fields[6])),
            let value = Double(self.text(fields[7]))
        else { return nil }
        return LakeRow(
            site: site, station: self.text(fields[1]), parameter: self.text(fields[2]), unit: unit,
            timeMilliseconds: time, offsetSeconds: offset, receivedSeconds: received, value: value,
            status: self.text(fields[8]))
    }

    static let lineFeed = UInt8(ascii: "\n")
    private static let tab = UInt8(ascii: "\t")
    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func appendHexadecimal(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            bytes.append(self.digits[Int(byte >> 4)])
            bytes.append(self.digits[Int(byte & 15)])
        }
    }

    private static func hexadecimalText(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.count % 2 == 0 else { return nil }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count / 2)
        var high: UInt8?
        for byte in bytes {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                decoded.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
