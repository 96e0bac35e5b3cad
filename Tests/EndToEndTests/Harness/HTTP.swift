import Foundation

/// An answer of an HTTP server.
struct HTTPAnswer {
    let status: Int
    let body: String

    var json: Any? { try? JSONSerialization.jsonObject(with: Data(self.body.utf8)) }
}

/// GETs a path from a server on the loopback; nil when nobody answers.
func httpGet(port: Int, _ path: String) -> HTTPAnswer? {
    guard let connection = Connection(port: port) else { return nil }
    defer { connection.close() }
    connection.write(Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8))
    var bytes: [UInt8] = []
    while case let more = connection.read(), !more.isEmpty { bytes += more }
    guard let message = HTTPMessage(bytes), let status = message.start.split(separator: " ").dropFirst().first,
        let code = Int(status)
    else { return nil }
    return HTTPAnswer(status: code, body: String(decoding: message.body, as: UTF8.self))
}

/// A whole HTTP message: request or answer.
struct HTTPMessage {
    let start: String
    /// Names in lower case.
    let headers: [String: String]
    let body: [UInt8]
    /// Whether all of the body is there.
    let isComplete: Bool

    /// Nil as long as the head is not complete.
    init?(_ bytes: [UInt8]) {
        let data = Data(bytes)
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: data[..<end.lowerBound], as: UTF8.self)
        var lines = head.split(separator: "\r\n").map(String.init)
        self.start = lines.removeFirst()
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        self.headers = headers
        let rest = Array(bytes[end.upperBound...])
        if headers["transfer-encoding"]?.lowercased() == "chunked" {
            (self.body, self.isComplete) = Self.joined(rest)
        } else {
            self.body = rest
            self.isComplete = rest.count >= headers["content-length"].flatMap { Int($0) } ?? 0
        }
    }

    private static func joined(_ bytes: [UInt8]) -> ([UInt8], Bool) {
        var body: [UInt8] = []
        var position = 0
        while let lineEnd = bytes[position...].firstIndex(of: 13) {
            let digits = String(decoding: bytes[position..<lineEnd], as: UTF8.self)
            guard let size = Int(digits.prefix { $0.isHexDigit }, radix: 16) else { break }
            let start = lineEnd + 2
            if size == 0 { return (body, true) }
            guard start + size + 2 <= bytes.count else { break }
            body += bytes[start..<(start + size)]
            position = start + size + 2
        }
        return (body, false)
    }
}
