import Crypto
import FoundationEssentials

/// The accounts of a mosquitto broker: its password file and its access list, kept line by line.
enum BrokerAccounts {
    /// A password of 256 random bits, in letters, digits, `-` and `_`.
    static func newPassword() -> String {
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        return bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// A line of mosquitto's password file: PBKDF2 with SHA-512, as `mosquitto_passwd` writes it.
    ///
    /// Written here rather than by that program: it takes a password as an argument, which every user of the machine
    /// can read, or rewrites a whole file of plain texts; and it need not be installed where the service runs. 101
    /// iterations are its default, and enough: our passwords cannot be guessed at any speed.
    static func passwordLine(
        user: String, password: String, salt: [UInt8] = Array(SymmetricKey(size: .init(bitCount: 96)).bytes)
    ) -> String {
        let hash = Self.pbkdf2(password: Array(password.utf8), salt: salt, iterations: 101)
        return "\(user):$7$101$\(Data(salt).base64EncodedString())$\(Data(hash).base64EncodedString())"
    }

    /// One block of PBKDF2-HMAC-SHA512 (RFC 8018), which is all that 64 bytes need.
    static func pbkdf2(password: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        let key = SymmetricKey(data: password)
        var block = Array(HMAC<SHA512>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
        var result = block
        for _ in 1..<iterations {
            block = Array(HMAC<SHA512>.authenticationCode(for: block, using: key))
            for index in result.indices { result[index] ^= block[index] }
        }
        return result
    }

    /// A password file with lines added or replaced; every other line stays as it was.
    static func passwordFile(_ text: String, setting lines: [String: String]) -> String {
        var left = lines
        var result: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) {
            let user = String(line.prefix { $0 != ":" })
            result.append(lines[user] ?? line)
            left[user] = nil
        }
        result += left.sorted { $0.key < $1.key }.map(\.value)
        return result.map { "\($0)\n" }.joined()
    }

    /// Whether a password file knows a user.
    static func knows(_ user: String, in text: String) -> Bool {
        text.split(separator: "\n").contains { $0.hasPrefix("\(user):") }
    }

    private static let accessListMark = "# Written by `quantrac station password`, anew each time."

    /// Where the service sends itself a marker: one for each of its reading sessions.
    private static func markerTopics(prefix: String, clientID: String) -> [String] {
        ["response", "history"].map { "\(prefix)/_\(clientID)/\($0)" }
    }

    /// What the service needs and an access list of ours, written by an older version, does not grant.
    ///
    /// A list written by somebody else is theirs to know.
    static func missing(in text: String, prefix: String, clientID: String) -> [String] {
        guard text.hasPrefix(self.accessListMark), text.contains("topic write \(prefix)/_") else { return [] }
        let lines = Set(text.split(separator: "\n"))
        return self.markerTopics(prefix: prefix, clientID: clientID).map { "topic write \($0)" }
            .filter { !lines.contains($0[...]) }
    }

    /// The access list: every station its own topics and nobody else's, and what the service itself needs.
    ///
    /// A list written by somebody else stays as it is, with the two patterns added where they are missing.
    static func accessList(_ text: String, prefix: String, clientID: String, serviceUser: String?) -> String {
        let patterns = ["pattern write \(prefix)/%u/+", "pattern read \(prefix)/%u/#"]
        guard text.isEmpty || text.hasPrefix(self.accessListMark) else {
            let lines = Set(text.split(separator: "\n").map { $0.trimmingPrefix { $0.isWhitespace } })
            let missing = patterns.filter { !lines.contains($0[...]) }
            guard !missing.isEmpty else { return text }
            return text + (text.hasSuffix("\n") ? "" : "\n") + missing.map { "\($0)\n" }.joined()
        }
        var lines = [self.accessListMark, ""]
        if let serviceUser {
            lines += [
                "# Quantrac: hears every station, answers, and sends itself the markers that show it is caught up."
            ]
            lines += ["user \(serviceUser)"]
            lines += Settings.stationTopics.map { "topic read \(prefix)/+/\($0)" }
            lines += ["topic write \(prefix)/+/stored", "topic write \(prefix)/+/command"]
            lines += self.markerTopics(prefix: prefix, clientID: clientID).map { "topic write \($0)" }
            lines += ["topic read $SYS/#", ""]
        }
        lines += ["# A station: its own topics. The name it signs in with is its id."] + patterns
        return lines.map { "\($0)\n" }.joined()
    }
}

extension SymmetricKey {
    fileprivate var bytes: [UInt8] { self.withUnsafeBytes { Array($0) } }
}
