/// Random payloads: mostly messages, with everything that can be wrong in some of them.
struct PayloadGenerator {
    var random: SeededGenerator
    /// How likely each oddity is.
    var oddity: Double

    private static let names = [
        "PM2.5", "SO2", "pH", "Temperature", "SlopeDisplacement", "SlopeDisplacemenu", "pm2.5", "X", "Độ ẩm", "",
    ]
    private static let texts = [
        "", "a", "00", "1e999", "\\\"", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\udc00x", "\\x", "\t",
    ]
    private static let times = [
        "1795420800000", "1795420800", "1795420800.25", "1795420800.062", "\"2026-11-23T09:00:00+07:00\"",
        "\"2026-11-23T02:00:00.125Z\"", "0", "-3", "100000000000", "99999999999", "1e12", "1795420800000000",
    ]
    private static let badTimes = [
        "null", "true", "[]", "{}", "\"\"", "\"2026-11-23T09:00:00\"", "\"2026-02-29T09:00:00Z\"", "1e999", "1e40",
        "18446744073709551616", "\"1795420800\"",
    ]
    private static let numbers = [
        "0", "-0", "0.0", "-0.0", "7", "31.4", "-12.25", "1e3", "1E-3", "2.5e+2", "1e308", "9007199254740993",
        "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "-9223372036854775809", "340282366920938463463374607431768211456", "1e-400", "0.30000000000000004", "5e-324",
    ]
    private static let odd = [
        "null", "true", "false", "\"7\"", "\"\"", "{}", "[]", "[1,[2]]", "{\"a\":1}", "{\"a\":1,\"a\":2}", "1e999",
        "-1e400", "[[[[[1]]]]]", "[[[[[[[[1]]]]]]]]", "[1e999]",
    ]
    private static let broken = ["01", "1.", "+1", "NaN", "nul", "'a'", ".5", "-", "1e", "Infinity", ""]
    private static let statuses = ["\"00\"", "\"01\"", "\"02\"", "\"Z\"", "\"12345678\""]
    private static let badStatuses = ["\"\"", "\"123456789\"", "\"-\"", "0", "null", "{}", "[[]]", "\"é\""]

    init(seed: UInt64, oddity: Double) {
        self.random = SeededGenerator(seed: seed)
        self.oddity = oddity
    }

    mutating func payload() -> [UInt8] {
        var members: [String] = []
        if self.random.chance(0.7) { members.append(self.member("seq", self.sequence())) }
        if self.random.chance(0.5) { members.append(self.member("boot", self.boot())) }
        if self.random.chance(0.3) {
            let count = Int.random(in: 0...3, using: &self.random)
            let samples = (0..<count).map { _ in "{\(self.joined(self.sample()))}" }
            members.append(self.member("samples", "[\(samples.joined(separator: ","))]"))
            if self.isOdd() { members += self.sample() }
        } else {
            members += self.sample()
        }
        if self.isOdd() { members.append(self.member("extra", self.oddValue())) }
        if self.isOdd(), let member = members.randomElement(using: &self.random) { members.append(member) }
        if self.isOdd() { return Array(self.oddValue().utf8) }
        return Array("\(self.blank()){\(self.joined(members))}\(self.blank())".utf8)
    }

    private mutating func isOdd() -> Bool { self.random.chance(self.oddity) }

    private mutating func pick(_ choices: [String]) -> String {
        choices[Int.random(in: 0..<choices.count, using: &self.random)]
    }

    private mutating func blank() -> String { self.random.chance(0.9) ? "" : self.pick([" ", "\n", "\t \r\n"]) }

    private mutating func joined(_ members: [String]) -> String {
        members.shuffled(using: &self.random).joined(separator: ",\(self.blank())")
    }

    private mutating func member(_ key: String, _ value: String) -> String {
        var key = key
        if let first = key.utf8.first, first < 0x80, self.random.chance(0.05) {
            key = "\\u00\(String(first, radix: 16))\(key.dropFirst())"
        }
        return "\"\(key)\":\(self.blank())\(value)"
    }

    private mutating func sequence() -> String {
        guard self.isOdd() else { return "\(Int64.random(in: 0...(1 << 53), using: &self.random))" }
        return self.pick(Self.numbers + Self.odd + Self.broken + ["9007199254740992", "-1", "4711.0", "1.5"])
    }

    private mutating func boot() -> String {
        guard self.isOdd() else { return "\"b\(Int.random(in: 0..<9, using: &self.random))\"" }
        let long = String(
            repeating: self.pick(["é", "x", "\\u1ebf"]), count: Int.random(in: 30...34, using: &self.random))
        return self.pick(["\"\(self.pick(Self.texts))\"", "\"\(long)\"", "7", "null"])
    }

    private mutating func sample() -> [String] {
        var members: [String] = []
        if !self.isOdd() {
            members.append(self.member("ts", self.isOdd() ? self.pick(Self.badTimes) : self.pick(Self.times)))
        }
        if !self.isOdd() { members.append(self.member("values", self.isOdd() ? self.oddValue() : self.values())) }
        if self.random.chance(0.5) {
            members.append(self.member("status", self.isOdd() ? self.oddValue() : self.statuses()))
        }
        if self.isOdd() { members.append(self.member(self.pick(["note", "seq", "boot", "samples"]), self.oddValue())) }
        return members
    }

    private mutating func keys() -> [String] {
        var names = Array(Self.names.dropLast(self.isOdd() ? 0 : 3).shuffled(using: &self.random))
        names.removeLast(Int.random(in: 0..<names.count, using: &self.random))
        if self.isOdd() { names += (0..<Int.random(in: 0...40, using: &self.random)).map { "n\($0 * 31 % 64)" } }
        if self.isOdd(), let name = names.last { names.append(name) }
        return names
    }

    private mutating func values() -> String {
        let members = self.keys().map { self.member($0, self.isOdd() ? self.oddValue() : self.number()) }
        return "{\(self.joined(members))}"
    }

    private mutating func statuses() -> String {
        let members = self.keys().map {
            self.member($0, self.isOdd() ? self.pick(Self.badStatuses) : self.pick(Self.statuses))
        }
        return "{\(self.joined(members))}"
    }

    private mutating func number() -> String {
        if self.random.chance(0.3) { return self.pick(Self.numbers) }
        return "\(Double(Int.random(in: -100_000...100_000, using: &self.random)) / 100)"
    }

    private mutating func oddValue() -> String {
        if self.random.chance(0.1) { return self.pick(Self.broken) }
        if self.random.chance(0.3) { return "\"\(self.pick(Self.texts))\"" }
        return self.pick(Self.odd + Self.numbers)
    }

    /// The same payload with bytes flipped, lost, doubled, swapped in or cut off.
    mutating func damaged(_ payload: [UInt8]) -> [UInt8] {
        var bytes = payload
        for _ in 0..<Int.random(in: 1...3, using: &self.random) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &self.random)
            let interesting = Array("{}[]\",:\\0129eE+-. ntf\u{0}".utf8)
            switch Int.random(in: 0..<6, using: &self.random) {
            case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &self.random)
            case 1: bytes.remove(at: position)
            case 2: bytes[position] = interesting[Int.random(in: 0..<interesting.count, using: &self.random)]
            case 3: bytes.insert(interesting[Int.random(in: 0..<interesting.count, using: &self.random)], at: position)
            case 4: bytes.removeLast(bytes.count - position)
            default:
                let end = min(bytes.count, position + Int.random(in: 1...30, using: &self.random))
                bytes.insert(contentsOf: bytes[position..<end], at: position)
            }
        }
        return bytes
    }
}
