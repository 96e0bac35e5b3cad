import ArgumentParser
import Monitoring
import Simulation

/// What makes a station that keeps its messages send a gap again.
enum GapRepair: String, ExpressibleByArgument, CaseIterable {
    /// It sees it on `…/stored`.
    case stored
    /// It waits until it is asked on `…/command`.
    case command
}

/// `quantrac-sim fleet`: stations that exist only in their seed.
struct FleetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet", abstract: "Publishes a seeded fleet of demo stations.",
        discussion: """
            Stations measure every --interval of their own clock. --rate makes that clock run faster; it then \
            starts in the past, so that device times stay believable and end about now, and goes on in real time when \
            it gets there.
            """)

    @OptionGroup var broker: BrokerOptions

    @Option(help: "How many stations.")
    var stations = 14

    @Option(help: "How often each reports, such as 10s.")
    var interval = DurationArgument(milliseconds: 10_000)

    @Option(help: "Decides every value: the same seed gives the same stations, curves and faults.")
    var seed: UInt64 = 1

    @Option(help: "How many times faster than real time, or max: as fast as the broker takes it.")
    var rate = Pace.times(1)

    @Option(help: "Kinds of site, comma separated: ambient-air, surface-water, wastewater, stack, mine.")
    var kinds: String?

    @Option(help: "Faults with rates, such as duplicate:0.01,reorder:0.02, or all.")
    var faults: String?

    @Option(help: "Exactly so many parameters at each station.")
    var parametersPerStation: Int?

    @Option(help: "End after so many samples.")
    var messages: Int?

    @Option(help: "End after so long, in real time.")
    var duration: DurationArgument?

    @Option(help: "With a fast clock: how long ago it starts. Default: so that it ends about now, or 30d.")
    var since: DurationArgument?

    @Option(help: "Clients that share the stations among them.")
    var connections = 1

    @Option(help: "One password file per station id: every station connects as itself, with a will and `stored`.")
    var passwordDirectory: String?

    @Option(help: "Unacknowledged messages per connection.")
    var window = Limits.windowMessagesUsual

    @Option(help: "At the end, wait so long for `stored` to free all messages (with --password-directory).")
    var waitStored: DurationArgument?

    @Option(help: "What makes a station send a gap again (with --password-directory): stored or command.")
    var gapRepair = GapRepair.stored

    @Option(help: "Write the station file of these stations.")
    var writeStations: String?

    @Flag(help: "Only write the station file.")
    var writeStationsOnly = false

    @Option(help: "The service's bound on old device times, for the truth file.")
    var oldest = DurationArgument(milliseconds: 400 * Civil.millisecondsPerDay)

    @Option(help: "The service's bound on device times ahead of the clock, for the truth file.")
    var newest = DurationArgument(milliseconds: 300_000)

    func validate() throws {
        guard (1...100_000).contains(self.stations) else { throw ValidationError("--stations is 1 to 100000") }
        guard (1...1_000).contains(self.connections) else { throw ValidationError("--connections is 1 to 1000") }
        guard self.interval.milliseconds >= 10 else { throw ValidationError("--interval is at least 10ms") }
        guard self.parametersPerStation.map({ (1...1_000).contains($0) }) ?? true else {
            throw ValidationError("--parameters-per-station is 1 to 1000")
        }
        guard self.messages.map({ $0 > 0 }) ?? true else { throw ValidationError("--messages is at least 1") }
        guard (1...Limits.windowMessagesMax).contains(self.window) else {
            throw ValidationError("--window is 1 to \(Limits.windowMessagesMax)")
        }
        guard !self.writeStationsOnly || self.writeStations != nil else {
            throw ValidationError("--write-stations-only needs --write-stations FILE")
        }
        _ = try self.parsedKinds()
        _ = try self.parsedFaults()
    }

    func run() throws {
        let kinds = try self.parsedKinds()
        let plan = FleetPlan(
            stationCount: self.stations, intervalMilliseconds: self.interval.milliseconds, seed: self.seed,
            kinds: kinds, parametersPerStation: self.parametersPerStation)
        if let path = self.writeStations {
            let comment =
                "Demo stations, invented by quantrac-sim fleet --stations \(self.stations) --seed \(self.seed)."
            let file = try OutputFile(path: path)
            try file.append { $0.append(contentsOf: StationYAML.yaml(plan.sites, comment: comment).utf8) }
            try file.flush()
            if self.writeStationsOnly { return }
        }
        StopSignal.install()
        try FleetRun(command: self, plan: plan, faults: try self.parsedFaults()).run()
    }

    private func parsedKinds() throws -> [StationKind] {
        guard let kinds = self.kinds else { return StationKind.allCases }
        return try kinds.split(separator: ",").map { word in
            guard let kind = StationKind(rawValue: String(word)) else {
                let known = StationKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no kind '\(word)'; known are \(known)")
            }
            return kind
        }
    }

    private func parsedFaults() throws -> FaultRates {
        do { return try FaultRates.parse(self.faults ?? "") } catch { throw ValidationError("--faults: \(error)") }
    }
}
