import Foundation
import Testing

/// Documents say what the code does, and nothing at the top of the repository is there by accident.
struct DocumentTests {
    @Test func `the README fits on two screens and shows the two commands`() throws {
        let readme = try #require(Repository.file("README.md"))
        #expect(readme.lines.count <= 120, "README.md has \(readme.lines.count) lines, 120 at most")
        #expect(readme.text.contains("make run") && readme.text.contains("make test"))
    }

    @Test(arguments: [
        "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", ".ci/run", "Devices/README.md",
        ".swift-format", ".editorconfig", ".gitignore",
    ])
    func `the furniture is there`(path: String) {
        let length = Repository.file(path)?.text.count ?? 0
        #expect(length > 0, "\(path) is missing or empty")
    }

    @Test func `top-level folders are the agreed ones`() {
        for name in Repository.topNames {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: Repository.root.path + "/" + name, isDirectory: &isFolder)
            guard isFolder.boolValue else { continue }
            #expect(Repository.topFolders.contains(name), "\(name)/ is not one of \(Repository.topFolders.sorted())")
        }
    }

    @Test func `every setting is in the manual`() throws {
        let manual = try #require(Repository.file("ops/manual/settings.md"), "ops/manual/settings.md is missing")
        let sources = Repository.files.filter { $0.path.hasPrefix("Sources/quantrac/Settings/") }
        let kinds = /"([a-z][A-Za-z]*(?:\.[a-z][A-Za-z]*)*)",\s*\.(?:text|optionalText|texts|integer|boolean)\(/
        let keys = Set(sources.flatMap { $0.text.matches(of: kinds).map { String($0.1) } })
        #expect(!keys.isEmpty, "no settings found in Sources/quantrac/Settings")
        let documented = Set(manual.lines.compactMap { $0.prefixMatch(of: /- `([A-Za-z.]+)`/).map { String($0.1) } })
        for key in keys.subtracting(documented).sorted() {
            Issue.record("ops/manual/settings.md has no line \"- `\(key)` …\"")
        }
        for key in documented.subtracting(keys).sorted() {
            Issue.record("ops/manual/settings.md documents \(key), which is no setting")
        }
    }

    @Test func `every metric is in the manual`() throws {
        let manual = try #require(Repository.file("ops/manual/metrics.md"), "ops/manual/metrics.md is missing")
        let name = /\bquantrac_[a-z0-9]+(?:_[a-z0-9]+)*\b/
        let sources = Repository.files.filter { $0.path.hasPrefix("Sources/") && $0.path.hasSuffix(".swift") }
        // Only what stands in text literals: C functions may begin alike.
        let literals = sources.flatMap { $0.lines.filter { $0.utf8.firstOffset(of: "quantrac_") != nil } }
            .filter { $0.utf8.contains(UInt8(ascii: "\"")) }
        // The three lines of a histogram are one metric to people.
        let parts = /_(?:bucket|sum|count)$/
        let inCode = Set(literals.flatMap { $0.matches(of: name).map { String($0.0.replacing(parts, with: "")) } })
        let inManual = Set(manual.text.matches(of: name).map { String($0.0) })
        for metric in inCode.subtracting(inManual).sorted() {
            Issue.record("ops/manual/metrics.md does not explain \(metric)")
        }
        for metric in inManual.subtracting(inCode).sorted() {
            Issue.record("ops/manual/metrics.md explains \(metric), which no source mentions")
        }
    }

    @Test func `every incident the service raises by itself is in the manual`() throws {
        let manual = try #require(Repository.file("ops/manual/incidents.md"), "ops/manual/incidents.md is missing")
        let sources = Repository.files.filter { $0.path.hasPrefix("Sources/") && $0.path.hasSuffix(".swift") }
        let lines = sources.flatMap { $0.lines.filter { $0.utf8.firstOffset(of: "\"quantrac.") != nil } }
        // Threads and queues have names too.
        let incidents = lines.filter { !$0.contains("label") && !$0.contains("thread") }
        let names = Set(incidents.flatMap { $0.matches(of: /"(quantrac\.[a-z-]+)/).map { String($0.1) } })
        #expect(!names.isEmpty, "no incidents found in the sources")
        for name in names.sorted() where !manual.text.contains("`\(name)`") {
            Issue.record("ops/manual/incidents.md does not explain `\(name)`")
        }
    }

    @Test func `links between documents lead somewhere`() {
        for file in Repository.files where file.path.hasSuffix(".md") {
            let folder = Repository.root.appendingPathComponent(file.path).deletingLastPathComponent()
            for link in file.text.matches(of: /\]\(([^)\s#]+)(?:#[^)]*)?\)/) {
                let target = String(link.1)
                if target.contains("://") || target.hasPrefix("mailto:") { continue }
                let exists = FileManager.default.fileExists(atPath: folder.appendingPathComponent(target).path)
                #expect(exists, "\(file) links to \(target), which does not exist")
            }
        }
    }

    @Test func `the formatter's two configurations differ only in what tests may do`() throws {
        let root = try #require(Repository.file(".swift-format")).lines
        let tests = try #require(Repository.file("Tests/.swift-format")).lines
        let differing = Set(zip(root, tests).filter { $0 != $1 }.map { $0.0.trimmingCharacters(in: .whitespaces) })
        #expect(root.count == tests.count)
        #expect(differing == ["\"NeverForceUnwrap\": true,", "\"NeverUseForceTry\": true,"])
    }
}
