import FoundationEssentials
import Monitoring

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Standard output and error of a verb.
enum Output {
    /// Writes to standard output.
    ///
    /// A reader that has gone (`| head`) ends the program quietly, as it does for other programs.
    static func write(_ text: String) throws(VerbFailure) {
        try FileDescriptorWriter.write(Array(text.utf8), to: STDOUT_FILENO, name: "standard output")
    }

    static func line(_ text: String) throws(VerbFailure) { try self.write(text + "\n") }

    /// Writes a line to standard error; nothing can be done when that fails.
    static func note(_ text: String) {
        try? FileDescriptorWriter.write(Array("\(text)\n".utf8), to: STDERR_FILENO, name: "standard error")
    }

    /// Prints what a request brought and ends the verb accordingly.
    static func finish(_ reply: StoreReply) throws {
        if !reply.output.isEmpty { try self.line(reply.output) }
        guard reply.exitCode == ExitStatus.done else {
            throw VerbFailure(exitCode: reply.exitCode, message: reply.message)
        }
        if !reply.message.isEmpty { self.note("quantrac: warning: \(reply.message)") }
    }

    /// Writes one value as JSON.
    static func json(_ value: some Encodable) throws {
        try self.line(String(decoding: try self.encoder().encode(value), as: UTF8.self))
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// Writes an array of JSON, element by element: however many there are, only one page of them is in memory.
    ///
    /// - Parameter nextPage: returns the next elements, and none at the end.
    /// - Throws: What `nextPage` throws, or that nobody reads.
    static func jsonArray<Element: Encodable>(_ nextPage: () throws -> [Element]) throws {
        let encoder = self.encoder()
        var isFirst = true
        while true {
            let page = try nextPage()
            guard !page.isEmpty else { break }
            var text = ""
            for element in page {
                text += isFirst ? "[" : ",\n "
                isFirst = false
                text += String(decoding: try encoder.encode(element), as: UTF8.self)
            }
            try self.write(text)
        }
        try self.write(isFirst ? "[]\n" : "]\n")
    }

    /// Writes rows as columns of text, wide enough for what is in them.
    static func table(_ header: [String], _ rows: [[String]]) throws(VerbFailure) {
        try self.write(self.tableText(header, rows))
    }

    static func tableText(_ header: [String], _ rows: [[String]]) -> String {
        var text = ""
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        for row in [header] + rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column + 1 < row.count { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            text += line + "\n"
        }
        return text
    }
}

/// Instants as lists show them: RFC 3339 on the local clock of the settings.
struct TimeText {
    let zone: Zone

    func text(_ milliseconds: Int64) -> String {
        // A claimed time may be anything; what RFC 3339 cannot say stays the number it was.
        guard (-62_135_596_800_000...253_402_300_799_999).contains(milliseconds) else { return "\(milliseconds)" }
        return Civil.formatRFC3339(
            milliseconds: milliseconds, offsetSeconds: self.zone.offsetSeconds(at: milliseconds))
    }

    func text(_ milliseconds: Int64?) -> String? { milliseconds.map { self.text($0) } }
}

extension NumberText {
    /// A number for people's tables, as exports write it.
    static func text(_ value: Double) -> String {
        var bytes: [UInt8] = []
        self.append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A bar on standard error, when that is a terminal; scripts and logs never see it.
struct ProgressBar {
    private let isShown: Bool
    private let label: String
    private var lastDrawn = ContinuousClock.now - .seconds(1)

    init(_ label: String) {
        self.label = label
        self.isShown = isatty(STDERR_FILENO) == 1
    }

    /// Draws `done` of `total`, at most ten times a second.
    mutating func update(_ done: Double, of total: Double, detail: String) {
        guard self.isShown, ContinuousClock.now - self.lastDrawn > .milliseconds(100) else { return }
        self.lastDrawn = .now
        let share = total > 0 ? min(max(done / total, 0), 1) : 1
        let filled = Int(share * 30)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        self.draw("\r\(self.label) \(bar) \(Int(share * 100)) % \(detail)\u{1B}[K")
    }

    /// Wipes the bar away.
    func clear() {
        if self.isShown { self.draw("\r\u{1B}[K") }
    }

    private func draw(_ text: String) {
        try? FileDescriptorWriter.write(Array(text.utf8), to: STDERR_FILENO, name: "standard error")
    }
}
