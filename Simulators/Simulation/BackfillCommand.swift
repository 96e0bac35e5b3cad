/// What the service asks on `…/command`: numbered messages it never got.
package struct BackfillCommand: Sendable, Hashable {
    package let id: String
    package let boot: String
    package let numbers: ClosedRange<Int64>

    package init(id: String, boot: String, numbers: ClosedRange<Int64>) {
        self.id = id
        self.boot = boot
        self.numbers = numbers
    }

    /// Reads `{"id": "12", "kind": "backfill", "boot": "b2", "seqFrom": 4702, "seqTo": 4705}`; nil when it is no such
    /// command.
    package init?(json bytes: UnsafeRawBufferPointer) {
        var reader = JSONReader(bytes: bytes)
        guard case .object(let members)? = reader.document(), case .text("backfill")? = members["kind"],
            case .text(let id)? = members["id"], case .text(let boot)? = members["boot"] ?? .text(""),
            case .number(let from)? = members["seqFrom"], case .number(let to)? = members["seqTo"],
            let first = Int64(exactly: from), let last = Int64(exactly: to), first <= last
        else { return nil }
        self.init(id: id, boot: boot, numbers: first...last)
    }
}

/// What a device answers on `…/response`.
package struct BackfillAnswer: Sendable, Hashable {
    package enum Status: String, Sendable {
        /// All of it goes out, or is on its way.
        case sent
        /// Some of it is not there any more.
        case partial
        /// Nothing of it is there.
        case unknown
    }

    /// Ranges told; a device with more holes in its memory than this says the rest when it is asked again.
    package static let rangesMax = 64

    package let id: String
    package let status: Status
    package let missing: [ClosedRange<Int64>]

    package init(id: String, status: Status, missing: [ClosedRange<Int64>]) {
        self.id = id
        self.status = status
        self.missing = missing
    }

    package var json: String {
        var text = "{\"id\":\"\(self.id)\",\"status\":\"\(self.status.rawValue)\""
        if !self.missing.isEmpty {
            let ranges = self.missing.map { "[\($0.lowerBound),\($0.upperBound)]" }
            text += ",\"missing\":[\(ranges.joined(separator: ","))]"
        }
        return text + "}"
    }
}
