import ArgumentParser
import Crypto
import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import quantrac

/// A store on disk that nobody holds, with a settings file, for verbs run as scripts run them.
private struct Installation {
    let folder: TemporaryFolder
    var config: String { self.folder.path("quantrac.yaml") }
    var store: String { self.folder.path("q.db") }

    init() throws {
        self.folder = try TemporaryFolder()
        try Data("store: {path: \(self.folder.path("q.db"))}\n".utf8).write(
            to: URL(filePath: self.folder.path("quantrac.yaml")))
    }

    func run(_ arguments: String...) async -> Int32 { await Program.run(arguments + ["--config", self.config]) }

    func write(_ text: String, to name: String) throws -> String {
        let path = self.folder.path(name)
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    /// Imports stations b and a, and commits readings of `b/P`: one a minute, the first of them sent twice.
    func fill(readings count: Int) throws {
        let writer = try StoreWriter(path: self.store, defaultZone: "Asia/Ho_Chi_Minh", isDemo: false)
        let stations = """
            sites:
              - id: s
                kind: mine
                stations:
                  - {id: b, interval: 60s, parameters: [{id: P, unit: "a,b"}, {id: Empty, unit: t}]}
                  - {id: a, interval: 60s, parameters: [{id: P, unit: t}]}
            """
        _ = try writer.importStations(
            StationFileReader.read(text: stations, file: "s"), validFromMilliseconds: nil, nowMilliseconds: 0)
        let station = try #require(StationID("b"))
        let parameter = try #require(ParameterID("P"))
        let series = try #require(writer.registry.series(station, parameter))
        let number = writer.registry.station(of: series).number
        let start: Int64 = 1_795_420_800_000
        let frame = FrameWriter()
        for (values, received) in [(0..<count, Int64(600_000_000)), (0..<min(count, 1), 600_001_000)] {
            frame.begin(receivedMilliseconds: start + received)
            frame.beginMessage(
                station: number, flags: [], quarantinedCount: 0, sequence: nil,
                boot: UnsafeBufferPointer(start: nil, count: 0))
            frame.beginSamples(count: values.count)
            for index in values {
                frame.beginSample(
                    timeMilliseconds: start + Int64(index) * 60_000, readingCount: 1, allMeasuring: true)
                frame.addReading(
                    series: series.number, value: Double(index) / 4 + (received == 600_001_000 ? 0.5 : 0),
                    status: .measuring)
            }
            _ = try writer.commit(
                frame, FrameHeader(kind: .messages, receivedMilliseconds: start + received), BatchEffects())
        }
    }

    func lines(_ name: String) throws -> [String] {
        try String(contentsOf: URL(filePath: self.folder.path(name)), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }
}

@Suite struct ProgramTests {
    @Test(
        arguments: [
            (["--version"], 0), (["--help"], 0), (["export", "--help"], 0), (["station", "import", "--help"], 0),
            (["nonsense"], 2), (["export", "--level", "2h"], 2), (["export", "--format", "xml"], 2),
            (["export", "--frm", "x"], 2),
            (["export", "--level", "1h", "--revisions"], 2), (["export", "--from"], 2),
            (["verify", "--sample", "0"], 2),
            (["deadletter", "show", "abc"], 2), (["deadletter", "show"], 2), (["station", "import"], 2),
            (["status", "--config", "/none/settings.yaml"], 2), (["rules", "check", "/none/rules.yaml"], 2),
        ] as [([String], Int32)])
    func `usage errors end with 2, help with 0`(arguments: [String], code: Int32) async {
        #expect(await Program.run(arguments) == code)
    }

    @Test func `a verb without a store says so and ends with 2`() async throws {
        let installation = try Installation()
        for verb in [
            ["status"], ["export"], ["verify"], ["station", "list"], ["incident", "list"], ["rules", "list"],
        ] {
            #expect(await Program.run(verb + ["--config", installation.config]) == ExitStatus.usage, "\(verb)")
        }
    }

    @Test func `a store that somebody holds and does not serve ends with 75`() async throws {
        let installation = try Installation()
        let writer = try StoreWriter(path: installation.store, defaultZone: "Asia/Ho_Chi_Minh", isDemo: false)
        #expect(await installation.run("incident", "ack", "1", "--by", "Lan") == ExitStatus.unavailable)
        withExtendedLifetime(writer) {}
    }

    @Test func `an export that ends before it begins is an error, not an empty file`() async throws {
        let installation = try Installation()
        try installation.fill(readings: 1)
        let path = installation.folder.path("out.csv")
        let backwards = ["export", "--output", path, "--from", "2026-11-24", "--to", "2026-11-23"]
        #expect(await Program.run(backwards + ["--config", installation.config]) == ExitStatus.usage)
        #expect(!FileManager.default.fileExists(atPath: path))
        let nothing = ["export", "--output", path, "--from", "2026-11-24", "--to", "2026-11-24"]
        #expect(await Program.run(nothing + ["--config", installation.config]) == ExitStatus.done)
        #expect(try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count == 1)
    }

    @Test func `a damaged settings file ends with 2`() async throws {
        let installation = try Installation()
        _ = try installation.write("broker: {prot: 1}\n", to: "quantrac.yaml")
        #expect(await installation.run("status") == ExitStatus.usage)
    }

    @Test func `stations imported by the verb are there, a file with an error changes nothing`() async throws {
        let installation = try Installation()
        let good = try installation.write(
            "sites: [{id: s, kind: mine, stations: [{id: a, parameters: [{id: P, unit: t}]}]}]", to: "good.yaml")
        let bad = try installation.write("sites: [{id: s, kind: mine}, {id: S, kind: mine}]", to: "bad.yaml")
        #expect(await installation.run("station", "import", bad) == ExitStatus.usage)
        #expect(!FileManager.default.fileExists(atPath: installation.store))
        #expect(await installation.run("station", "import", good) == ExitStatus.done)
        #expect(await installation.run("station", "import", good) == ExitStatus.done)
        let reader = try StoreReader.open(path: installation.store, defaultZone: "Asia/Ho_Chi_Minh")
        #expect(reader.registry.stations.map(\.id.text) == ["a"])
        #expect(await installation.run("status") == ExitStatus.done)
        #expect(await installation.run("verify") == ExitStatus.done)
        #expect(await installation.run("backup", installation.folder.path("copy.db")) == ExitStatus.done)
        #expect(await installation.run("backup", installation.folder.path("copy.db")) == ExitStatus.usage)
        #expect(await installation.run("quarantine", "release", "--shift", "-6m") == ExitStatus.usage)
        #expect(await installation.run("quarantine", "release", "--all", "--shift", "-6m") == ExitStatus.done)
        #expect(await installation.run("quarantine", "release", "--all", "--shift", "soon") == ExitStatus.usage)
        #expect(await installation.run("deadletter", "replay") == ExitStatus.done)
    }

    @Test func `an option with several values takes them together or one by one`() throws {
        let together = try ExportVerb.parse(["--station", "a", "b", "--parameter", "P"])
        #expect(together.station == ["a", "b"])
        let apart = try ExportVerb.parse(["--station", "a", "--station", "b", "--parameter", "P"])
        #expect(apart.station == ["a", "b"])
        #expect(try ExportVerb.parse([]).station == ["all"])
    }

    @Test func `passwords reach files that only their owner can read`() async throws {
        let installation = try Installation()
        try installation.fill(readings: 1)
        let text = """
            store: {path: \(installation.store)}
            broker:
              username: quantrac
              passwordFile: \(installation.folder.path("etc/own"))
              passwordsFile: \(installation.folder.path("etc/passwords"))
              aclFile: \(installation.folder.path("etc/acl"))
            """
        _ = try installation.write(text, to: "quantrac.yaml")
        let out = installation.folder.path("out")
        #expect(await installation.run("station", "password", "--all", "--out-directory", out) == ExitStatus.done)
        #expect(await installation.run("station", "password", "nope") == ExitStatus.usage)
        #expect(await installation.run("station", "password") == ExitStatus.usage)
        let users = try installation.lines("etc/passwords").map { String($0.prefix { $0 != ":" }) }
        #expect(users == ["a", "b", "quantrac"])
        for name in ["etc/own", "etc/passwords", "etc/acl", "out/a", "out/b"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: installation.folder.path(name))
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(name)")
        }
        // What was handed out is what the broker checks.
        let password = try #require(try installation.lines("out/a").first)
        let entry = try #require(try installation.lines("etc/passwords").first)
        let salt = try #require(Data(base64Encoded: String(entry.split(separator: "$")[3])))
        #expect(entry == BrokerAccounts.passwordLine(user: "a", password: password, salt: Array(salt)))
    }
}

@Suite struct ExportTests {
    @Test func `an export of several pages is whole, in order, and says its hash`() async throws {
        let installation = try Installation()
        try installation.fill(readings: StoreLimits.pageRowsMax + 10_000)
        let path = installation.folder.path("out.csv")
        #expect(await installation.run("export", "--output", path) == ExitStatus.done)
        let lines = try installation.lines("out.csv")
        #expect(lines.count == StoreLimits.pageRowsMax + 10_001)
        #expect(lines[0] == "station,parameter,unit,time,received,value,status")
        // The first reading was sent again with another value: that one is served.
        #expect(lines[1] == "b,P,\"a,b\",2026-11-23T15:00:00.000+07:00,2026-11-30T13:40:01+07:00,0.5,00")
        #expect(lines[2] == "b,P,\"a,b\",2026-11-23T15:01:00.000+07:00,2026-11-30T13:40:00+07:00,0.25,00")
        #expect(Set(lines).count == lines.count)
        let leftovers = try FileManager.default.contentsOfDirectory(atPath: installation.folder.path(""))
        #expect(!leftovers.contains { $0.contains(".tmp-") })
    }

