import FoundationEssentials
import Ingest
import TimeSeriesStore

/// How a verb ends, as scripts see it.
enum ExitStatus {
    static let done: Int32 = 0
    /// `verify` and `doctor` found something wrong; another verb could not do what it was asked.
    static let foundWrong: Int32 = 1
    /// Usage or configuration.
    static let usage: Int32 = 2
    /// The service is unreachable, or someone else holds the store.
    static let unavailable: Int32 = 75
}

/// The end of a verb that could not do its work: one line on standard error, and an exit code.
struct VerbFailure: Error, Hashable {
    let exitCode: Int32
    let message: String

    static func usage(_ message: String) -> Self { .init(exitCode: ExitStatus.usage, message: message) }
    static func failed(_ message: String) -> Self { .init(exitCode: ExitStatus.foundWrong, message: message) }
    static func unavailable(_ message: String) -> Self { .init(exitCode: ExitStatus.unavailable, message: message) }

    init(exitCode: Int32, message: String) {
        self.exitCode = exitCode
        // One line, whatever an error of elsewhere says.
        self.message = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// How any error ends a verb.
    init(_ error: any Error) {
        switch error {
        case let failure as VerbFailure: self = failure
        case let error as ConfigurationError: self = .usage(error.description)
        case let error as StoreError:
            let exitCode =
                switch error.code {
                case .locked, .diskReserve: ExitStatus.unavailable
                case .wrongFile, .tooNew, .refused: ExitStatus.usage
                case .damaged, .clock: ExitStatus.foundWrong
                }
            self = .init(exitCode: exitCode, message: error.detail)
        case let refusal as SessionInUse: self = .unavailable("\(refusal)")
        case let failure as UnixSocket.Failure: self = .unavailable("\(failure)")
        case let error as CocoaError: self = .failed(error.sentence)
        default: self = .failed("\(error)")
        }
    }
}

extension CocoaError {
    /// What went wrong, as a person would say it.
    var reason: String {
        switch self.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: "there is no such file"
        case .fileReadNoPermission, .fileWriteNoPermission: "permission denied"
        case .fileWriteOutOfSpace: "no space left"
        case .fileWriteFileExists: "there is one already"
        case .fileWriteVolumeReadOnly: "the file system is read-only"
        default: "error \(self.code.rawValue)"
        }
    }

    /// The same with the file's name.
    var sentence: String { self.filePath.map { "\($0): \(self.reason)" } ?? self.reason }
}
