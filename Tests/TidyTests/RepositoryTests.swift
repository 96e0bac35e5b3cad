import Testing

/// The readers of this target itself: a check that finds nothing because it cannot see would pass for ever.
struct RepositoryTests {
    @Test func `words are found by themselves, not as parts of others`() {
        let text = "let x = try! a()\nretry!\nlet b = has!c // FIXMEs\n// FIXME: soon\n"
        let file = RepositoryFile(path: "a.swift", text: text)
        #expect(file.places(of: "try!") == ["a.swift:1"])
        #expect(file.places(of: "as!").isEmpty)
        #expect(file.places(of: "FIXME") == ["a.swift:4"])
    }

    @Test func `imports are read whatever stands before and after them`() {
        let text = """
            import A
            package import B
            @preconcurrency import C
            @testable internal import struct D.E
            #if canImport(Glibc)
                import Glibc
            #endif
            // import F
            let text = "import G"
            """
        let file = RepositoryFile(path: "a.swift", text: text)
        #expect(file.imports.map(\.module) == ["A", "B", "C", "D", "Glibc"])
        #expect(file.imports.map(\.line) == [1, 2, 3, 4, 6])
    }

    @Test func `the table of rooms is read cell by cell`() throws {
        let text = """
            | target | one line | may import |
            |---|---|---|
            | `A`, `B` | things. Pure | – |
            | `C` (in `Elsewhere/`) | more | A, `GRDB`; nothing else |
            | `d-e` | all of it | all |

            | `F` | another table | A |
            """
        let table = LayerTable(architecture: RepositoryFile(path: "ARCHITECTURE.md", text: text))
        #expect(table.pureTargets == ["A", "B"])
        #expect(table.row(of: "B")?.mayImport == [])
        #expect(table.row(of: "C")?.mayImport == ["A", "GRDB"])
        #expect(table.row(of: "d-e")?.mayImportAll == true)
        #expect(table.row(of: "F") == nil)
    }
}
