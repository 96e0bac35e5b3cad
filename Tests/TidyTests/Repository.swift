import Foundation

/// The files of this repository as a fresh clone has them, read once.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// What stands at the top, and nothing else does: a new folder there is a decision (see ARCHITECTURE.md, Rooms).
    static let topFolders: Set<String> = ["Sources", "Tests", "Devices", "Simulators", "ops", ".ci", ".github"]

    /// Where builds, tools and data go; ignored by git, so never part of a clone.
    private static let ignored = [".git", ".build", ".tools", "var", "Package.resolved", ".swiftpm"]

    /// Every text file that belongs to the repository, by path.
    static let files: [RepositoryFile] = walk("").sorted { $0.path < $1.path }

    static var swiftFiles: [RepositoryFile] { self.files.filter { $0.path.hasSuffix(".swift") } }

    /// What ships: not tests, not the package manifest.
    static var shippedSwiftFiles: [RepositoryFile] {
        self.swiftFiles.filter { $0.room != nil && !$0.isTest }
    }

    static func file(_ path: String) -> RepositoryFile? { self.files.first { $0.path == path } }

    /// The names at the top that are not ignored.
    static let topNames: [String] = names(in: "")

    private static func names(in folder: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: self.root.path + "/" + folder)) ?? []
        guard folder.isEmpty else { return all.filter { $0 != "__pycache__" } }
        return all.filter { !self.ignored.contains($0) && !$0.hasPrefix(".build") }
    }

    private static func walk(_ folder: String) -> [RepositoryFile] {
        var found: [RepositoryFile] = []
        for name in self.names(in: folder) {
            let path = folder.isEmpty ? name : folder + "/" + name
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: self.root.path + "/" + path, isDirectory: &isFolder) else {
                continue
            }
            if isFolder.boolValue {
                found += self.walk(path)
            } else if let text = try? String(contentsOf: self.root.appendingPathComponent(path), encoding: .utf8) {
                found.append(RepositoryFile(path: path, text: text))
            }
        }
        return found
    }
}

/// A text file and what its place says about it.
struct RepositoryFile: Sendable, CustomStringConvertible {
    /// From the root, without a leading slash.
    let path: String
    let text: String
    let lines: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        // By bytes: a carriage return before the line feed would make one character of the two.
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map(Substring.init)
        if lines.last == "" { lines.removeLast() }
        self.lines = lines
        self.imports =
            path.hasSuffix(".swift")
            ? lines.enumerated().compactMap { index, line in
                Self.importedModule(line).map { ($0, index + 1) }
            } : []
    }

    var description: String { self.path }

    /// The target a source file belongs to: the folder below `Sources`, `Simulators`, `Devices` or `Tests`.
    var room: String? {
        if self.path.hasPrefix(Self.storeBench) { return "store-bench" }
        let parts = self.path.split(separator: "/")
        guard parts.count >= 3, ["Sources", "Simulators", "Devices", "Tests"].contains(parts[0]) else { return nil }
        return String(parts[1])
    }

    var isTest: Bool { self.path.hasPrefix("Tests/") && !self.path.hasPrefix(Self.storeBench) }

    /// A program of its own among the tests, held to what ships.
    private static let storeBench = "Tests/Benchmarks/StoreBench/"

    /// The modules a Swift file imports, with the number of the line; conditional and scoped imports included.
    let imports: [(module: String, line: Int)]

    /// The lines on which a word stands by itself, as `path:line`.
    ///
    /// Bytes are compared: this runs over every line there is.
    func places(of word: String) -> [String] {
        guard self.text.utf8.firstOffset(of: word) != nil else { return [] }
        return self.lines.enumerated().compactMap { index, line in
            line.utf8.containsWord(word) ? "\(self.path):\(index + 1)" : nil
        }
    }

    /// `import X`, `package import struct X.Y`, `@preconcurrency import X`.
    private static func importedModule(_ line: Substring) -> String? {
        guard line.utf8.firstOffset(of: "import ") != nil else { return nil }
        var words = line.split(whereSeparator: \.isWhitespace)
        let modifiers: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
        words.trimPrefix { $0.hasPrefix("@") || modifiers.contains($0) }
        guard words.first == "import" else { return nil }
        words.removeFirst()
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
        words.trimPrefix { kinds.contains($0) }
        return words.first.map { String($0.prefix { $0 != "." }) }
    }
}

extension BidirectionalCollection<UInt8> {
    /// Where some text's bytes begin for the first time.
    func firstOffset(of text: String, from start: Index? = nil) -> Index? {
        let wanted = Array(text.utf8)
        guard let first = wanted.first else { return nil }
        var position = start ?? self.startIndex
        while let candidate = self[position...].firstIndex(of: first) {
            if self[candidate...].starts(with: wanted) { return candidate }
            position = self.index(after: candidate)
        }
        return nil
    }

    /// Whether the text is there with no letter, digit or underscore directly before it, nor after it if it ends in
    /// one.
    func containsWord(_ text: String) -> Bool {
        var position = self.firstOffset(of: text)
        while let found = position {
            let after = self.index(found, offsetBy: text.utf8.count)
            let opens = found == self.startIndex || !self[self.index(before: found)].isWordByte
            let closes = after == self.endIndex || !self[after].isWordByte || text.utf8.last?.isWordByte == false
            if opens && closes { return true }
            position = self.firstOffset(of: text, from: self.index(after: found))
        }
        return false
    }
}

extension UInt8 {
    fileprivate var isWordByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
