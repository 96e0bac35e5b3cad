import ArgumentParser
import Monitoring

/// How to reach the broker; the same for all verbs.
struct BrokerOptions: ParsableArguments {
    @Option(help: "The broker's name or address.")
    var host = "127.0.0.1"

    @Option(help: "The broker's port.")
    var port = 1883

    @Option(help: "User name at the broker; none: anonymous.")
    var username: String?

    @Option(help: "File whose first line is the password.")
    var passwordFile: String?

    @Option(help: "What all topics begin with.")
    var topicPrefix = "quantrac/v1"

    @Option(help: "Write here, as NDJSON, what must become of every value sent.")
    var truth: String?

    func validate() throws {
        guard (1...65_535).contains(self.port) else { throw ValidationError("--port is 1 to 65535") }
        guard self.passwordFile == nil || self.username != nil else {
            throw ValidationError("--password-file needs --username")
        }
        guard !self.topicPrefix.isEmpty, !self.topicPrefix.contains(where: { "+#".contains($0) }) else {
            throw ValidationError("--topic-prefix is a topic without + and #")
        }
    }

    func password() throws -> String? { try self.passwordFile.map { try firstLine(ofFile: $0) } }

    /// A client that speaks for many stations.
    func sharedIdentity(clientID: String) throws -> ClientIdentity {
        ClientIdentity(clientID: clientID, username: self.username, password: try self.password(), will: nil)
    }
}

/// A duration on the command line: `90s`, `5m`, `30d`.
struct DurationArgument: ExpressibleByArgument {
    let milliseconds: Int64

    init?(argument: String) {
        guard let milliseconds = DurationText.milliseconds(argument) else { return nil }
        self.milliseconds = milliseconds
    }

    init(milliseconds: Int64) { self.milliseconds = milliseconds }

    var defaultValueDescription: String { DurationText.format(milliseconds: self.milliseconds) }
}

/// How fast: so many times real time, or as fast as the broker takes it.
enum Pace: ExpressibleByArgument, Equatable {
    case times(Double)
    case max

    init?(argument: String) {
        if argument == "max" {
            self = .max
        } else if let factor = Double(argument), factor.isFinite, factor > 0 {
            self = .times(factor)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .max: "max"
        case .times(let factor): "\(factor)"
        }
    }
}
