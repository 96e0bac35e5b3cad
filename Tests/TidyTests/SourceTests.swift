import Testing

/// What every source file keeps to.
struct SourceTests {
    @Test func `source files stay readable`() {
        #expect(Repository.swiftFiles.count > 20, "the sources were not found")
        let suffixes = [".swift", ".h", ".cpp"]
        for file in Repository.files where suffixes.contains(where: file.path.hasSuffix) {
            #expect(file.lines.count <= 500, "\(file) has \(file.lines.count) lines, 500 at most")
            // A test may quote a payload or a query a little longer than that.
            let columnsMax = file.isTest ? 132 : 120
            for (index, line) in file.lines.enumerated() where line.utf8.count > columnsMax && line.count > columnsMax {
                Issue.record("\(file.path):\(index + 1) has \(line.count) columns, \(columnsMax) at most")
            }
        }
    }

    @Test func `nothing that ships is forced, forgotten or unfinished`() {
        let words = [
            "try!": "hides an error", "as!": "hides an error", "fatalError(\"not implemented": "is unfinished work",
            "TODO": "belongs in an issue", "FIXME": "belongs in an issue", "XXX": "belongs in an issue",
        ]
        for file in Repository.shippedSwiftFiles {
            for (word, reason) in words {
                let places = file.places(of: word)
                #expect(places.isEmpty, "\(places): \(word) \(reason)")
            }
        }
    }

    @Test func `every test target tests something`() {
        let targets = Set(Repository.swiftFiles.filter(\.isTest).compactMap(\.room))
        for target in targets {
            let tests = Repository.swiftFiles.filter { $0.isTest && $0.room == target && $0.text.contains("@Test") }
            #expect(!tests.isEmpty, "Tests/\(target) has no @Test")
        }
    }
}
