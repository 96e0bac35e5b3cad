/// What a verb asks the one writer to do: itself when the store's lock is free, else the running service (invariant
/// I16).
///
/// On the socket a request is one line of JSON, and so is its ``StoreReply``.
enum StoreRequest: Codable, Sendable, Hashable {
    /// A station file's text; `fromMilliseconds` is when changed facts hold from.
    case stationImport(text: String, fileName: String, fromMilliseconds: Int64?)
    case deadLetterReplay(FateSelection)
    case quarantineRelease(FateSelection, shiftMilliseconds: Int64)
    case rulesLoad(text: String, fileName: String)
    case incidentAcknowledge(id: Int64, by: String, why: String, untilMilliseconds: Int64?)
    case correctionAdd(CorrectionRequest)
    case correctionRevoke(id: Int64, who: String, why: String)
    /// Deletes what is older than the settings keep it.
    case retention(json: Bool)
    /// Publishes what is due to the lake.
    case lakePublish
    /// Answers at once; shows that a service listens.
    case ping
}

/// Which dead letters or quarantined values are meant; everything when nothing narrows it.
struct FateSelection: Codable, Sendable, Hashable {
    /// Nil: all.
    var ids: [Int64]?
    var station: String?
    var reason: String?

    func contains(id: Int64, station: String?, reason: String) -> Bool {
        (self.ids?.contains(id) ?? true) && (self.station.map { $0 == station } ?? true)
            && (self.reason.map { $0 == reason } ?? true)
    }
}

/// How a request ended, in the words the verb prints.
struct StoreReply: Codable, Sendable, Hashable {
    /// One of ``ExitStatus``.
    var exitCode: Int32
    /// Lines for standard output, without the last line break.
    var output: String
    /// One line for standard error; empty when there is nothing to say.
    var message: String

    static func done(_ output: String, warning: String = "") -> Self {
        .init(exitCode: ExitStatus.done, output: output, message: warning)
    }

    init(exitCode: Int32, output: String, message: String) {
        self.exitCode = exitCode
        self.output = output
        self.message = message
    }

    /// The reply that says what an error says.
    init(_ error: any Error) {
        let failure = VerbFailure(error)
        self.init(exitCode: failure.exitCode, output: "", message: failure.message)
    }
}

/// Bounds of what goes over the socket.
enum ControlLimits {
    /// A station file of the largest size, with every byte escaped, fits twice over.
    static let lineBytesMax = 96 << 20
    /// Requests under way at once; more are told to come back.
    static let connectionsMax = 8
    /// How long a client may take to send its line.
    static let requestSecondsMax = 10
    /// How long a verb tries to reach a service that holds the lock but does not listen yet.
    static let connectSecondsMax = 5
    static let backlog: Int32 = 16
}
