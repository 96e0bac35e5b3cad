import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A broker, a store and a service in a folder of their own: one test's installation.
final class Installation {
    let folder: Folder
    let broker: Broker
    let httpPort: Int
    let storePath: String
    let configuration: String
    private(set) var service: Child?
    private var starts = 0
    private var runs = 0
    private var settings: [String: String]

    /// - Parameter settings: Dotted keys with what stands behind the colon in YAML; they override the test's own.
    init(
        settings: [String: String] = [:], passwordFile: String? = nil, listenerLines: [String] = [],
        folder: Folder? = nil
    ) throws {
        let folder = try folder ?? Folder()
        self.folder = folder
        self.broker = try Broker(folder, passwordFile: passwordFile, listenerLines: listenerLines)
        self.httpPort = try freePort()
        self.storePath = settings["store.path"] ?? folder.file("store.db")
        self.settings = [
            "broker.port": "\(self.broker.port)", "store.path": self.storePath, "http.port": "\(self.httpPort)",
            "store.reserveBytes": "0", "log.level": "info",
        ].merging(settings) { $1 }
        self.configuration = folder.file("quantrac.yaml")
        try self.writeSettings()
    }

    deinit {
        self.service?.kill()
        self.broker.kill()
    }

    func set(_ key: String, _ value: String) throws {
        self.settings[key] = value
        try self.writeSettings()
    }

    private func writeSettings() throws {
        var text = ""
        let sections = Dictionary(grouping: self.settings) { $0.key.split(separator: ".").first.map(String.init) ?? "" }
        for (section, keys) in sections.sorted(by: { $0.key < $1.key }) {
            if keys.count == 1, keys[0].key == section {
                text += "\(section): \(keys[0].value)\n"
                continue
            }
            text += "\(section):\n"
            for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
                text += "  \(key.dropFirst(section.count + 1)): \(value)\n"
            }
        }
        try text.write(toFile: self.configuration, atomically: true, encoding: .utf8)
    }

    // MARK: The service

    /// Starts the service without waiting for anything; `wrapper` goes before the command, such as a shell with a
    /// limit.
    @discardableResult
    func launch(wrapper: [String] = []) throws -> Child {
        self.starts += 1
        let child = try Child(
            wrapper + [Places.quantrac, "serve", "--config", self.configuration],
            log: self.folder.file("service-\(self.starts)"))
        self.service = child
        return child
    }

    /// Starts the service and waits until it says that it is well.
    func start(wrapper: [String] = []) throws {
        try self.launch(wrapper: wrapper)
        try self.awaitHealthy()
    }

    func awaitHealthy(seconds: Double = 45) throws {
        do {
            try eventually("the service is healthy", seconds: seconds) {
                guard let service = self.service, service.isRunning else {
                    throw Trouble("the service ended with \(self.service?.exitCode ?? -1)")
                }
                return self.health()?.status == 200
            }
        } catch { throw Trouble("\(error); it says \(self.health()?.body ?? "nothing")\n\(self.log)") }
    }

    func health() -> HTTPAnswer? { httpGet(port: self.httpPort, "/healthz") }

    /// The service's log since its last start.
    var log: String { (self.service?.errors ?? "") + (self.service?.output ?? "") }

    func killService() {
        self.service?.kill()
        self.service = nil
    }

    /// SIGTERM; the exit code.
    func stopService(seconds: Double = 30) throws -> Int32 {
        guard let service = self.service else { return -1 }
        service.signal(SIGTERM)
        let code = try service.wait(seconds: seconds)
        self.service = nil
        return code
    }

    /// A sample of `/metrics`; nil when it is not there.
    func metric(_ name: String) -> Double? {
        guard let text = httpGet(port: self.httpPort, "/metrics")?.body else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name) ") || $0.hasPrefix("\(name){") }
        return line?.split(separator: " ").last.flatMap { Double($0) }
    }

    // MARK: Verbs

    /// What a program that ran to its end said.
    struct Finished {
        let exitCode: Int32
        let output: String
        let errors: String

        var json: Any? { try? JSONSerialization.jsonObject(with: Data(self.output.utf8)) }
        var rows: [[String: Any]] { self.json as? [[String: Any]] ?? [] }
        var object: [String: Any] { self.json as? [String: Any] ?? [:] }
    }

    func run(_ arguments: [String], seconds: Double = 120) throws -> Finished {
        self.runs += 1
        let child = try Child(arguments, log: self.folder.file("run-\(self.runs)"))
        let code = try child.wait(seconds: seconds)
        return Finished(exitCode: code, output: child.output, errors: child.errors)
    }

    /// A verb with this installation's settings.
    func quantrac(_ arguments: String..., seconds: Double = 120) throws -> Finished {
        try self.run([Places.quantrac] + arguments + ["--config", self.configuration], seconds: seconds)
    }

    func importStations(_ yaml: String) throws {
        let file = try self.folder.write("stations.yaml", yaml)
        try self.importStations(file: file)
    }

    func importStations(file: String) throws {
        let result = try self.quantrac("station", "import", file)
        guard result.exitCode == 0 else { throw Trouble("station import: \(result.errors)") }
    }

    /// Rows of an export without the header, in fields.
    func export(_ arguments: String...) throws -> [[String]] {
        let result = try self.run([Places.quantrac, "export"] + arguments + ["--config", self.configuration])
        guard result.exitCode == 0 else { throw Trouble("export: \(result.errors)") }
        return result.output.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }

    /// How many readings `status` counts.
    func readingCount() throws -> Int {
        let result = try self.quantrac("status", "--json")
        guard let count = result.object["readings"] as? Int else { throw Trouble("status: \(result.errors)") }
        return count
    }

    /// Waits until the store serves that many readings.
    func awaitReadings(_ count: Int, seconds: Double = 30) throws {
        try eventually("\(count) readings are stored", seconds: seconds) { try self.readingCount() >= count }
    }

    /// A value of the SQLite file itself.
    func sql(_ statement: String) throws -> String {
        let result = try self.run(["sqlite3", "-readonly", self.storePath, statement])
        guard result.exitCode == 0 else { throw Trouble("sqlite3: \(result.errors)") }
        return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    // MARK: Publishing

    /// Publishes one message at QoS 1; returns when it has its PUBACK.
    func publish(_ topic: String, _ payload: String, retain: Bool = false, options: [String] = []) throws {
        let file = try self.folder.write("payload", payload)
        try self.publish(topic, file: file, retain: retain, options: options)
    }

    func publish(_ topic: String, bytes: [UInt8]) throws {
        let file = self.folder.file("payload")
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try self.publish(topic, file: file)
    }

    private func publish(_ topic: String, file: String, retain: Bool = false, options: [String] = []) throws {
        var arguments = ["mosquitto_pub", "-h", "127.0.0.1", "-p", "\(self.broker.port)", "-q", "1", "-t", topic]
        arguments += (retain ? ["-r"] : []) + options + ["-f", file]
        let result = try self.run(arguments, seconds: 30)
        guard result.exitCode == 0 else { throw Trouble("mosquitto_pub: \(result.errors)") }
    }

    /// Publishes every line as a message of its own, over one connection.
    func publish(_ topic: String, lines: [String]) throws {
        let file = try self.folder.write("lines", lines.joined(separator: "\n") + "\n")
        let command = "exec mosquitto_pub -h 127.0.0.1 -p \(self.broker.port) -q 1 -t '\(topic)' -l < '\(file)'"
        let result = try self.run(["/bin/sh", "-c", command], seconds: 60)
        guard result.exitCode == 0 else { throw Trouble("mosquitto_pub: \(result.errors)") }
    }
}
