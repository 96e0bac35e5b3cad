/// A message on its way from a station to the broker.
package struct OutgoingMessage: Sendable {
    package enum Body: Sendable {
        /// Readable: one sample as `values`, several (or old ones) as `samples`.
        case samples([Sample])
        /// Damaged on purpose: these bytes, which were meant to say the sample, and why they cannot be read.
        case unreadable([UInt8], meant: Sample?, reason: String)
    }

    /// Nil for damaged messages: they are no part of the station's account.
    package let seq: Int64?
    package let body: Body
    /// A second sending of a message that was already sent under this seq.
    package let isCopy: Bool
    /// Sent because the service asked for it: it travels on `…/history`, however young it is.
    package let isAsked: Bool

    package init(seq: Int64?, body: Body, isCopy: Bool = false, isAsked: Bool = false) {
        self.seq = seq
        self.body = body
        self.isCopy = isCopy
        self.isAsked = isAsked
    }

    /// Whether by now it is backlog, which travels on `…/history`.
    package func isBacklog(nowMilliseconds: Int64) -> Bool {
        guard case .samples(let samples) = self.body, let oldest = samples.first else { return false }
        if self.isAsked { return true }
        return nowMilliseconds - oldest.recordedMilliseconds > StationLogger.liveMilliseconds
    }
}

