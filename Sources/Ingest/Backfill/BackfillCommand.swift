import FoundationEssentials

/// The payload of `…/command` that asks for what is missing.
struct BackfillCommand {
    let id: Int64
    let boot: [UInt8]
    let numbers: ClosedRange<Int64>
    let times: ClosedRange<Int64>?

    var json: String {
        var text = "{\"id\": \"\(self.id)\", \"kind\": \"backfill\", \"boot\": \(JSONText.quoted(self.boot)), "
        if let times = self.times { text += "\"from\": \(times.lowerBound), \"to\": \(times.upperBound), " }
        return text + "\"seqFrom\": \(self.numbers.lowerBound), \"seqTo\": \(self.numbers.upperBound)}"
    }
}

/// What a device says on `…/response` to a command.
struct DeviceResponse: Equatable {
    let id: String
    let status: String
    /// Numbers it does not have.
    let missing: [ClosedRange<Int64>]

    /// It has nothing of what it was asked for.
    var hasNothing: Bool { self.status == "unknown" }

    /// For the table, bounded.
    var summary: String {
        let gone = self.missing.prefix(8).map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ", ")
        return gone.isEmpty ? self.status : "\(self.status), missing \(gone)"
    }

    private struct Payload: Decodable {
        let id: String
        let status: String
        let missing: [[Int64]]?
    }

    /// Nil when it is none.
    init?(_ payload: [UInt8]) {
        guard payload.count <= IngestLimits.responseBytesMax,
            let read = try? JSONDecoder().decode(Payload.self, from: Data(payload)), read.id.utf8.count <= 64,
            ["sent", "partial", "unknown"].contains(read.status)
        else { return nil }
        self.id = read.id
        self.status = read.status
        var ranges: [ClosedRange<Int64>] = []
        for pair in read.missing?.prefix(IngestLimits.responseRangesMax) ?? [] {
            guard pair.count == 2, pair[0] >= 0, pair[0] <= pair[1] else { return nil }
            ranges.append(pair[0]...pair[1])
        }
        // Overlapping ranges would be counted twice.
        ranges.sort { $0.lowerBound < $1.lowerBound }
        var joined: [ClosedRange<Int64>] = []
        for range in ranges {
            if let last = joined.last, range.lowerBound <= last.upperBound {
                joined[joined.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        self.missing = joined
    }

    init(id: String, status: String, missing: [ClosedRange<Int64>] = []) {
        self.id = id
        self.status = status
        self.missing = missing
    }
}

/// Text as JSON.
enum JSONText {
    /// A boot id, which may hold anything.
    static func quoted(_ bytes: [UInt8]) -> String {
        var text = "\""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case let scalar where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
