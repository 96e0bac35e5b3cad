/// The table of rooms in ARCHITECTURE.md: `| target | one line | may import |`.
///
/// A cell of targets names them in backticks. "may import" names rooms and modules, or says `all`, or `–` for
/// none. Modules of the system (``system``) need no mention; a room called pure may only use the mathematics of
/// ``plainC``.
struct LayerTable {
    struct Row {
        let targets: [String]
        let purpose: String
        let mayImport: Set<String>
        let mayImportAll: Bool
        let line: Int

        /// No clock, no I/O, no Foundation.
        var isPure: Bool { self.purpose.firstMatch(of: /\b[Pp]ure\b/) != nil && !self.mayImportAll }
    }

    /// What comes with the toolchain, free for every room that is not pure.
    static let system: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "Dispatch", "Synchronization", "Glibc", "Musl", "Darwin",
    ]

    /// Sines and `memcpy`: all that a pure room may want of the system (what else is there is looked for by name).
    static let plainC: Set<String> = ["Swift", "Glibc", "Musl", "Darwin"]

    let rows: [Row]

    init(architecture: RepositoryFile) {
        var rows: [Row] = []
        var inTable = false
        for (index, line) in architecture.lines.enumerated() {
            guard line.hasPrefix("|") else {
                inTable = false
                continue
            }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingPrefix(while: \.isWhitespace) }.map(String.init)
            if cells.count == 3, cells[0].hasPrefix("target"), cells[2].hasPrefix("may import") {
                inTable = true
                continue
            }
            guard inTable, cells.count == 3, !cells[0].hasPrefix("-") else { continue }
            let allowed = Self.words(in: cells[2])
            rows.append(
                Row(
                    targets: cells[0].matches(of: /`([A-Za-z][\w-]*)`/).map { String($0.1) }, purpose: cells[1],
                    mayImport: allowed, mayImportAll: allowed == ["all"], line: index + 1))
        }
        self.rows = rows.filter { !$0.targets.isEmpty }
    }

    var targets: [String] { self.rows.flatMap(\.targets) }
    var pureTargets: Set<String> { Set(self.rows.filter(\.isPure).flatMap(\.targets)) }

    func row(of target: String) -> Row? { self.rows.first { $0.targets.contains(target) } }

    /// The names before the first semicolon; what follows it is prose.
    private static func words(in cell: String) -> Set<String> {
        let names = cell.prefix { $0 != ";" }.matches(of: /[A-Za-z][\w-]*/)
        return Set(names.map { String($0.0) })
    }
}
