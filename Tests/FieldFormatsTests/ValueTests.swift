import FieldFormats
import Foundation
import Monitoring
import Testing

@Suite struct ValueTests {
    @Test(
        arguments: [
            ("null", .null, "null"), ("\"7\"", .notANumber, "\"7\""), ("true", .notANumber, "true"),
            ("false", .notANumber, "false"), (#"{"a":[1,2.5,null]}"#, .notANumber, #"{"a":[1,2.5,null]}"#),
            ("[ ]", .notANumber, "[]"), ("1e999", .notFinite, "1e999"), ("-1E+400", .notFinite, "-1E+400"),
            ("17976931348623159e292", .notFinite, "17976931348623159e292"),
            (#""a\"\\\n\u00e9""#, .notANumber, #""a\"\\\u000aé""#),
        ] as [(String, QuarantineReason, String)])
    func `a value that is no finite number is set aside on its own`(
        text: String, reason: QuarantineReason, raw: String
    ) throws {
        let bench = try Bench()
        let decoded = bench.decode("{\"ts\":1,\"values\":{\"SO2\":1,\"pH\":\(text),\"PM2.5\":2}}")
        #expect(decoded.reason == nil)
        #expect(decoded.samples.first?.values.map(\.reason) == [0, reason.rawValue, 0])
        let value = bench.decoder.values[1]
        #expect(!value.value.isFinite)
        #expect(value.seriesIndex == 2)
        #expect(bench.decoder.parameterName(of: value) == "pH")
        #expect(bench.decoder.rawValue(of: value) == raw)
        #expect(bench.decoder.rawValue(of: bench.decoder.values[0]) == nil)
        #expect(bench.decoder.rawStatus(of: value) == nil)
    }

    @Test func `a value of an unknown parameter is set aside with its value and status`() throws {
        let bench = try Bench()
        let payload = #"{"ts":1,"values":{"ph":7,"X":null,"pH":1},"status":{"ph":"02","X":"?","Y":"01"}}"#
        #expect(bench.decode(payload).reason == nil)
        let values = Array(bench.decoder.values)
        #expect(values.map(\.seriesIndex) == [-1, -1, 2])
        #expect(values.map(\.reason) == [1, 1, 0])
        #expect(values[0].value == 7)
        #expect(values.map(\.status) == [.fault, DecodedValue.none, .measuring])
        #expect(bench.decoder.parameterName(of: values[0]) == "ph")
        #expect(bench.decoder.rawValue(of: values[1]) == "null")
        #expect(bench.decoder.rawStatus(of: values[1]) == "?")
    }

    @Test(arguments: [1, 16, 17, 400])
    func `each of many unknown parameters gets its own status`(count: Int) throws {
        let bench = try Bench()
        let names = (0..<count).map { "unknown-\($0 * 7_919 % 1_009)" }
        let values = names.map { "\"\($0)\":1" }.joined(separator: ",")
        let status = names.reversed().map { "\"\($0)\":\"\($0.dropFirst(8))\"" }.joined(separator: ",")
        let decoded = bench.decode("{\"status\":{\(status)},\"ts\":1,\"values\":{\(values)}}")
        #expect(decoded.samples.first?.values.map(\.name) == names)
        #expect(decoded.samples.first?.values.map(\.status) == names.map { Status(String($0.dropFirst(8))) })
    }

    @Test(arguments: [
        ("\"\"", ""), ("\"123456789\"", "123456789"), ("\"0 \"", "0 "), ("\"ế\"", "ế"), ("0", "0"), ("null", "null"),
        ("true", "true"), ("[\"00\"]", "[\"00\"]"), ("\"0\\u0000\"", "0\0"),
    ])
    func `a bad status sets the value aside`(text: String, raw: String) throws {
        let bench = try Bench()
        let value = try #require(bench.onlyValue("{\"ts\":1,\"values\":{\"pH\":7.5},\"status\":{\"pH\":\(text)}}"))
        #expect(value.reason == QuarantineReason.badStatus.rawValue)
        #expect(value.value == 7.5)
        #expect(value.status == DecodedValue.none)
        #expect(bench.decoder.rawStatus(of: value) == raw)
        #expect(bench.decoder.rawValue(of: value) == nil)
    }

    @Test(arguments: ["0", "00", "03", "Zz9", "12345678"])
    func `any status of 1 to 8 letters and digits is kept`(text: String) throws {
        let value = try Bench().onlyValue("{\"ts\":1,\"values\":{\"pH\":7},\"status\":{\"pH\":\"\(text)\"}}")
        #expect(value?.reason == 0)
        #expect(value?.status == Status(text))
    }

    @Test func `of several reasons the first one is told`() throws {
        let bench = try Bench()
        let decoded = bench.decode(#"{"ts":1,"values":{"X":null,"pH":"a","SO2":null},"status":{"pH":"","X":""}}"#)
        #expect(decoded.samples.first?.values.map(\.reason) == [1, 4, 2])
    }

    @Test(arguments: [
        "0", "0.0", "-0.0", "1", "-1", "31.4", "1E5", "1e-5", "1e+2", "5e-324", "2.4703282292062327e-324",
        "1.7976931348623157e308", "9007199254740993", "-9223372036854775808", "9223372036854775807",
        "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
        "123456789012345678901234567890", "0.1234567890123456789012345678901234567890", "1e-400", "0e999", "0E-999",
        "100000000000000000000000", "179769313486231570000000000000000000000000000000000000000000000000000000000000000",
    ])
    func `every number that a double can hold is read as its nearest double`(text: String) throws {
        let value = try #require(try Bench().onlyValue("{\"ts\":1,\"values\":{\"pH\":\(text)}}"))
        #expect(value.reason == 0)
        #expect(value.value.bitPattern == Double(text)?.bitPattern)
    }

    @Test func `an integer zero has no sign`() throws {
        #expect(try Bench().onlyValue(#"{"ts":1,"values":{"pH":-0}}"#)?.value.sign == .plus)
    }

    @Test(arguments: [
        "01", "1.", "+1", "NaN", ".5", "-", "1e", "1e+", "0x1", "Infinity", "-Infinity", "1_000", "1,5", "00", "- 1",
        "--1",
        "1e999.5", "1e5e999", "1e999x", "-01e999", "18446744073709551616.", "1e999 1",
    ])
    func `a malformed number spoils the message, even beside one that is too large`(text: String) throws {
        let bench = try Bench()
        #expect(bench.deadLetter("{\"ts\":1,\"values\":{\"pH\":\(text)}}") == .notJSON)
        #expect(bench.deadLetter("{\"ts\":1,\"values\":{\"SO2\":1e999,\"pH\":\(text)}}") == .notJSON)
        #expect(bench.deadLetter("{\"ts\":1,\"values\":{\"pH\":\(text),\"SO2\":18446744073709551616}}") == .notJSON)
    }

    @Test func `numbers that simdjson cannot hold leave everything around them alone`() throws {
        let bench = try Bench()
        let decoded = bench.decode(
            #"{"note":"1e999 \" 2e999 \\","seq":7,"x":[1,1e999,{"y":-1e999}],"ts":1795420800000,"#
                + #""values":{"SO2":1.5,"pH":1e400,"PM2.5":18446744073709551616,"X":-2}}"#)
        #expect(decoded.reason == nil)
        #expect(decoded.sequence == 7)
        #expect(decoded.samples.first?.timeMilliseconds == 1_795_420_800_000)
        #expect(decoded.samples.first?.values.map(\.reason) == [0, 3, 0, 1])
        #expect(bench.decoder.values.map(\.value) == [1.5, .infinity, 18_446_744_073_709_551_616, -2])
        #expect(bench.decoder.rawValue(of: bench.decoder.values[1]) == "1e400")
        #expect(bench.onlyValue(#"{"ts":1,"values":{"pH":1}}"#)?.value == 1)
    }

    @Test func `a number of a quarter of a million digits is read`() throws {
        let bench = try Bench()
        let digits = String(repeating: "9", count: 250_000)
        #expect(bench.onlyValue("{\"ts\":1,\"values\":{\"pH\":\(digits)}}")?.reason == 3)
        #expect(bench.decoder.rawValue(of: bench.decoder.values[0])?.utf8.count == 256)
        #expect(bench.onlyValue("{\"ts\":1,\"values\":{\"pH\":0.\(digits)}}")?.value == 1)
    }

    // MARK: Times

    @Test(
        arguments: [
            ("1795420800000", 1_795_420_800_000), ("1795420800", 1_795_420_800_000), ("0", 0), ("-1", -1_000),
            ("1795420800.123", 1_795_420_800_123), ("1795420800.1236", 1_795_420_800_124),
            ("99999999999", 99_999_999_999_000),
            ("100000000000", 100_000_000_000), ("1e11", 100_000_000_000), ("1795420800000.5", 1_795_420_800_001),
            ("0.0004", 0), ("-0.25", -250), ("1795420800000000000", 1_795_420_800_000_000_000),
            ("4611686018427387904", 1 << 62), ("\"2026-11-23T09:00:00+07:00\"", 1_795_399_200_000),
            ("\"2026-11-23T02:00:00.25Z\"", 1_795_399_200_250),
        ] as [(String, Int64)])
    func `a time is milliseconds, seconds or RFC 3339`(text: String, expected: Int64) throws {
        let decoded = try Bench().decode("{\"ts\":\(text),\"values\":{\"pH\":7}}")
        #expect(decoded.reason == nil)
        #expect(decoded.samples.first?.timeMilliseconds == expected)
    }
}
