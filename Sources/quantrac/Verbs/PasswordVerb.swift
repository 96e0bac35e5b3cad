import ArgumentParser
import FoundationEssentials
import Monitoring
import TimeSeriesStore

/// `quantrac station password`: accounts of stations at the broker.
struct PasswordVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "password",
        abstract: "Gives stations a new password at the broker, and the broker's files the entries for it.",
        discussion: """
            Writes broker.passwordsFile and broker.aclFile. The password is shown once, or written to a file per \
            station with --out-directory. The service's own account is made too \
            when broker.passwordFile does not exist yet. \
            Have the broker read its files again afterwards: kill -HUP its process.
            """)

    @OptionGroup var common: CommonOptions
    @Argument(help: "Stations' ids.") var stations: [String] = []
    @Flag(help: "Every station of the registry.") var all = false
    @Option(help: "Write each password to DIRECTORY/STATION instead of showing it.") var outDirectory: String?

    func run() throws {
        let settings = try self.common.settings()
        guard let passwordsFile = settings.broker.passwordsFile, let aclFile = settings.broker.aclFile else {
            throw VerbFailure.usage("set broker.passwordsFile and broker.aclFile to the files mosquitto reads")
        }
        let ids = try self.selected(settings)
        var passwords: [(id: String, password: String)] = []
        var lines: [String: String] = [:]
        for id in ids {
            let password = BrokerAccounts.newPassword()
            passwords.append((id, password))
            lines[id] = BrokerAccounts.passwordLine(user: id, password: password)
        }
        let before = try Self.textIfThere(passwordsFile)
        try self.addServiceAccount(settings, known: before, to: &lines)
        try Self.prepareFolder(of: passwordsFile)
        try Self.prepareFolder(of: aclFile)
        // A password is handed over before the broker demands it: the other order could lock a station out for ever.
        if let outDirectory {
            try FileManager.default.createDirectory(
                atPath: outDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for (id, password) in passwords {
                try NewFile.write(password + "\n", to: "\(outDirectory)/\(id)", mode: 0o600)
            }
        }
        try NewFile.write(BrokerAccounts.passwordFile(before, setting: lines), to: passwordsFile, mode: 0o600)
        let accessList = try Self.textIfThere(aclFile)
        let newList = BrokerAccounts.accessList(
            accessList, prefix: settings.broker.topicPrefix, clientID: settings.broker.clientID,
            serviceUser: settings.broker.username)
        if newList != accessList { try NewFile.write(newList, to: aclFile, mode: 0o600) }
        if self.outDirectory == nil {
            for (id, password) in passwords { try Output.line("\(id) \(password)") }
        }
        Output.note(
            "\(StoreRequestHandler.counted(ids.count, "station")) in \(passwordsFile); reload the broker (SIGHUP)")
    }

    private func selected(_ settings: Settings) throws -> [String] {
        guard self.all != !self.stations.isEmpty else {
            throw VerbFailure.usage(self.all ? "name stations or --all, not both" : "name stations, or --all")
        }
        let registry = try settings.openReader().registry
        var ids: [String] = []
        for name in self.all ? registry.stations.map(\.id.text).sorted() : self.stations {
            guard let id = StationID(name), registry.station(id) != nil else {
                throw VerbFailure.usage("unknown station \(name)")
            }
            // The account would have the service's rights, or the service the station's.
            guard name != settings.broker.username else {
                throw VerbFailure.usage("station \(name) is called like broker.username; give the service another user")
            }
            if !ids.contains(name) { ids.append(name) }
        }
        return ids
    }

    /// The service's own account, as long as it has no password or the broker does not know it.
    private func addServiceAccount(
        _ settings: Settings, known: String, to lines: inout [String: String]
    ) throws {
        guard let user = settings.broker.username, let file = settings.broker.passwordFile else { return }
        if FileManager.default.fileExists(atPath: file) {
            guard !BrokerAccounts.knows(user, in: known) else { return }
            let password = String(try TextFile.read(file).prefix { !$0.isNewline })
            guard !password.isEmpty else { throw VerbFailure.usage("\(file): the first line must be the password") }
            lines[user] = BrokerAccounts.passwordLine(user: user, password: password)
        } else {
            let password = BrokerAccounts.newPassword()
            try Self.prepareFolder(of: file)
            try NewFile.write(password + "\n", to: file, mode: 0o600)
            lines[user] = BrokerAccounts.passwordLine(user: user, password: password)
        }
    }

    private static func textIfThere(_ path: String) throws -> String {
        FileManager.default.fileExists(atPath: path) ? try TextFile.read(path) : ""
    }

    private static func prepareFolder(of path: String) throws {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        try FileManager.default.createDirectory(
            atPath: String(path[..<slash]), withIntermediateDirectories: true)
    }
}
