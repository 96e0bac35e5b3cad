import ArgumentParser
import DataLake
import FoundationEssentials
import Ingest
import Monitoring
import TimeSeriesStore

/// `quantrac doctor`: whether everything the service needs is there.
struct DoctorVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks whether everything the service needs is there: settings, store, broker, disk, lake.",
        discussion: "Ends with code 1 when something is wrong. Changes nothing.")

    @OptionGroup var common: CommonOptions
    @Flag(help: "As JSON.") var json = false

    func run() throws {
        let settings = try self.common.settings()
        let findings = Doctor(settings: settings, settingsFile: self.common.config).examine()
        if self.json {
            try Output.json(findings)
        } else {
            for finding in findings { try Output.line(finding.line) }
        }
        let wrong = findings.count { $0.state == .wrong }
        guard wrong == 0 else {
            throw VerbFailure.failed(StoreRequestHandler.counted(wrong, "thing") + " wrong")
        }
    }
}

/// What one look found.
struct Finding: Encodable, Equatable {
    enum State: String, Encodable {
        case good
        /// Not set up, and need not be.
        case absent
        case wrong
    }

    let what: String
    let state: State
    let detail: String

    var line: String {
        let mark =
            switch self.state {
            case .good: "ok    "
            case .absent: "–     "
            case .wrong: "WRONG "
            }
        return "\(mark)\(self.what): \(self.detail)"
    }
}

/// Looks at everything around the service, one thing after another; nothing that is wrong stops the others.
struct Doctor {
    let settings: Settings
    let settingsFile: String?

    func examine() -> [Finding] {
        [
            // Reading them has succeeded, or we would not be here.
            Finding(what: "settings", state: .good, detail: self.settingsFile ?? "defaults and environment"),
            self.zone(), self.store(), self.lock(), self.disk(), self.acknowledgements(), self.broker(), self.session(),
            self.brokerFiles(), self.rules(), self.lake(), self.duckdb(),
        ]
    }

    private func finding(_ what: String, _ body: () throws -> (Finding.State, String)) -> Finding {
        do {
            let (state, detail) = try body()
            return Finding(what: what, state: state, detail: detail)
        } catch {
            return Finding(what: what, state: .wrong, detail: VerbFailure(error).message)
        }
    }

    private func zone() -> Finding {
        self.finding("time zone") {
            let now = SystemTime.nowMilliseconds()
            return (.good, "\(self.settings.timeZone), now \(self.settings.timeText.text(now))")
        }
    }

    private func store() -> Finding {
        self.finding("store") {
            guard FileManager.default.fileExists(atPath: self.settings.store.path) else {
                return (.absent, "\(self.settings.store.path) is not there yet; `quantrac serve` makes it")
            }
            let registry = try self.settings.openReader().registry
            let newest = registry.stations.count
            return (.good, "\(self.settings.store.path), \(StoreRequestHandler.counted(newest, "station"))")
        }
    }

    private func lock() -> Finding {
        self.finding("service") {
            if StoreClient(settings: self.settings).isServiceRunning { return (.good, "running") }
            guard FileManager.default.fileExists(atPath: StoreFiles(database: self.settings.store.path).lock) else {
                return (.absent, "stopped")
            }
            // Throws with the holder's number when somebody has it, who does not listen.
            _ = try StoreLock(StoreFiles(database: self.settings.store.path))
            return (.absent, "stopped")
        }
    }

    private func disk() -> Finding {
        self.finding("disk") {
            guard let free = DiskSpace.freeBytes(self.settings.store.path) else {
                return (.wrong, "the folder of \(self.settings.store.path) is not there")
            }
            let reserve = Int64(self.settings.store.reserveBytes)
            let text = "\(ByteText.text(free)) free, reserve \(ByteText.text(reserve))"
            return free > reserve ? (.good, text) : (.wrong, "\(text): nothing more is accepted")
        }
    }

