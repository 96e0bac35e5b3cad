import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    @Suite(.serialized)
    struct DiskTests {
        private let time = nowMilliseconds() / 1_000 * 1_000 - 600_000
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"

        private func fleet(_ site: Installation, messages: Int, truth: String) -> [String] {
            [
                Places.simulator, "fleet", "--port", "\(site.broker.port)", "--stations", "20", "--interval", "60s",
                "--seed", "7", "--rate", "max", "--messages", "\(messages)", "--truth", truth,
            ]
        }

        private func importFleet(_ site: Installation) throws {
            let stations = site.folder.file("fleet.yaml")
            let written = try site.run(
                self.fleet(site, messages: 1, truth: "/dev/null") + [
                    "--write-stations", stations, "--write-stations-only",
                ])
            try #require(written.exitCode == 0, "\(written.errors)")
            try site.importStations(file: stations)
        }

        /// The service is healthy, took everything, and its ledgers balance.
        private func checkComplete(_ site: Installation, truth: String) throws {
            try site.awaitHealthy(seconds: 60)
            let expected = try Truth(file: truth)
            try site.awaitReadings(expected.values.count, seconds: 60)
            try expected.check(exported: try site.export())
            #expect(try site.stopService() == 0)
            let verify = try site.quantrac("verify")
            #expect(verify.exitCode == 0, "\(verify.output)\(verify.errors)")
        }

        @Test func `a file that may not grow fails the commit, loses nothing, and goes on when it may`() throws {
            let site = try Installation()
            try site.broker.start()
            try self.importFleet(site)
            // Without this the limit's signal would end the program before the write could fail.
            try site.start(wrapper: ["/bin/sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"])
            let processID = try #require(site.service?.processID)
            let log = try FileManager.default.attributesOfItem(atPath: "\(site.storePath)-wal")[.size] as? Int ?? 0
            let file = try FileManager.default.attributesOfItem(atPath: site.storePath)[.size] as? Int ?? 0
            try Self.limitFileSize(of: processID, to: max(log, file) + 65_536)
            let truth = site.folder.file("truth.ndjson")
            let result = try site.run(self.fleet(site, messages: 6_000, truth: truth))
            #expect(result.exitCode == 0, "\(result.errors)")
            try eventually("the service says that it cannot write", seconds: 60) { site.health()?.status == 503 }
            #expect(site.service?.isRunning == true)
            try Self.limitFileSize(of: processID, to: nil)
            try self.checkComplete(site, truth: truth)
        }

        private static func limitFileSize(of processID: pid_t, to bytes: Int?) throws {
            // The soft limit only: the hard one could not be raised again.
            let text = bytes.map { "\($0):unlimited" } ?? "unlimited:unlimited"
            let child = try Child(
                ["prlimit", "--pid", "\(processID)", "--fsize=\(text)"], log: "/tmp/quantrac-prlimit-\(processID)")
            defer { for end in ["out", "err"] { unlink("/tmp/quantrac-prlimit-\(processID).\(end)") } }
            guard try child.wait() == 0 else { throw Trouble("prlimit: \(child.errors)") }
        }

        @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
        func `a full disk fails the commit, loses nothing, and goes on when there is room`() throws {
            let disk = try SmallDisk(mebibytes: 24)
            let site = try Installation(settings: ["store.path": "\(disk.path)/store.db"])
            try site.broker.start()
            try self.importFleet(site)
            try site.start()
            try disk.fill(leavingKibibytes: 200)
            let truth = site.folder.file("truth.ndjson")
            let result = try site.run(self.fleet(site, messages: 6_000, truth: truth))
            #expect(result.exitCode == 0, "\(result.errors)")
            try eventually("the service says that it cannot write", seconds: 60) { site.health()?.status == 503 }
            #expect(site.service?.isRunning == true)
            try disk.empty()
            try self.checkComplete(site, truth: truth)
        }

        @Test(.enabled(if: SmallDisk.isPossible, "mounting a small disk needs root"))
        func `below the disk reserve reading pauses and goes on when there is room`() throws {
            let disk = try SmallDisk(mebibytes: 100)
            let site = try Installation(settings: [
                "store.path": "\(disk.path)/store.db", "store.reserveBytes": "\(1 << 40)",
            ])
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            // The reserve is at most 5 % of the disk.
            try disk.fill(leavingKibibytes: 3_000)
            try eventually("the service pauses") { site.health()?.body.contains("reserve") == true }
            #expect(site.health()?.status == 503)
            try site.publish(self.telemetry, #"{"ts": \#(time), "values": {"PM10": 7}}"#)
            #expect(try site.export().isEmpty)
            let incidents = try site.quantrac("incident", "list", "--open", "--json").rows
            #expect(incidents.contains { $0["rule"] as? String == "quantrac.paused" })
            try disk.empty()
            try site.awaitHealthy()
            try site.awaitReadings(1)
            #expect(try site.quantrac("incident", "list", "--open", "--json").rows.isEmpty)
        }

        @Test func `a slow reader lets the log grow, stops nobody, and the log shrinks after it`() throws {
            let site = try Installation(settings: ["store.mergeSeconds": "1"])
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            let reader = try StoreHold(site, "BEGIN; SELECT count(*) FROM journal;")
            func logBytes() throws -> Int {
                try FileManager.default.attributesOfItem(atPath: "\(site.storePath)-wal")[.size] as? Int ?? 0
            }
            // Large dead letters fill the log quickly.
            let page = String(repeating: "x", count: 60_000)
            var count = 0
            try eventually("the log is long", seconds: 60) {
                try site.publish(self.telemetry, lines: (0..<150).map { "\($0)\(page)" })
                count += 1
                try site.publish(self.telemetry, #"{"ts": \#(time + Int64(count)), "values": {"PM10": \#(count)}}"#)
                try site.awaitReadings(count)
                return try logBytes() > 40 << 20
            }
            #expect(site.health()?.status == 200)
            reader.release()
            try eventually("the log is short again", seconds: 30) {
                count += 1
                try site.publish(self.telemetry, #"{"ts": \#(time + Int64(count)), "values": {"PM10": \#(count)}}"#)
                return try logBytes() <= 32 << 20
            }
            try site.awaitReadings(count)
            #expect(try site.export().count == count)
        }
    }
}

/// A disk of a few MiB in memory.
final class SmallDisk {
    static let isPossible: Bool = {
        guard getuid() == 0, let disk = try? SmallDisk(mebibytes: 1) else { return false }
        return disk.isMounted
    }()

    private let folder: Folder
    let path: String
    private var isMounted = false

    init(mebibytes: Int) throws {
        self.folder = try Folder()
        self.path = self.folder.file("disk")
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
        let child = try Child(
            ["mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "quantrac-test", self.path],
            log: self.folder.file("mount"))
        guard try child.wait() == 0 else { throw Trouble("mount: \(child.errors)") }
        self.isMounted = true
    }

    deinit {
        guard self.isMounted else { return }
        _ = try? Child(["umount", "-l", self.path], log: self.folder.file("umount")).wait()
    }

    /// Fills the disk up to so much.
    func fill(leavingKibibytes: Int) throws {
        var info = statvfs()
        guard statvfs(self.path, &info) == 0 else { throw Trouble("statvfs: \(String(cString: strerror(errno)))") }
        let free = Int(info.f_bavail) * Int(info.f_frsize)
        let file = open("\(self.path)/filler", O_WRONLY | O_CREAT, 0o600)
        defer { close(file) }
        guard posix_fallocate(file, 0, off_t(max(free - leavingKibibytes * 1_024, 0))) == 0 else {
            throw Trouble("the disk could not be filled")
        }
    }

    func empty() throws { try FileManager.default.removeItem(atPath: "\(self.path)/filler") }
}
