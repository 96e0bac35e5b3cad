import Foundation

/// A wall clock for one program under test, which the test may step while the program runs.
struct SkewedClock {
    /// What goes before the program's command.
    let wrapper: [String]
    private let file: String

    /// Compiles what is preloaded (`Tests/Faults/skewed-clock.c`).
    init(_ folder: Folder) throws {
        let library = folder.file("skewed-clock.so")
        self.file = folder.file("skewed-clock")
        let source = "\(Places.root)/Tests/Faults/skewed-clock.c"
        let compiler = try Child(
            ["cc", "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], log: folder.file("cc"))
        guard try compiler.wait() == 0 else { throw Trouble("cc: \(compiler.errors)") }
        self.wrapper = ["env", "LD_PRELOAD=\(library)", "SKEWED_CLOCK=\(self.file)"]
        try self.set(offsetSeconds: 0)
    }

    /// In place: the running program has the file mapped.
    func set(offsetSeconds: Int64) throws {
        if !FileManager.default.fileExists(atPath: self.file) {
            try Data(count: 8).write(to: URL(fileURLWithPath: self.file))
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: self.file))
        defer { try? handle.close() }
        try handle.write(contentsOf: withUnsafeBytes(of: offsetSeconds) { Data($0) })
    }
}
