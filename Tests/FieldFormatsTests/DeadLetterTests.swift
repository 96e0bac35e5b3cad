import FieldFormats
import Monitoring
import Testing

@Suite struct DeadLetterTests {
    @Test(
        arguments: [
            ("", .notJSON), (" ", .notJSON), ("{", .notJSON), ("{}{}", .notJSON), ("nul", .notJSON),
            ("{'ts':1}", .notJSON), (#"{"ts":1,}"#, .notJSON), (#"{"ts" 1}"#, .notJSON),
            (#"{"ts":1 "values":{}}"#, .notJSON),
            ("{\"ts\":\"\n\"}", .notJSON), (#"{"ts":"\x"}"#, .notJSON), (#"{"ts":"\ud800"}"#, .notJSON),
            (#"{"ts":"\udc00"}"#, .notJSON), ("\u{FEFF}{}", .notJSON), (#"{"ts":"#, .notJSON),
            (#"{"values":{"pH":7}}"#, .noTime), ("{}", .noTime),
            (#"{"samples":[{"values":{"pH":7}}],"ts":1}"#, .noTime),
            (#"{"ts":null,"values":{"pH":7}}"#, .badTime), (#"{"ts":true,"values":{"pH":7}}"#, .badTime),
            (#"{"ts":[1],"values":{"pH":7}}"#, .badTime), (#"{"ts":"now","values":{"pH":7}}"#, .badTime),
            (#"{"ts":"2026-11-23T09:00:00","values":{"pH":7}}"#, .badTime),
            (#"{"ts":"1","values":{"pH":7}}"#, .badTime),
            (#"{"ts":1e999,"values":{"pH":7}}"#, .badTime), (#"{"ts":1e300,"values":{"pH":7}}"#, .badTime),
            (#"{"ts":-9223372036854775808,"values":{"pH":7}}"#, .badTime),
            (#"{"ts":18446744073709551615,"values":{"pH":7}}"#, .badTime),
            (#"{"ts":1}"#, .empty), (#"{"ts":1,"values":{}}"#, .empty), (#"{"samples":[]}"#, .empty),
            (#"{"samples":[{"ts":1,"values":{"pH":7}},{"ts":2,"values":{}}]}"#, .empty),
            (#"{"samples":[{"ts":1,"values":{"pH":7}},{"ts":2}]}"#, .empty),
            ("[]", .badShape), ("7", .badShape), ("\"x\"", .badShape), ("null", .badShape),
            (#"[{"ts":1,"values":{"pH":7}}]"#, .badShape),
            (#"{"ts":1,"values":{"pH":7},"samples":[{"ts":1,"values":{"pH":7}}]}"#, .badShape),
            (#"{"samples":[{"ts":1,"values":{"pH":7}}],"status":{"pH":"02"}}"#, .badShape),
            (#"{"ts":1,"values":[7]}"#, .badShape), (#"{"ts":1,"values":null}"#, .badShape),
            (#"{"ts":1,"values":{"pH":7},"status":"01"}"#, .badShape), (#"{"samples":{}}"#, .badShape),
            (#"{"samples":[7]}"#, .badShape), (#"{"samples":[{"ts":1,"values":7}]}"#, .badShape),
        ] as [(String, DeadLetterReason)])
    func `a message that cannot be read says why`(payload: String, expected: DeadLetterReason) throws {
        let decoded = try Bench().decode(payload)
        #expect(decoded.reason == expected)
        #expect(decoded.samples.isEmpty)
    }

    @Test(arguments: [
        #"{"ts":1,"ts":1,"values":{"pH":7}}"#, #"{"ts":1,"values":{"pH":7,"pH":7}}"#,
        #"{"ts":1,"values":{"pH":7},"values":{"SO2":7}}"#, #"{"ts":1,"values":{"X":7,"pH":1,"X":7}}"#,
        #"{"ts":1,"values":{"pH":7},"status":{"pH":"00","pH":"01"}}"#,
        #"{"ts":1,"values":{"pH":7},"status":{"SO2":"00","SO2":"00"}}"#,
        #"{"ts":1,"values":{"pH":7},"status":{"X":"00","X":"00"}}"#, #"{"a":1,"ts":1,"values":{"pH":7},"a":2}"#,
        #"{"ts":1,"values":{"pH":7},"x":[{"b":[{"a":1,"a":1}]}]}"#, #"{"ts":1,"values":{"pH":{"a":1,"a":1}}}"#,
        #"{"ts":1,"values":{"pH":7},"status":{"pH":{"a":1,"a":1}}}"#, #"{"p\u0048":1,"ts":1,"values":{"pH":7},"pH":1}"#,
        #"{"samples":[{"ts":1,"values":{"pH":7},"x":1,"x":1}]}"#, #"{"samples":[{"ts":1,"values":{"pH":7,"pH":7}}]}"#,
        #"{"samples":[{"ts":1,"values":{"pH":7}}],"ts":{"a":1,"a":1}}"#, #"{"ts":{"a":1,"a":1},"values":{"pH":7}}"#,
        #"{"samples":[{"ts":1,"seq":{"a":1,"a":1},"values":{"pH":7}}]}"#, #"[{"a":1,"a":1}]"#, #"{"":1,"":1}"#,
        #"{"seq":{"a":1,"a":1},"ts":1,"values":{"pH":7}}"#, #"{"a\u0000":1,"b":1,"a\u0000":2}"#,
    ])
    func `a key that comes twice in any object spoils the message`(payload: String) throws {
        #expect(try Bench().deadLetter(payload) == .duplicateKey)
    }

    @Test func `keys that differ in a zero byte, case or accent are different`() throws {
        let bench = try Bench()
        let payload = #"{"ts":1,"ts\u0000":2,"TS":3,"e\u0301":1,"\u00e9":1,"values":{"pH":7,"PH":1,"pH\u0000":2}}"#
        #expect(bench.decode(payload).samples.first?.values.map(\.seriesIndex) == [2, -1, -1])
    }

    @Test(arguments: [2, 16, 17, 18, 500])
    func `one repeated key among many unknown ones is found`(count: Int) throws {
        let bench = try Bench()
        let keys = (0..<count).map { "\"key-\($0 * 7_919 % 1_009)\":1" }
        let distinct = "{\"ts\":1,\"values\":{\(keys.joined(separator: ","))}}"
        #expect(bench.decode(distinct).samples.first?.values.count == count)
        for position in [0, count / 2, count - 1] {
            let repeated = "{\"ts\":1,\"values\":{\((keys + [keys[position]]).joined(separator: ","))}}"
            #expect(bench.deadLetter(repeated) == .duplicateKey)
        }
    }

    @Test func `nesting is counted from the message itself, empty arrays and objects included`() throws {
        let bench = try Bench()
        func nested(_ depth: Int, _ innermost: String) -> String {
            // The message is 1, the member `x` begins at 2.
            let open = String(repeating: "[", count: depth - 1)
            return "{\"ts\":1,\"values\":{\"pH\":7},\"seq\":5,\"x\":\(open)\(innermost)"
                + String(repeating: "]", count: depth - 1) + "}"
        }
        #expect(bench.deadLetter(nested(8, "1")) == nil)
        #expect(bench.deadLetter(nested(8, "")) == nil)
        #expect(bench.deadLetter(nested(7, "{}")) == nil)
        #expect(bench.deadLetter(nested(9, "1")) == .tooDeep)
        #expect(bench.deadLetter(nested(9, "")) == .tooDeep)
        #expect(bench.deadLetter(nested(8, "{}")) == .tooDeep)
        #expect(bench.deadLetter(nested(64, "1")) == .tooDeep)
        #expect(bench.decoder.sequence == 5)
        #expect(bench.deadLetter(nested(66, "1")) == .tooDeep)
        #expect(bench.deadLetter(nested(100_000, "1")) == .tooDeep)
        #expect(bench.deadLetter(#"{"ts":1,"values":{"pH":[[[[[[1]]]]]]}}"#) == nil)
        #expect(bench.deadLetter(#"{"ts":1,"values":{"pH":[[[[[[[]]]]]]]}}"#) == .tooDeep)
        #expect(bench.deadLetter(#"{"samples":[{"ts":1,"values":{"pH":[[[[1]]]]}}]}"#) == nil)
        #expect(bench.deadLetter(#"{"samples":[{"ts":1,"values":{"pH":[[[[[]]]]]}}]}"#) == .tooDeep)
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xE2, 0x82],
        ] as [[UInt8]])
    func `bytes that are not UTF-8 are told apart from bad JSON`(bytes: [UInt8]) throws {
        let bench = try Bench()
        #expect(bench.decode(Array("{\"ts\":1,\"x\":\"".utf8) + bytes + Array("\"}".utf8)).reason == .invalidUTF8)
        #expect(bench.decode(Array("{\"ts\":01,".utf8) + bytes).reason == .invalidUTF8)
        #expect(bench.decode(bytes).reason == .invalidUTF8)
    }

    @Test func `too large wins over everything else`() throws {
        #expect(try Bench().decode([UInt8](repeating: 0xFF, count: (256 << 10) + 1)).reason == .tooLarge)
    }

    // MARK: seq and boot

    @Test(
        arguments: [
            ("0", 0), ("9007199254740992", 1 << 53), ("4711.0", 4711), ("4.711e3", 4711), ("-0", 0),
        ] as [(String, Int64)])
    func `a sequence number is an integer in 0…2^53`(text: String, expected: Int64) throws {
        #expect(try Bench().decode("{\"seq\":\(text),\"ts\":1,\"values\":{\"pH\":7}}").sequence == expected)
    }

    @Test(arguments: [
        "-1", "9007199254740993", "1.5", "\"1\"", "null", "true", "[1]", "1e999", "18446744073709551616", "1e16",
    ])
    func `anything else as sequence number is a bad shape`(text: String) throws {
        let decoded = try Bench().decode("{\"boot\":\"b\",\"seq\":\(text),\"ts\":1,\"values\":{\"pH\":7}}")
        #expect(decoded.reason == .badShape)
        #expect(decoded.sequence == nil)
        #expect(decoded.boot.isEmpty)
    }

    @Test func `a boot id has at most 32 characters`() throws {
        let bench = try Bench()
        func payload(_ boot: String) -> String { "{\"seq\":1,\"boot\":\(boot),\"ts\":1,\"values\":{\"pH\":7}}" }
        let longest = String(repeating: "ế", count: 32)
        #expect(bench.decode(payload("\"\(longest)\"")).boot == Array(longest.utf8))
        #expect(bench.decode(payload("\"\"")).boot.isEmpty)
        #expect(bench.deadLetter(payload("\"\(longest)x\"")) == .badShape)
        #expect(bench.decoder.sequence == nil)
        #expect(bench.deadLetter(payload("7")) == .badShape)
        #expect(bench.deadLetter(payload("null")) == .badShape)
    }

    @Test(arguments: [
        #"{"seq":7,"boot":"b","values":{"pH":7}}"#, #"{"ts":1,"values":{},"boot":"b","seq":7}"#,
        #"{"ts":1,"values":{"pH":7,"pH":7},"boot":"b","seq":7}"#, #"{"x":1,"x":1,"boot":"b","seq":7}"#,
        #"{"x":[[[[[[[[1]]]]]]]],"boot":"b","seq":7}"#, #"{"seq":7,"boot":"b","values":1,"samples":1}"#,
        #"{"seq":7,"boot":"b","samples":[{"ts":1,"values":{"pH":7}},{}]}"#,
    ])
    func `a dead letter that is JSON still tells its sequence number`(payload: String) throws {
        let decoded = try Bench().decode(payload)
        #expect(decoded.reason != nil)
        #expect(decoded.sequence == 7)
        #expect(decoded.boot == Array("b".utf8))
    }

    @Test(arguments: [
        #"{"seq":7,"seq":8,"ts":1,"values":{"pH":7}}"#, #"{"seq":7,"boot":"b","boot":"b","ts":1,"values":{"pH":7}}"#,
        #"{"seq":7"#, #"[{"seq":7}]"#,
    ])
    func `a sequence number that is ambiguous or not there is not told`(payload: String) throws {
        let bench = try Bench()
        _ = bench.decode(#"{"seq":1,"boot":"b","ts":1,"values":{"pH":7}}"#)
        let decoded = bench.decode(payload)
        #expect(decoded.reason != nil)
        #expect(decoded.sequence == nil)
        #expect(decoded.boot.isEmpty)
    }

    @Test func `details name what is wrong, and are bounded`() throws {
        let bench = try Bench()
        #expect(
            bench.outcome(#"{"ts":1,"values":{"pH":7,"pH":8}}"#)
                == .deadLetter(.duplicateKey, detail: "a key comes twice: \"pH\""))
        #expect(
            bench.outcome(#"{"ts":"yesterday","values":{"pH":7}}"#)
                == .deadLetter(.badTime, detail: "`ts` is no time: \"yesterday\""))
        let long = String(repeating: "ế", count: 50_000)
        guard case .deadLetter(_, let detail) = bench.outcome("{\"ts\":\"\(long)\",\"values\":{\"pH\":7}}") else {
            Issue.record("a text as time was accepted")
            return
        }
        #expect(detail.utf8.count < 300)
        #expect(detail.hasSuffix("ế…"))
    }
}
