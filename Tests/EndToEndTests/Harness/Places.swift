import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where the repository and the programs are.
enum Places {
    static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// `QUANTRAC_BINARIES`, relative to the repository; usually the debug build.
    static let binaries: String = {
        let named = ProcessInfo.processInfo.environment["QUANTRAC_BINARIES"] ?? ".build/debug"
        return named.hasPrefix("/") ? named : "\(root)/\(named)"
    }()

    static let quantrac = "\(binaries)/quantrac"
    static let simulator = "\(binaries)/quantrac-sim"

    /// DuckDB's program, which judges exports and lake files independently; nil when it is not there.
    static let duckdb: String? = {
        let own = "\(root)/.tools/bin/duckdb"
        if access(own, X_OK) == 0 { return own }
        let found = Child.find("duckdb")
        return found.contains("/") ? found : nil
    }()

    /// Real hourly data beside the repository; empty when it is not there.
    static let realData: [String] = {
        let folder = "\(root)/../shared/data"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasPrefix("beijing-") && $0.hasSuffix(".csv.xz") }.sorted().map { "\(folder)/\($0)" }
    }()
}

/// A folder of one test, removed with it (kept when `QUANTRAC_TEST_KEEP` is set).
final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/quantrac-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw Trouble("no temporary folder: \(String(cString: strerror(errno)))")
        }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard ProcessInfo.processInfo.environment["QUANTRAC_TEST_KEEP"] == nil else { return }
        try? FileManager.default.removeItem(atPath: self.path)
    }

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let path = self.file(name)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }
}

/// A TCP port of the loopback that nobody uses right now.
func freePort() throws -> Int {
    let listener = try Listener()
    defer { listener.close() }
    return listener.port
}

/// Milliseconds since 1970.
func nowMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}
