import Monitoring
import Simulation

/// Writes the truth file: decides fates in the order of first sending, and writes them when the PUBACK is there.
final class TruthRecorder {
    private var ledger: FateLedger
    private let file: OutputFile
    private var messageCount = 0

    init(path: String, oldestMilliseconds: Int64, newestMilliseconds: Int64) throws(FileError) {
        self.ledger = FateLedger(oldestMilliseconds: oldestMilliseconds, newestMilliseconds: newestMilliseconds)
        self.file = try OutputFile(path: path)
    }

    /// The lines of a message about to be sent for the first time; `finish` writes them.
    func begin(_ message: OutgoingMessage, station: SimulatedStation) -> [UInt8] {
        var lines: [UInt8] = []
        self.messageCount += 1
        let number = self.messageCount
        switch message.body {
        case .unreadable(_, let meant, let reason):
            guard let meant else {
                station.truthFormat.appendEmpty(
                    timeMilliseconds: nil, fate: .deadLetter(reason: reason), message: number, to: &lines)
                break
            }
            for value in meant.values {
                station.truthFormat.append(
                    value, timeMilliseconds: meant.timeMilliseconds, fate: .deadLetter(reason: reason),
                    message: number, to: &lines)
            }
        case .samples(let samples):
            let clock = SystemClock.wallMilliseconds()
            for sample in samples {
                for value in sample.values {
                    let fate =
                        message.isCopy
                        ? .duplicate
                        : self.ledger.fate(
                            station: station.index, value, timeMilliseconds: sample.timeMilliseconds,
                            clockMilliseconds: clock)
                    station.truthFormat.append(
                        value, timeMilliseconds: sample.timeMilliseconds, fate: fate, message: number, to: &lines)
                }
            }
        }
        return lines
    }

    /// Writes a message's lines.
    func finish(_ lines: [UInt8], acknowledged: Bool) throws(FileError) {
        try self.file.append { TruthFormat.finish(lines, acknowledged: acknowledged, to: &$0) }
    }

    func flush() throws(FileError) { try self.file.flush() }
}
