/// What a device publishes on a topic.
package enum TopicKind: UInt8, Sendable, CaseIterable {
    case telemetry
    case history
    case event
    case status
    case response
}

/// A topic's parts, in the topic's own memory.
package struct ParsedTopic {
    /// The level between prefix and kind: a station id, as far as anybody knows.
    ///
    /// Never empty, has no `/`.
    package let station: UnsafeBufferPointer<UInt8>
    package let kind: TopicKind
}

/// Reads `<prefix>/<station>/<kind>` without making a String.
package struct TopicParser: Sendable {
    /// The prefix and the `/` after it.
    private let prefix: [UInt8]

    /// A parser for topics under a prefix such as `quantrac/v1`.
    package init(prefix: String) { self.prefix = Array(prefix.utf8) + [UInt8(ascii: "/")] }

    /// The parts of a topic; nil when it is none that we subscribe to.
    package func parse(_ topic: UnsafeBufferPointer<UInt8>) -> ParsedTopic? {
        let count = self.prefix.count
        guard topic.count > count, let start = topic.baseAddress else { return nil }
        for index in 0..<count where topic[index] != self.prefix[index] { return nil }
        var end = count
        while end < topic.count, topic[end] != UInt8(ascii: "/") { end += 1 }
        guard end > count, end + 1 < topic.count else { return nil }
        let last = Name(exact: start + end + 1, count: topic.count - end - 1)
        guard let kind = kind(of: last) else { return nil }
        return ParsedTopic(station: UnsafeBufferPointer(start: start + count, count: end - count), kind: kind)
    }

    /// The parts of a topic that ends with a zero byte.
    package func parse(cString topic: UnsafePointer<CChar>) -> ParsedTopic? {
        var count = 0
        while topic[count] != 0 { count += 1 }
        return topic.withMemoryRebound(to: UInt8.self, capacity: count) {
            self.parse(UnsafeBufferPointer(start: $0, count: count))
        }
    }

    private func kind(of name: Name) -> TopicKind? {
        guard name.count <= 9 else { return nil }
        switch (name.count, name.head, name.tail) {
        case (9, 0x7274_656D_656C_6574, 0x7972_7465_6D65_6C65): return .telemetry
        case (7, 0x0079_726F_7473_6968, _): return .history
        case (5, 0x0000_0074_6E65_7665, _): return .event
        case (6, 0x0000_7375_7461_7473, _): return .status
        case (8, 0x6573_6E6F_7073_6572, _): return .response
        default: return nil
        }
    }
}