    /// Everything we promise rests on this, and the library does not promise it.
    private func acknowledgements() -> Finding {
        self.finding("acknowledgements") {
            let proof = try WithholdingProof.run()
            let library = "libmosquitto \(proof.version)"
            guard proof.holds else {
                return (
                    .wrong,
                    "\(library) does not withhold them: \(proof.acknowledgedBefore) of \(proof.messages) left before "
                        + "the commit, \(proof.acknowledgedAfter) after it; install another version"
                )
            }
            return (.good, "\(library) withholds \(proof.messages) of them until the commit")
        }
    }

    private func broker() -> Finding {
        self.finding("broker") {
            let broker = self.settings.broker
            var password: String?
            if let file = broker.passwordFile { password = String(try TextFile.read(file).prefix { !$0.isNewline }) }
            let probe = BrokerProbe(
                host: broker.host, port: broker.port, clientID: "\(broker.clientID)-doctor",
                username: broker.username, password: password)
            let place = "\(broker.host):\(broker.port)"
            if broker.tls.caFile != nil {
                _ = try SessionHolder.current(try self.settings.brokerSettings())
                return (.good, "\(place) takes us over TLS as \(broker.username ?? "nobody in particular")")
            }
            switch probe.run() {
            case .accepted: return (.good, "\(place) takes us as \(broker.username ?? "nobody in particular")")
            case .refused(let reason): return (.wrong, "\(place): \(reason)")
            case .unreachable(let reason): return (.wrong, "\(place) cannot be reached: \(reason)")
            }
        }
    }

    /// Who reads under our client id, if anybody does.
    private func session() -> Finding {
        self.finding("broker's session") {
            let id = self.settings.broker.clientID
            guard let settings = try? self.settings.brokerSettings(),
                let holder = try? SessionHolder.current(settings)
            else { return (.absent, "nobody answers for client id \(id)") }
            let text = "client id \(id) is used by process \(holder.processID) on \(holder.host), store \(holder.store)"
            return (holder.isOf(store: self.settings.store.path) ? .good : .wrong, text)
        }
    }

    /// The files the settings name must be readable.
    private func brokerFiles() -> Finding {
        self.finding("broker's files") {
            let broker = self.settings.broker
            let files = [
                broker.passwordsFile, broker.aclFile, broker.tls.caFile, broker.tls.certFile, broker.tls.keyFile,
            ].compactMap { $0 }
            guard !files.isEmpty else { return (.absent, "none are named in the settings") }
            for file in files { _ = try TextFile.read(file) }
            if let file = broker.passwordsFile, let user = broker.username,
                !BrokerAccounts.knows(user, in: try TextFile.read(file))
            {
                return (.wrong, "\(file) does not know our user \(user); `quantrac station password` adds it")
            }
            if let file = broker.aclFile {
                let missing = BrokerAccounts.missing(
                    in: try TextFile.read(file), prefix: broker.topicPrefix, clientID: broker.clientID)
                guard missing.isEmpty else {
                    return (
                        .wrong,
                        "\(file) lacks \(missing.joined(separator: ", ")); `quantrac station password` writes it anew"
                    )
                }
            }
            return (.good, files.joined(separator: ", "))
        }
    }

    private func rules() -> Finding {
        self.finding("rules") {
            guard let file = self.settings.rules else { return (.absent, "no file is set") }
            let read = try RulesFileReader.read(text: try TextFile.read(file), file: file, version: 0)
            return (.good, "\(file), \(StoreRequestHandler.counted(read.rulesCount, "rule"))")
        }
    }

    private func lake() -> Finding {
        self.finding("lake") {
            guard let destination = self.settings.lake.destination else { return (.absent, "no destination is set") }
            var isFolder = false
            guard FileManager.default.fileExists(atPath: destination, isDirectory: &isFolder) else {
                return (.absent, "\(destination) is not there yet; the first day published makes it")
            }
            guard isFolder, FileManager.default.isWritableFile(atPath: destination) else {
                return (.wrong, "\(destination) is no folder we may write to")
            }
            return (.good, destination)
        }
    }

    private func duckdb() -> Finding {
        self.finding("duckdb") {
            do { return (.good, try DuckDB.find(setting: self.settings.lake.duckdb).program) } catch {
                let isNeeded = self.settings.lake.destination != nil || self.settings.lake.duckdb != nil
                return (isNeeded ? .wrong : .absent, "\(error)")
            }
        }
    }
}
