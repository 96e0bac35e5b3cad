import ArgumentParser
import TimeSeriesStore

/// `quantrac backup DEST`: a copy of the store of one moment, made while the service goes on.
struct BackupVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies the store to a new file: one consistent moment, checked, while the service goes on.")

    @OptionGroup var common: CommonOptions
    @Argument(help: "The new file; it must not be there yet.") var destination: String

    func run() throws {
        let settings = try self.common.settings()
        // Reading is all it takes: no request to the service, and no lock.
        let reader = try settings.openReader()
        let bar = ProgressHolder("backup")
        defer { bar.clear() }
        let bytes = try reader.backup(to: self.destination) { done, total in
            bar.update(Double(done), of: Double(total), detail: "\(done) of \(total) pages")
        }
        bar.clear()
        try Output.line("\(self.destination): \(ByteText.text(Int64(bytes))), checked")
    }
}

/// A progress bar for a callback that escapes.
private final class ProgressHolder {
    private var bar: ProgressBar

    init(_ label: String) { self.bar = ProgressBar(label) }

    func update(_ done: Double, of total: Double, detail: String) { self.bar.update(done, of: total, detail: detail) }
    func clear() { self.bar.clear() }
}
