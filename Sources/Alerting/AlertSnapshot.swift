/// The working state of alerting at one moment: what a restart needs beside the journal that follows it.
///
/// It names rules and series by what never changes, so it may be put onto other bindings than it was taken from.
package struct AlertSnapshot: Sendable, Hashable {
    /// Every state that is not idle.
    package var states: [SlotKey: RuleState]
    /// Of every series some rule watches, by number, the device time of its newest reading *at that moment*.
    ///
    /// The store's newest time will not do: folding later journal frames would find all their readings old.
    package var newestMilliseconds: [Int32: Int64]

    package init(states: [SlotKey: RuleState] = [:], newestMilliseconds: [Int32: Int64] = [:]) {
        self.states = states
        self.newestMilliseconds = newestMilliseconds
    }

    package static let encodingVersion: UInt8 = 1

    /// The snapshot as bytes, the same for equal snapshots.
    ///
    /// Version; count of states, each the length of the rule's id, the id, the series' number and a `RuleState`; count
    /// of series, each number and time. Counts, lengths and numbers are 4 bytes, little endian.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = [Self.encodingVersion]
        bytes.reserveCapacity(9 + self.states.count * 96 + self.newestMilliseconds.count * 12)
        append(UInt32(self.states.count), to: &bytes)
        let keys = self.states.keys.sorted {
            $0.ruleID == $1.ruleID ? $0.seriesNumber < $1.seriesNumber : $0.ruleID < $1.ruleID
        }
        for key in keys {
            guard let state = self.states[key] else { continue }
            append(UInt32(key.ruleID.utf8.count), to: &bytes)
            bytes.append(contentsOf: key.ruleID.utf8)
            append(key.seriesNumber, to: &bytes)
            state.encode(to: &bytes)
        }
        append(UInt32(self.newestMilliseconds.count), to: &bytes)
        for (number, newest) in self.newestMilliseconds.sorted(by: { $0.key < $1.key }) {
            append(number, to: &bytes)
            append(newest, to: &bytes)
        }
        return bytes
    }

    /// Fails on anything `encoded` does not write; never reads outside the bytes.
    package init?(encoded bytes: [UInt8]) {
        var rest = bytes[...]
        guard rest.popFirst() == Self.encodingVersion, let stateCount = take(UInt32.self, from: &rest) else {
            return nil
        }
        var states: [SlotKey: RuleState] = [:]
        for _ in 0..<stateCount {
            guard let length = take(UInt32.self, from: &rest), length <= rest.count,
                let ruleID = String(validating: rest.prefix(Int(length)), as: UTF8.self)
            else { return nil }
            rest.removeFirst(Int(length))
            guard let number = take(Int32.self, from: &rest), rest.count >= RuleState.encodedBytes,
                let state = RuleState(encoded: Array(rest.prefix(RuleState.encodedBytes)))
            else { return nil }
            rest.removeFirst(RuleState.encodedBytes)
            states[SlotKey(ruleID: ruleID, seriesNumber: number)] = state
        }
        guard let seriesCount = take(UInt32.self, from: &rest), rest.count == Int(seriesCount) * 12 else { return nil }
        var newest: [Int32: Int64] = [:]
        newest.reserveCapacity(Int(seriesCount))
        for _ in 0..<seriesCount {
            guard let number = take(Int32.self, from: &rest), let time = take(Int64.self, from: &rest) else {
                return nil
            }
            newest[number] = time
        }
        guard states.count == Int(stateCount), newest.count == Int(seriesCount) else { return nil }
        self.states = states
        self.newestMilliseconds = newest
    }
}

private func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
}

private func take<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, from bytes: inout ArraySlice<UInt8>
) -> Number? {
    let size = MemoryLayout<Number>.size
    guard bytes.count >= size else { return nil }
    let number = bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(as: Number.self)) }
    bytes.removeFirst(size)
    return number
}
