import Foundation
import Monitoring
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    /// Real hourly air quality with its gaps, replayed while the service is killed; then every row of every level
    /// equals what DuckDB, and for sums plain Swift, compute from the files themselves.
    @Suite(.serialized)
    struct RealDataTests {
        private static let isLong = ProcessInfo.processInfo.environment["QUANTRAC_REAL_KILLS"] != nil
        private static let kills = setting("QUANTRAC_REAL_KILLS", 3)
        /// Rows taken of each file in the short run.
        private static let slice = 3_000
        private static let parameters = [
            "PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM",
        ]

        @Test(
            .enabled(if: !Places.realData.isEmpty, "no ../shared/data/beijing-*.csv.xz here"),
            .enabled(if: Places.duckdb != nil, "no DuckDB here"))
        func `five years of real data survive kills, and every exported row is what the files say`() throws {
            let seed = UInt64(setting("QUANTRAC_KILL_SEED", Int(nowMilliseconds() % 1_000_000)))
            print("seed \(seed), \(Self.kills) kills, \(Self.isLong ? "whole files" : "\(Self.slice) rows of each")")
            var random = SeededGenerator(seed)
            let site = try Installation(settings: [
                "ingest.oldestDays": "20000", "store.mergeSeconds": "2", "timeZone": "Asia/Shanghai",
            ])
            try site.broker.start()
            let files = try Self.unpack(into: site)
            for (number, file) in files.enumerated() {
                let stations = site.folder.file("replay-\(number).yaml")
                let written = try site.run(
                    Self.replay(site, file, zone: "Asia/Shanghai") + [
                        "--write-stations", stations, "--write-stations-only",
                    ])
                try #require(written.exitCode == 0, "\(written.errors)")
                try site.importStations(file: stations)
            }
            let rows = try Self.sql(site, Self.count(files))
            let expected = try #require(Int(rows.trimmingCharacters(in: .whitespacesAndNewlines)))
            try site.start()
            let replays = try files.enumerated().map { number, file in
                try Child(Self.replay(site, file, zone: "+08:00"), log: site.folder.file("replay-\(number)"))
            }
            for _ in 0..<Self.kills {
                // A random moment is the point here.
                usleep(UInt32.random(in: 50_000...1_500_000, using: &random))
                site.killService()
                try site.launch()
            }
            for replay in replays { #expect(try replay.wait(seconds: 600) == 0, "\(replay.errors)") }
            try site.awaitHealthy(seconds: 120)
            try site.awaitReadings(expected, seconds: 600)
            for level in ["raw", "1h", "1d"] {
                let result = try site.quantrac(
                    "export", "--level", level, "--output", site.folder.file("\(level).csv"), seconds: 600)
                try #require(result.exitCode == 0, "\(result.errors)")
            }
            try Self.compareRaw(site, files, rows: expected)
            try Self.compare(site, files, level: "1h", bucket: "hour", due: 1)
            try Self.compare(site, files, level: "1d", bucket: "day", due: 24)
            try self.compareDailySums(site, files)
            #expect(try site.stopService() == 0)
            let verify = try site.quantrac("verify", seconds: 300)
            #expect(verify.exitCode == 0, "\(verify.output)\(verify.errors)")
        }

        private struct File {
            let station: String
            let path: String
        }

        private static func unpack(into site: Installation) throws -> [File] {
            try Places.realData.map { packed in
                let name = packed.split(separator: "/").last.map(String.init) ?? packed
                let station = String(name.dropFirst("beijing-".count).dropLast(".csv.xz".count))
                let path = site.folder.file("\(station).csv")
                let cut = Self.isLong ? "cat" : "head -n \(Self.slice + 1)"
                let result = try site.run(["/bin/sh", "-c", "xz -dc '\(packed)' | \(cut) > '\(path)'"])
                guard result.exitCode == 0 else { throw Trouble("xz: \(result.errors)") }
                return File(station: station, path: path)
            }
        }

        private static func replay(_ site: Installation, _ file: File, zone: String) -> [String] {
            [
                Places.simulator, "replay", file.path, "--port", "\(site.broker.port)", "--station", file.station,
                "--time-column", "datetime", "--zone", zone, "--speed", "max",
            ]
        }

        // MARK: DuckDB

        private static func sql(_ site: Installation, _ statement: String) throws -> String {
            guard let duckdb = Places.duckdb else { throw Trouble("no DuckDB") }
            let result = try site.run([duckdb, "-noheader", "-list", "-c", statement], seconds: 600)
            guard result.exitCode == 0 else { throw Trouble("duckdb: \(result.errors)") }
            return result.output
        }

        /// Every value of the files as (station, parameter, t, v); `t` is the local time as the file writes it.
        private static func values(_ files: [File]) -> String {
            let columns = self.parameters.map { "\"\($0)\"" }.joined(separator: ", ")
            return files.map { file in
                """
                SELECT '\(file.station)' AS station, parameter, t, v FROM (
                    UNPIVOT (SELECT datetime AS t, \(columns) FROM read_csv('\(file.path)', header = true, types = {
                        'datetime': 'TIMESTAMP', \(self.parameters.map { "'\($0)': 'DOUBLE'" }.joined(separator: ", "))
                    }, nullstr = ['', 'NA'])) ON \(columns) INTO NAME parameter VALUE v)
                """
            }.joined(separator: "\nUNION ALL\n")
        }

        private static func count(_ files: [File]) -> String { "SELECT count(*) FROM (\(self.values(files)))" }

        /// The rows that stand in only one of two selections of the same columns, and how many there are in each.
        private static func expectSame(_ site: Installation, _ ours: String, _ theirs: String, _ what: String) throws {
            let answer = try self.sql(
                site,
                """
                CREATE TABLE ours AS \(ours);
                CREATE TABLE theirs AS \(theirs);
                SELECT 'counts', (SELECT count(*) FROM ours), (SELECT count(*) FROM theirs);
                SELECT 'only exported', * FROM (FROM ours EXCEPT ALL FROM theirs) LIMIT 3;
                SELECT 'only in the files', * FROM (FROM theirs EXCEPT ALL FROM ours) LIMIT 3;
                """)
            let lines = answer.split(separator: "\n").map(String.init)
            let counts = lines.first?.split(separator: "|").dropFirst().map(String.init) ?? []
            #expect(lines.count == 1 && counts.count == 2 && counts[0] == counts[1], "\(what): \(answer)")
            #expect(counts.first != "0", "\(what) compared nothing")
        }

        private static let local = "AT TIME ZONE 'Asia/Shanghai'"

        private static func compareRaw(_ site: Installation, _ files: [File], rows: Int) throws {
            let ours = """
                SELECT station, parameter, epoch_ms(CAST(time AS TIMESTAMPTZ)) AS t, CAST(value AS DOUBLE) AS v, status
                FROM read_csv('\(site.folder.file("raw.csv"))', header = true, all_varchar = true)
                """
            let theirs = """
                SELECT station, parameter, epoch_ms(CAST(strftime(t, '%Y-%m-%dT%H:%M:%S+08:00') AS TIMESTAMPTZ)) AS t, v,
                    '00' AS status FROM (\(self.values(files)))
                """
            try self.expectSame(site, ours, theirs, "raw")
        }

        /// The file's clock is the sites': buckets are those of the local time as it stands there.
        private static func compare(
            _ site: Installation, _ files: [File], level: String, bucket: String, due: Int
        ) throws {
            let instant = "epoch_ms(CAST(strftime(%, '%Y-%m-%dT%H:%M:%S+08:00') AS TIMESTAMPTZ))"
            func epoch(_ column: String) -> String { instant.replacingOccurrences(of: "(%", with: "(\(column)") }
            let ours = """
                SELECT station, parameter, epoch_ms(CAST(start AS TIMESTAMPTZ)) AS s, epoch_ms(CAST("end" AS TIMESTAMPTZ)) AS e,
                    CAST(n AS BIGINT), CAST(n_valid AS BIGINT), CAST(n_due AS BIGINT), CAST(min AS DOUBLE),
                    epoch_ms(CAST(min_at AS TIMESTAMPTZ)), CAST(max AS DOUBLE), epoch_ms(CAST(max_at AS TIMESTAMPTZ)),
                    CAST("first" AS DOUBLE), CAST("last" AS DOUBLE)
                FROM read_csv('\(site.folder.file("\(level).csv"))', header = true, all_varchar = true)
                """
            let theirs = """
                SELECT station, parameter, \(epoch("b")) AS s, \(epoch("b + INTERVAL 1 \(bucket)")) AS e,
                    count(*), count(*), \(due)::BIGINT, min(v), \(epoch("arg_min(t, (v, t))")), max(v),
                    \(epoch("arg_max(t, (v, -epoch_ms(t)))")), arg_min(v, t), arg_max(v, t)
                FROM (SELECT *, date_trunc('\(bucket)', t) AS b FROM (\(self.values(files)))) GROUP BY station, parameter, b
                """
            try self.expectSame(site, ours, theirs, level)
        }

        // MARK: Sums

        /// Additions of doubles depend on their order: hours from their readings in time order, days from their hours.
        private func compareDailySums(_ site: Installation, _ files: [File]) throws {
            var expected: [String: (sum: Double, n: Int)] = [:]
            for file in files {
                let lines = try String(contentsOfFile: file.path, encoding: .utf8).split(separator: "\n")
                let header = lines[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                let timeColumn = try #require(header.firstIndex(of: "datetime"))
                let columns = try Self.parameters.map { ($0, try #require(header.firstIndex(of: $0))) }
                for line in lines.dropFirst() {
                    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
                    let day = fields[timeColumn].prefix(10)
                    for (parameter, column) in columns {
                        guard let value = Double(fields[column]) else { continue }
                        // The rows of a file are hours in order, so an hour is one reading.
                        let key = "\(file.station),\(parameter),\(day)T00:00:00+08:00"
                        let before = expected[key] ?? (0, 0)
                        expected[key] = (before.sum + value, before.n + 1)
                    }
                }
            }
            let text = try String(contentsOfFile: site.folder.file("1d.csv"), encoding: .utf8)
            var wrong: [String] = []
            var count = 0
            for line in text.split(separator: "\n").dropFirst() {
                let fields = line.split(separator: ",", omittingEmptySubsequences: false)
                let due = expected["\(fields[0]),\(fields[1]),\(fields[3])"]
                count += 1
                if let due, Double(fields[9]) == due.sum, Double(fields[8]) == due.sum / Double(due.n) { continue }
                wrong.append("\(line), expected \(due.map { "\($0)" } ?? "no row")")
            }
            #expect(wrong.isEmpty, "\(wrong.count) sums differ: \(wrong.prefix(3))")
            #expect(count == expected.count)
        }
    }
}
