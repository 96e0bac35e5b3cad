import Alerting
import Testing

@Suite struct RuleStateTests {
    @Test func `the bytes of a state are fixed, so that an upgrade can read them`() throws {
        var state = RuleState()
        let rule = CompiledRule(Marbles().rule)
        for event in Marbles().events("HNh").compactMap({ $0 }) { _ = step(rule, &state, event) }
        let bytes = state.encoded
        #expect(bytes.count == RuleState.encodedBytes)
        // Version, firing, found late, 0; three transitions; the newest time, 1795420920000, little endian.
        #expect(Array(bytes.prefix(8)) == [1, 2, 2, 0, 3, 0, 0, 0])
        #expect(bytes[8..<16].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } == 1_795_420_920_000)
        #expect(try #require(RuleState(encoded: bytes)) == state)
    }

    @Test func `a state that has seen nothing survives its bytes`() {
        #expect(RuleState(encoded: RuleState().encoded) == RuleState())
        #expect(RuleState(encoded: RuleState(newestMilliseconds: 5).encoded)?.newestMilliseconds == 5)
    }

    @Test func `bytes of another version, phase, flag or length are refused`() {
        let bytes = RuleState().encoded
        func changed(_ index: Int, _ byte: UInt8) -> [UInt8] {
            var bytes = bytes
            bytes[index] = byte
            return bytes
        }
        #expect(RuleState(encoded: changed(0, 2)) == nil)
        #expect(RuleState(encoded: changed(1, 4)) == nil)
        #expect(RuleState(encoded: changed(2, 8)) == nil)
        #expect(RuleState(encoded: changed(3, 1)) == nil)
        #expect(RuleState(encoded: []) == nil)
        #expect(RuleState(encoded: bytes.dropLast().map { $0 }) == nil)
        #expect(RuleState(encoded: bytes + [0]) == nil)
    }
}
