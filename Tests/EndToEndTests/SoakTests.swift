import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    /// All that goes wrong in the field, at random and at once, for as long as it is asked for (`make soak`).
    @Suite(.serialized)
    struct SoakTests {
        private static let isWanted = ProcessInfo.processInfo.environment["QUANTRAC_SOAK_SECONDS"] != nil
        private static let seconds = setting("QUANTRAC_SOAK_SECONDS", 30)
        private static let stations = setting("QUANTRAC_SOAK_STATIONS", 40)
        /// Those whose fate does not depend on which of two messages a killed broker forgot, or on our clock's steps.
        private static let faults = [
            "drop-out", "stuck", "spike", "drift", "calibration", "duplicate", "reorder", "offline-burst",
        ]

        @Test(.enabled(if: isWanted, "`make soak` runs it"))
        func `after kills, full disks and clock steps all that stations sent is stored once and accounted for`()
            throws
        {
            let seed = UInt64(setting("QUANTRAC_SOAK_SEED", Int(nowMilliseconds() % 1_000_000)))
            print("seed \(seed), \(Self.seconds) s, \(Self.stations) stations")
            let site = try Installation(settings: ["store.mergeSeconds": "5"])
            try site.broker.start()
            let stations = site.folder.file("fleet.yaml")
            let truth = site.folder.file("truth.ndjson")
            let fleet = Self.fleet(site, seed: seed, stations: stations, truth: truth)
            try #require(try site.run(fleet + ["--write-stations-only"]).exitCode == 0)
            try site.importStations(file: stations)
            try Self.writePasswords(site)
            var chaos = try Chaos(site, seed: seed)
            try chaos.launchService()
            try site.awaitHealthy()
            let simulator = try Child(fleet, log: site.folder.file("fleet"))
            let end = ContinuousClock.now + .seconds(Self.seconds)
            while ContinuousClock.now < end { try chaos.next() }
            try chaos.calm()
            print("what happened: \(chaos.counts.sorted { $0.key < $1.key })")
            #expect(try simulator.wait(seconds: 300) == 0, "\(simulator.errors)")
            #expect(!simulator.errors.contains("not confirmed"), "\(simulator.errors)")
            try Self.checkComplete(site, try Truth(file: truth))
        }

        private static func fleet(_ site: Installation, seed: UInt64, stations: String, truth: String) -> [String] {
            [
                Places.simulator, "fleet", "--port", "\(site.broker.port)", "--stations", "\(self.stations)",
                "--interval", "1s", "--seed", "\(seed)", "--duration", "\(self.seconds)s", "--wait-stored", "240s",
                "--faults", self.faults.joined(separator: ","), "--truth", truth, "--write-stations", stations,
                "--password-directory", site.folder.file("passwords"),
            ]
        }

        /// A station that connects as itself obeys `…/stored`; this broker asks nobody for a password.
        private static func writePasswords(_ site: Installation) throws {
            let folder = site.folder.file("passwords")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            for station in try site.quantrac("station", "list", "--json").rows {
                guard let id = station["id"] as? String else { throw Trouble("a station without id: \(station)") }
                try "any\n".write(toFile: "\(folder)/\(id)", atomically: false, encoding: .utf8)
            }
        }

        private static func checkComplete(_ site: Installation, _ truth: Truth) throws {
            try site.awaitHealthy(seconds: 120)
            try #require(!truth.values.isEmpty)
            try site.awaitReadings(truth.values.count, seconds: 120)
            try truth.check(exported: try site.export("--level", "raw"))
            #expect(try site.stopService() == 0)
            let verify = try site.quantrac("verify")
            #expect(verify.exitCode == 0, "\(verify.output)\(verify.errors)")
            try truth.check(exported: try site.export("--level", "raw"))
        }
    }
}

/// Does one terrible thing after the other to an installation.
private struct Chaos {
    private let site: Installation
    private var random: SeededGenerator
    private let clock: SkewedClock
    private(set) var counts: [String: Int] = [:]

    init(_ site: Installation, seed: UInt64) throws {
        self.site = site
        self.random = SeededGenerator(seed)
        self.clock = try SkewedClock(site.folder)
    }

    func launchService() throws {
        // Without this a limit's signal would end the program before the write could fail.
        try self.site.launch(wrapper: ["/bin/sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"] + self.clock.wrapper)
    }

    mutating func next() throws {
        // Random moments are the point: while connecting, catching up, reading, committing, merging, trimming.
        self.pause(0.2...2.5)
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0...3:
            self.count("service killed")
            self.site.killService()
            if Bool.random(using: &self.random) { self.pause(0...3) }
            try self.launchService()
        case 4, 5:
            self.count("broker killed")
            self.site.broker.kill()
            self.pause(0...2)
            try self.site.broker.start()
        case 6:
            self.count("both killed")
            self.site.broker.kill()
            self.site.killService()
            self.pause(0...1)
            try self.site.broker.start()
            try self.launchService()
        case 7:
            self.count("disk full")
            try self.limitFileSize(isLimited: true)
            self.pause(0.5...3)
            try self.limitFileSize(isLimited: false)
        default:
            self.count("clock stepped")
            try self.clock.set(offsetSeconds: Int64.random(in: -120...120, using: &self.random))
        }
    }

    /// All is well again from now on.
    func calm() throws {
        try self.clock.set(offsetSeconds: 0)
        if self.site.service?.isRunning != true { try self.launchService() }
        if self.site.broker.child?.isRunning != true { try self.site.broker.start() }
    }

    private mutating func pause(_ seconds: ClosedRange<Double>) {
        usleep(UInt32(Double.random(in: seconds, using: &self.random) * 1_000_000))
    }

    private mutating func count(_ what: String) { self.counts[what, default: 0] += 1 }

    /// Lets the service's files grow no further: every write that needs more room fails, as on a full disk.
    private func limitFileSize(isLimited: Bool) throws {
        guard let service = self.site.service, service.isRunning else { return }
        let sizes = try ["", "-wal"].map { suffix in
            try FileManager.default.attributesOfItem(atPath: self.site.storePath + suffix)[.size] as? Int ?? 0
        }
        // The soft limit only: the hard one could not be raised again.
        let limit = isLimited ? "\((sizes.max() ?? 0) + 16_384)" : "unlimited"
        _ = try self.site.run(["prlimit", "--pid", "\(service.processID)", "--fsize=\(limit):unlimited"])
    }
}
