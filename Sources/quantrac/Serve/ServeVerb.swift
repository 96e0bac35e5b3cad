import ArgumentParser

/// `quantrac serve`: the service.
struct ServeVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the service: reads the broker, keeps the readings, raises alerts, serves HTTP, feeds the lake.")

    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await ServiceProgram(settings: try self.options.settings()).run()
    }
}
