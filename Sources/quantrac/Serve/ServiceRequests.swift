import Alerting
import DataLake
import Dispatch
import FoundationEssentials
import Ingest
import Logging
import Monitoring
import Synchronization
import TimeSeriesStore

/// What verbs ask of the running service, carried out on its writer.
struct ServiceRequests: Sendable {
    let settings: Settings
    let ingest: IngestService
    let rules: RulesInForce
    let lake: LakePublisher?
    let logger: Logger

    /// Blocks the control server's thread until the request is done.
    func perform(_ request: StoreRequest) -> StoreReply {
        if case .lakePublish = request { return self.publish() }
        let handler = StoreRequestHandler(settings: self.settings)
        // In short pieces, so that the ingest reads its socket in between.
        let store = ServedStore(reader: self.ingest.reader, mailbox: self.ingest.mailbox)
        let reply = handler.perform(request, on: store)
        do { if case .rulesLoad = request, reply.exitCode == ExitStatus.done { try self.adoptRules() } } catch {
            return StoreReply(error)
        }
        return reply
    }

    /// Reads a rules file again; when it is bad the old rules stay, and an incident says so.
    func reloadRules(_ file: String) -> StoreReply {
        do {
            let reply = self.perform(.rulesLoad(text: try TextFile.read(file), fileName: file))
            self.noteRules(reply.exitCode == ExitStatus.done ? nil : reply.message)
            return reply
        } catch {
            let reply = StoreReply(error)
            self.noteRules(reply.message)
            return reply
        }
    }

    private func adoptRules() throws {
        guard let stored = try self.ingest.reader.rulesText() else { return }
        let ruleSet = try RulesFileReader.read(
            text: stored.text, file: stored.source, version: stored.version
        ).ruleSet
        self.rules.replace(ruleSet)
        self.ingest.replaceRules(ruleSet)
    }

    private func noteRules(_ problem: String?) {
        let now = SystemTime.nowMilliseconds()
        let rule = "quantrac.rules"
        do {
            try self.ingest.mailbox.submitAndWait { writer in
                var effects = BatchEffects()
                if let problem {
                    effects.incidents.append(
                        .open(
                            id: writer.reserveIncident(), name: "\(rule)/\(now)", rule: rule, subject: "service",
                            series: nil, station: nil, severity: "warning", openedMilliseconds: now,
                            sinceMilliseconds: now, value: nil, bound: nil, foundLate: false,
                            detail: "The rules file was not taken, the old rules hold: \(problem)"))
                } else {
                    effects.incidents.append(.cleared(rule: rule, subject: "service", atMilliseconds: now))
                }
                try writer.apply(effects, atMilliseconds: now)
            }
        } catch { self.logger.error("The incident about the rules could not be written: \(error)") }
    }

    private func publish() -> StoreReply {
        guard let lake = self.lake else {
            return StoreReply(VerbFailure.usage("no lake: set lake.destination"))
        }
        let answer = Mutex<StoreReply?>(nil)
        let done = DispatchSemaphore(value: 0)
        Task {
            let reply: StoreReply
            do { reply = StoreReply(try await lake.publish(.request)) } catch {
                reply = StoreReply(error)
            }
            answer.withLock { $0 = reply }
            done.signal()
        }
        done.wait()
        return answer.withLock { $0 } ?? StoreReply(VerbFailure.failed("the service is stopping"))
    }
}

extension StoreReply {
    /// What publishing did, a line per part.
    init(_ report: LakeReport) {
        var lines = report.published.map {
            "\(Civil.formatDate(days: $0.day)): generation \($0.generation), \($0.rows) rows, \($0.file)"
        }
        if report.unchanged > 0 { lines.append("\(report.unchanged) days unchanged") }
        if lines.isEmpty { lines.append("nothing to publish") }
        let failures = report.failed.map { "\(Civil.formatDate(days: $0.day)): \($0.error)" }
        self.init(
            exitCode: failures.isEmpty ? ExitStatus.done : ExitStatus.foundWrong,
            output: lines.joined(separator: "\n"), message: failures.joined(separator: "; "))
    }
}