/// The memory of a field logger: numbers its messages, keeps what the service has not stored, and sends it again.
///
/// Seqs are given without gaps, so that the service's account of them (`…/stored`) says exactly what is missing.
package struct StationLogger: Sendable {
    /// Samples older than this are backlog.
    package static let liveMilliseconds: Int64 = 600_000
    /// Samples of backlog in one message.
    package static let samplesPerMessageMax = 50
    /// What the memory holds: 60 days at one sample a minute; beyond it the oldest go, and are counted.
    package static let samplesMax = 86_400
    package static let messagesKeptMax = 86_400

    package let boot: String
    /// Whether messages are kept until the service says they are stored, or only until the broker acknowledges them.
    package let keepsUntilStored: Bool
    /// Whether a gap in `…/stored` is reason enough to send again; else the station waits for a command.
    package let resendsGaps: Bool
    /// Samples given up because the memory was full.
    package private(set) var lostSamples = 0
    /// How often messages were asked for again.
    package private(set) var resentMessages = 0

    private var live = Fifo<Sample>()
    private var backlog = Fifo<Sample>()
    /// Messages by seq, without holes; the front one has `firstSeq`.
    private var kept = Fifo<KeptMessage>()
    private var firstSeq: Int64 = 1
    private var resend = Fifo<Int64>()
    /// The highest number the service has spoken of.
    private var confirmedThrough: Int64 = 0

    package init(boot: String, keepsUntilStored: Bool, resendsGaps: Bool = true) {
        self.boot = boot
        self.keepsUntilStored = keepsUntilStored
        self.resendsGaps = resendsGaps
    }

    private struct KeptMessage {
        let samples: [Sample]
        var state: State
    }

    private enum State {
        case sent
        case toResend
        /// Asked for by a command, and to be sent again.
        case asked
        case acknowledged
        case freed
    }

    /// How many messages are still in memory because they were not freed.
    package var keptCount: Int { self.kept.count }
    /// Samples that were not put into a message yet.
    package var waitingCount: Int { self.live.count + self.backlog.count }
    /// Whether something waits to be sent.
    package var hasWork: Bool { !self.live.isEmpty || !self.backlog.isEmpty || !self.resend.isEmpty }
    /// The seq the next new message will have.
    package var nextSeq: Int64 { self.firstSeq + Int64(self.kept.count) }

    /// Takes in a new sample.
    package mutating func record(_ sample: Sample) {
        self.live.append(sample)
        guard self.live.count + self.backlog.count > Self.samplesMax else { return }
        if self.backlog.popFirst() == nil { _ = self.live.popFirst() }
        self.lostSamples += 1
    }

    /// The message to send next: what was asked for again, then live samples, then a batch of backlog.
    package mutating func nextMessage(nowMilliseconds: Int64) -> OutgoingMessage? {
        while let seq = self.resend.popFirst() {
            let offset = Int(seq - self.firstSeq)
            guard var message = self.kept[offset], message.state == .toResend || message.state == .asked else {
                continue
            }
            let isAsked = message.state == .asked
            message.state = .sent
            self.kept[offset] = message
            self.resentMessages += 1
            return OutgoingMessage(seq: seq, body: .samples(message.samples), isAsked: isAsked)
        }
        while let oldest = self.live.first, nowMilliseconds - oldest.recordedMilliseconds > Self.liveMilliseconds {
            if let aged = self.live.popFirst() { self.backlog.append(aged) }
        }
        if let sample = self.live.popFirst() { return self.compose([sample]) }
        var batch: [Sample] = []
        while batch.count < Self.samplesPerMessageMax, let sample = self.backlog.popFirst() { batch.append(sample) }
        return batch.isEmpty ? nil : self.compose(batch)
    }

    private mutating func compose(_ samples: [Sample]) -> OutgoingMessage {
        let seq = self.nextSeq
        self.kept.append(KeptMessage(samples: samples, state: .sent))
        if self.kept.count > Self.messagesKeptMax, let given = self.kept.popFirst() {
            self.firstSeq += 1
            if given.state != .freed { self.lostSamples += given.samples.count }
        }
        return OutgoingMessage(seq: seq, body: .samples(samples))
    }

    /// The broker has acknowledged a message.
    package mutating func acknowledged(seq: Int64) {
        let offset = Int(seq - self.firstSeq)
        guard var message = self.kept[offset], message.state == .sent else { return }
        message.state = self.keepsUntilStored ? .acknowledged : .freed
        self.kept[offset] = message
        self.dropFreed()
    }

    /// The service has said what it holds: everything up to `through` may go, except the gaps, which are sent again.
    package mutating func stored(_ account: StoredAccount) {
        guard self.keepsUntilStored, let mine = account.boots.first(where: { $0.boot == self.boot }) else { return }
        self.confirmedThrough = max(self.confirmedThrough, min(mine.through, self.nextSeq - 1))
        let last = min(mine.through, self.nextSeq - 1)
        guard last >= self.firstSeq else { return }
        for seq in self.firstSeq...last {
            let offset = Int(seq - self.firstSeq)
            guard var message = self.kept[offset] else { continue }
            if mine.isMissing(seq) {
                // What the broker has not acknowledged yet is still on its way.
                guard message.state == .acknowledged, self.resendsGaps else { continue }
                message.state = .toResend
                self.resend.append(seq)
            } else {
                message.state = .freed
            }
            self.kept[offset] = message
        }
        self.dropFreed()
    }

    /// Sends again what the broker has and the service has not spoken of: the last messages before a broker died are in
    /// no gap until something newer arrives.
    package mutating func resendUnconfirmed() {
        guard self.keepsUntilStored else { return }
        for seq in max(self.firstSeq, self.confirmedThrough + 1)..<max(self.nextSeq, self.confirmedThrough + 1) {
            let offset = Int(seq - self.firstSeq)
            guard var message = self.kept[offset], message.state == .acknowledged else { continue }
            message.state = .toResend
            self.kept[offset] = message
            self.resend.append(seq)
        }
    }

    /// The service asks for messages: those that are still there are sent again, oldest first.
    ///
    /// - Returns: What to answer.
    package mutating func backfill(_ command: BackfillCommand) -> BackfillAnswer {
        guard command.boot == self.boot else {
            return BackfillAnswer(id: command.id, status: .unknown, missing: [])
        }
        var missing: [ClosedRange<Int64>] = []
        func isGone(_ range: ClosedRange<Int64>) {
            if let last = missing.last, last.upperBound + 1 >= range.lowerBound {
                missing[missing.count - 1] = last.lowerBound...range.upperBound
            } else {
                missing.append(range)
            }
        }
        // Nothing before the front is there, and nothing that was not sent yet.
        if command.numbers.lowerBound < self.firstSeq {
            isGone(command.numbers.lowerBound...min(command.numbers.upperBound, self.firstSeq - 1))
        }
        let from = max(command.numbers.lowerBound, self.firstSeq)
        let through = min(command.numbers.upperBound, self.nextSeq - 1)
        if from <= through {
            for seq in from...through {
                let offset = Int(seq - self.firstSeq)
                guard var message = self.kept[offset], message.state != .freed else {
                    isGone(seq...seq)
                    continue
                }
                // What the broker has not acknowledged yet is still on its way.
                guard message.state == .acknowledged else { continue }
                message.state = .asked
                self.kept[offset] = message
                self.resend.append(seq)
            }
        }
        if command.numbers.upperBound >= self.nextSeq {
            isGone(max(command.numbers.lowerBound, self.nextSeq)...command.numbers.upperBound)
        }
        let isNothing = missing == [command.numbers]
        return BackfillAnswer(
            id: command.id, status: isNothing ? .unknown : missing.isEmpty ? .sent : .partial,
            missing: Array(missing.prefix(BackfillAnswer.rangesMax)))
    }

    private mutating func dropFreed() {
        while let front = self.kept.first, front.state == .freed {
            _ = self.kept.popFirst()
            self.firstSeq += 1
        }
    }
}
