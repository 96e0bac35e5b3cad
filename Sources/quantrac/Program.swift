import ArgumentParser

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Parses the command line, runs the verb, and turns every way it can end into an exit code of the surface.
@main
enum Program {
    static func main() async {
        exit(await self.run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs a verb.
    ///
    /// Errors are one line on standard error.
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try QuantracCommand.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return ExitStatus.done
        } catch {
            return self.end(error)
        }
    }

    /// Says what went wrong; returns the exit code.
    private static func end(_ error: any Error) -> Int32 {
        if let code = error as? ExitCode { return code.rawValue }
        // argument-parser's own errors: `--help` and `--version` among them, which are none.
        let parserCode = QuantracCommand.exitCode(for: error)
        if parserCode == .success {
            print(QuantracCommand.fullMessage(for: error))
            return ExitStatus.done
        }
        if parserCode == .validationFailure {
            let message = QuantracCommand.message(for: error)
            Output.note("quantrac: \(VerbFailure.usage(message).message) (try --help)")
            return ExitStatus.usage
        }
        let failure = VerbFailure(error)
        Output.note("quantrac: \(failure.message)")
        return failure.exitCode
    }
}
