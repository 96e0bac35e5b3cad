import Testing

/// Who may import whom: the table of ARCHITECTURE.md against the sources and Package.swift.
struct LayerTests {
    private let table: LayerTable

    init() throws {
        let architecture = try #require(Repository.file("ARCHITECTURE.md"), "ARCHITECTURE.md is missing")
        self.table = LayerTable(architecture: architecture)
        try #require(!self.table.rows.isEmpty, "ARCHITECTURE.md has no table | target | one line | may import |")
    }

    @Test func `the table names exactly the targets of the package`() throws {
        let manifest = try #require(Repository.file("Package.swift"))
        let targets = manifest.text.matches(of: /\.(?:systemLibrary|target|executableTarget)\(\s*name: "([\w-]+)"/)
            .map { String($0.1) }
        #expect(!targets.isEmpty, "no targets found in Package.swift")
        for target in targets {
            #expect(self.table.row(of: target) != nil, "\(target) is in Package.swift, not in ARCHITECTURE.md's table")
        }
        for target in self.table.targets {
            #expect(targets.contains(target), "\(target) is in ARCHITECTURE.md's table, not in Package.swift")
        }
        #expect(self.table.targets.count == Set(self.table.targets).count, "a target stands twice in the table")
    }

    @Test func `imports obey the table`() {
        for file in Repository.shippedSwiftFiles {
            guard let room = file.room, let row = self.table.row(of: room) else {
                Issue.record("\(file): its folder is no target of ARCHITECTURE.md's table")
                continue
            }
            for (module, line) in file.imports where !row.mayImportAll && module != room {
                if LayerTable.system.contains(module) {
                    let message = "\(file.path):\(line): \(room) is pure and must not import \(module)"
                    let isFree = LayerTable.plainC.contains(module) || row.mayImport.contains(module)
                    #expect(!row.isPure || isFree, "\(message)")
                } else {
                    let message = "\(file.path):\(line): \(room) may not import \(module) (ARCHITECTURE.md:\(row.line))"
                    #expect(row.mayImport.contains(module), "\(message)")
                }
            }
        }
    }

    @Test func `the table grants nothing that nobody uses`() {
        for row in self.table.rows where !row.mayImportAll {
            let files = Repository.shippedSwiftFiles.filter { row.targets.contains($0.room ?? "") }
            let used = Set(files.flatMap { $0.imports.map(\.module) })
            let idle = row.mayImport.subtracting(used).sorted().joined(separator: ", ")
            #expect(idle.isEmpty, "ARCHITECTURE.md:\(row.line): nobody in \(row.targets) imports \(idle)")
        }
    }

    @Test func `arrows only go up the table`() {
        var above: Set<String> = []
        let rooms = Set(self.table.targets)
        for row in self.table.rows {
            if !row.mayImportAll {
                for target in row.mayImport.intersection(rooms) {
                    let message = "\(row.targets) may import \(target), which stands below"
                    #expect(
                        above.contains(target) || row.targets.contains(target),
                        "ARCHITECTURE.md:\(row.line): \(message)")
                }
            }
            above.formUnion(row.targets)
        }
    }

    @Test(arguments: ["Monitoring", "FieldFormats", "Alerting", "Simulation"])
    func `the pure rooms stay pure`(room: String) {
        #expect(self.table.pureTargets.contains(room), "ARCHITECTURE.md's table no longer calls \(room) pure")
        for file in Repository.shippedSwiftFiles where file.room == room {
            let words = ["ContinuousClock", "SuspendingClock", "clock_gettime", "SystemRandomNumberGenerator"]
            let clocks = words.flatMap { file.places(of: $0) }
            #expect(clocks.isEmpty, "\(clocks): a pure room takes the clock and the randomness as parameters")
        }
    }

    @Test(arguments: [
        ("GRDB", ["TimeSeriesStore"]), ("CZstd", ["TimeSeriesStore"]), ("CSimdJSON", ["FieldFormats"]),
        ("CMosquitto", ["Ingest", "quantrac-sim"]), ("Yams", ["quantrac"]),
        ("ArgumentParser", ["quantrac", "quantrac-sim"]),
    ])
    func `each C library and the database have one home`(module: String, homes: [String]) {
        for file in Repository.shippedSwiftFiles where file.imports.contains(where: { $0.module == module }) {
            #expect(homes.contains(file.room ?? ""), "\(file): only \(homes) import \(module)")
        }
    }

    @Test func `only the HTTP rooms are built on NIO`() {
        let homes: Set = ["WebServer", "Notifications"]
        for file in Repository.shippedSwiftFiles where !homes.contains(file.room ?? "") {
            for (module, line) in file.imports {
                let isNIO = module.hasPrefix("NIO") || module.hasPrefix("Hummingbird") || module == "AsyncHTTPClient"
                #expect(!isNIO, "\(file.path):\(line): only \(homes.sorted()) import \(module)")
            }
        }
    }

    @Test func `the simulators know nothing of the store`() {
        for file in Repository.shippedSwiftFiles where file.path.hasPrefix("Simulators/") {
            let known = file.imports.map(\.module).filter {
                ["TimeSeriesStore", "Ingest", "FieldFormats"].contains($0)
            }
            #expect(known.isEmpty, "\(file): the simulators are the independent oracle and must not import \(known)")
        }
    }
}
