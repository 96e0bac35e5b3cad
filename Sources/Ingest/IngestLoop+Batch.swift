import CMosquitto
import Logging
import Monitoring
import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension IngestLoop {
    /// Reads a batch of one session, commits it, and lets its acknowledgements go.
    func readBatch(_ session: IngestSession) {
        let start = self.elapsed
        self.batch.begin(receivedMilliseconds: self.clock(), outage: self.outage)
        session.beginBatch(self.batch)
        self.fillBatch(session, timeToRead: self.timeToRead(session, at: start))
        let now = self.clock()
        session.endBatch()
        let messageCount = self.batch.frame.messageCount
        guard self.batch.isEmpty || self.commitBatch(session) else { return }
        if !self.batch.responses.isEmpty { self.backfill.take(self.batch.responses) }
        if !self.batch.effects.presence.isEmpty { self.life.take(self.batch.effects.presence, atMilliseconds: now) }
        // A marker says something only once what came before it is durable.
        if messageCount > 0 || self.batch.markerMilliseconds != nil {
            session.heard(now, markerMilliseconds: self.batch.markerMilliseconds)
        }
        if !session.release() { self.lostConnection(session) }
        if self.batch.markerMilliseconds != nil { self.caughtUp(session) }
        guard messageCount > 0 else { return }
        switch session.role {
        case .live: self.pace.liveWasRead(at: self.elapsed)
        case .history: self.pace.historyWasRead(from: start, to: self.elapsed)
        }
    }

    /// How long a batch may be read: what shares an fsync, and how long live may wait for the backlog.
    private func timeToRead(_ session: IngestSession, at now: Duration) -> Duration {
        if session.role == .history, self.pace.isLiveAwake(at: now) {
            return .milliseconds(IngestLimits.batchMillisecondsMin)
        }
        let notReading = session.lastCommit + self.lastUpkeep
        return min(
            max(.milliseconds(IngestLimits.batchMillisecondsMin), notReading * IngestLimits.batchPerCommit),
            .milliseconds(IngestLimits.batchMillisecondsMax))
    }

    private func fillBatch(_ session: IngestSession, timeToRead: Duration) {
        let started = ContinuousClock.now
        var packets = 0
        while !self.batch.isFull, let wasMessage = session.readPacket() {
            // A call that delivered nothing found the socket dry, in the middle of a packet, or at a packet that is no
            // message; in each case a batch that is worth it is committed now. (`errno` cannot be asked: it lies after
            // 277 withheld messages.)
            guard wasMessage else {
                guard self.waitsForMore(session, since: started) else { break }
                continue
            }
            packets += 1
            if packets % IngestLimits.packetsPerClockRead == 0, started.duration(to: .now) >= timeToRead { break }
        }
    }

    /// Sleeps a little when the batch is too small for an fsync of its own; false when it is to be committed.
    private func waitsForMore(_ session: IngestSession, since started: ContinuousClock.Instant) -> Bool {
        guard (1..<IngestLimits.lingerMessagesMax).contains(self.batch.frame.messageCount),
            started.duration(to: .now) < .milliseconds(IngestLimits.lingerMillisecondsMax)
        else { return false }
        // Who wants the loop's thread does not wait, nor does live for the backlog. The batch's own socket is not
        // asked: it would wake us for every message.
        var descriptors = [
            pollfd(fd: self.wake.readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: session.role == .history ? self.live.socket : -1, events: Int16(POLLIN), revents: 0),
        ]
        return poll(&descriptors, nfds_t(descriptors.count), IngestLimits.lingerNapMilliseconds) == 0
    }

    /// Writes the batch; false when it could not be written, and then nothing of it is acknowledged.
    private func commitBatch(_ session: IngestSession) -> Bool {
        self.batch.finish()
        let started = ContinuousClock.now
        do {
            let committed = try self.writer.commit(self.batch.frame, self.batch.header, self.batch.effects)
            self.batch.commit()
            session.lastCommit = started.duration(to: .now)
            self.count(committed, session)
            self.outgoing.storedIsDue(self.batch.numberedStations)
            if !self.batch.effects.outbox.isEmpty { self.onOutbox() }
            return true
        } catch {
            self.batch.rollBack()
            self.upkeep.commitFailed(error, nowMilliseconds: self.clock())
            self.board.update {
                $0.canWrite = false
                $0.reasons = ["store: \(error)"]
            }
            for session in self.sessions { self.lostConnection(session) }
            self.logger.error(
                "The batch could not be written; the broker will deliver it again",
                metadata: [
                    "messages": "\(self.batch.frame.messageCount)", "error": "\(error)",
                ])
            return false
        }
    }

    private func count(_ committed: CommittedFrame, _ session: IngestSession) {
        self.metrics.commitSeconds.record(session.lastCommit)
        self.metrics.messagesReceived.add(committed.messages)
        if session.role == .history { self.metrics.messagesHistory.add(committed.messages) }
        self.metrics.messagesQoS0.add(committed.messagesQoS0)
        self.metrics.deadLetters.add(committed.deadLetters)
        self.metrics.readingsStored.add(committed.fresh)
        self.metrics.readingsQuarantined.add(committed.quarantined)
        let now = self.clock()
        self.board.update {
            $0.canWrite = true
            $0.lastCommitMilliseconds = now
        }
    }
}
