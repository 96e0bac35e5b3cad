import Alerting
import CMosquitto
import Logging
import Monitoring
import TimeSeriesStore

extension IngestLoop {
    /// Opens the connections that are missing and due; the backlog's only when live stands.
    func connect(_ now: Int64) {
        guard self.upkeep.mayRead else { return }
        if self.live.mayConnect {
            do { try self.live.connect(now, check: self.claim.check) } catch {
                self.logger.warning("No connection to the broker; trying again", metadata: ["error": "\(error)"])
                self.board.update { $0.reasons = ["broker: \(error)"] }
                if let refusal = error as? SessionInUse, !self.claim.wasOurs { self.onRefused(refusal) }
            }
        }
        guard self.live.isSubscribed, let history = self.history, history.mayConnect else { return }
        do { try history.connect(now) } catch {
            self.logger.warning("No connection for the backlog; trying again", metadata: ["error": "\(error)"])
        }
    }

    func lostConnection(_ session: IngestSession) {
        let now = self.clock()
        let wasOpen = session.isOpen
        session.lost(now)
        switch session.role {
        case .history:
            self.metrics.historyConnected.set(false)
            self.metrics.historyCaughtUp.set(false)
        case .live:
            if self.outage == nil || self.outage?.toMilliseconds != .max {
                self.outage = Outage(fromMilliseconds: now)
            }
            self.metrics.brokerConnected.set(false)
            self.metrics.caughtUp.set(false)
            self.board.update {
                $0.isConnected = false
                $0.isCaughtUp = false
                if $0.reasons.isEmpty { $0.reasons = ["broker: the connection was lost"] }
            }
        }
        guard wasOpen else { return }
        self.logger.warning("The connection to the broker was lost", metadata: ["client": "\(session.clientID)"])
    }

    func caughtUp(_ session: IngestSession) {
        guard session.role == .live else { return self.metrics.historyCaughtUp.set(session.isCaughtUp) }
        guard session.isCaughtUp, !self.board.current.isCaughtUp else { return }
        let now = self.clock()
        if let open = self.outage, open.toMilliseconds == .max {
            self.outage = Outage(fromMilliseconds: open.fromMilliseconds, toMilliseconds: now)
        }
        self.metrics.caughtUp.set(true)
        self.board.update { $0.isCaughtUp = true }
        self.logger.info("Caught up with the broker")
    }

    /// Leaves the broker until reading may go on.
    func pauseReading(_ now: Int64) {
        for session in self.sessions { session.disconnect() }
        if self.outage?.toMilliseconds != .max { self.outage = Outage(fromMilliseconds: now) }
        self.metrics.brokerConnected.set(false)
        self.metrics.caughtUp.set(false)
        self.metrics.historyConnected.set(false)
        self.metrics.historyCaughtUp.set(false)
        self.board.update {
            $0.isConnected = false
            $0.isCaughtUp = false
        }
    }

    /// Cuts a session that stands and delivers nothing: the next one asks the broker again.
    func reconnectSilentSessions(_ now: Int64) {
        for session in self.sessions
        where session.isSubscribed && now - session.heardMilliseconds > IngestLimits.watchdogMilliseconds {
            self.logger.error(
                "The session stands but our own marker does not come back: connecting anew; may our user write it?",
                metadata: ["client": "\(session.clientID)", "marker": "\(session.markerTopic)"])
            self.lostConnection(session)
        }
    }

    /// Ends the backlog's subscriptions of the live session, which an older version of us had.
    ///
    /// Only when the session for the backlog has them: what is published in between must be somebody's.
    private func moveHistorySubscriptions() {
        guard self.live.isSubscribed, self.live.wasPresent, self.history?.isSubscribed == true else { return }
        do { try self.live.client.unsubscribe(self.configuration.broker.historySubscriptions) } catch {
            self.logger.warning("Unsubscribing failed", metadata: ["error": "\(error)"])
        }
    }
}

extension IngestLoop: IngestSessionDelegate {
    func session(_ session: IngestSession, wasRefused reason: String) {
        let broker = self.configuration.broker
        self.logger.error(
            "The broker refused us",
            metadata: [
                "broker": "\(broker.host):\(broker.port)", "client": "\(session.clientID)", "reason": "\(reason)",
            ])
        if session.role == .live { self.board.update { $0.reasons = ["broker: \(reason)"] } }
    }

    func sessionIsSubscribed(_ session: IngestSession) {
        let broker = self.configuration.broker
        if !session.wasPresent, self.writer.sequence > 0 {
            self.logger.warning(
                "The broker had no session of ours: what it queued for us is gone",
                metadata: ["client": "\(session.clientID)"])
            if session.role == .live { self.account.lostSession() }
        }
        session.heard(self.clock(), markerMilliseconds: nil)
        self.outgoing.sendMarker(session.markerTopic)
        switch session.role {
        case .live:
            self.claim.wasOurs = true
            self.metrics.brokerConnected.set(true)
            self.board.update {
                $0.isConnected = true
                $0.reasons = []
            }
        case .history: self.metrics.historyConnected.set(true)
        }
        self.moveHistorySubscriptions()
        self.logger.info(
            "Connected to the broker",
            metadata: ["broker": "\(broker.host):\(broker.port)", "client": "\(session.clientID)"])
    }
}