    @Test func `revisions show every version with its number`() async throws {
        let installation = try Installation()
        try installation.fill(readings: 2)
        let path = installation.folder.path("out.csv")
        #expect(await installation.run("export", "--revisions", "--output", path) == ExitStatus.done)
        #expect(
            try installation.lines("out.csv").dropFirst().map {
                $0.split(separator: ",").suffix(3).joined(separator: ",")
            }
                == ["0,00,1", "0.5,00,2", "0.25,00,1"])
    }

    @Test(arguments: [("1m", 120), ("1h", 2), ("1d", 1)])
    func `every level has a row per bucket that holds something`(level: String, rows: Int) async throws {
        let installation = try Installation()
        try installation.fill(readings: 120)
        let path = installation.folder.path("out.ndjson")
        #expect(
            await installation.run("export", "--level", level, "--format", "ndjson", "--output", path)
                == ExitStatus.done)
        let lines = try installation.lines("out.ndjson")
        #expect(lines.count == rows)
        let first = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
        #expect(first?["n"] as? Int == (level == "1m" ? 1 : level == "1h" ? 60 : 120))
        #expect(first?["n_due"] as? Int == (level == "1m" ? 1 : level == "1h" ? 60 : 1_440))
        #expect(first?["unit"] as? String == "a,b")
    }

    @Test func `from and to are half-open`() async throws {
        let installation = try Installation()
        try installation.fill(readings: 120)
        let path = installation.folder.path("out.csv")
        #expect(
            await installation.run(
                "export", "--from", "2026-11-23T15:10:00+07:00", "--to", "2026-11-23T08:12:00Z", "--output", path)
                == ExitStatus.done)
        #expect(
            try installation.lines("out.csv").dropFirst().map { $0.split(separator: ",")[4] }
                == ["2026-11-23T15:10:00.000+07:00", "2026-11-23T15:11:00.000+07:00"])
        #expect(await installation.run("export", "--from", "2026-11-24", "--output", path) == ExitStatus.done)
        #expect(try installation.lines("out.csv").count == 1)
    }

    @Test func `an unknown station or parameter writes nothing and ends with 2`() async throws {
        let installation = try Installation()
        try installation.fill(readings: 1)
        let path = installation.folder.path("out.csv")
        #expect(await installation.run("export", "--station", "zz", "--output", path) == ExitStatus.usage)
        #expect(await installation.run("export", "--parameter", "zz", "--output", path) == ExitStatus.usage)
        #expect(await installation.run("export", "--from", "yesterday", "--output", path) == ExitStatus.usage)
        #expect(await installation.run("export", "--output", "/none/there/out.csv") == ExitStatus.usage)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `what the sink hashes is what it wrote`() throws {
        let folder = try TemporaryFolder()
        let sink = try ExportSink(path: folder.path("x"))
        var bytes = Array("a\n".utf8)
        try sink.write(&bytes)
        #expect(bytes.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.path("x")))
        bytes = Array("b\n".utf8)
        try sink.write(&bytes)
        let digest = try sink.finish()
        #expect(try Data(contentsOf: URL(filePath: folder.path("x"))) == Data("a\nb\n".utf8))
        let expected = SHA256.hash(data: Data("a\nb\n".utf8)).map { String(format: "%02x", $0) }.joined()
        #expect(digest == expected)
    }
}
