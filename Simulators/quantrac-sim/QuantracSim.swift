import ArgumentParser

/// The program that publishes simulated stations and real history to a broker.
@main
struct QuantracSim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quantrac-sim",
        abstract: "Publishes seeded demo stations, or real history, as field devices do.",
        subcommands: [FleetCommand.self, ReplayCommand.self])
}
