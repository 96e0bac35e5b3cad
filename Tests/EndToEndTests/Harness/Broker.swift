import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A real mosquitto of one test.
final class Broker {
    let port: Int
    let folder: Folder
    private(set) var child: Child?
    private let configuration: String
    private var starts = 0

    /// Anonymous unless there is a password file.
    ///
    /// - Parameter listenerLines: What else its configuration says of the listener.
    init(_ folder: Folder, passwordFile: String? = nil, listenerLines: [String] = []) throws {
        self.folder = folder
        self.port = try freePort()
        let state = folder.file("broker")
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        var text = """
            listener \(self.port) 127.0.0.1
            set_tcp_nodelay true
            persistence true
            persistence_location \(state)/
            autosave_interval 1
            max_inflight_messages 10000
            max_queued_messages 10000000
            max_queued_bytes 0
            sys_interval 1
            log_dest stderr
            log_type error
            log_type warning
            log_type notice

            """
        text += listenerLines.map { "\($0)\n" }.joined()
        if let passwordFile {
            text += "allow_anonymous false\npassword_file \(passwordFile)\n"
        } else {
            text += "allow_anonymous true\n"
        }
        // Started by root, mosquitto would become a user that may not write our folder.
        if getuid() == 0 { text += "user root\n" }
        self.configuration = try folder.write("mosquitto.conf", text)
    }

    var persistenceFile: String { self.folder.file("broker/mosquitto.db") }

    func start() throws {
        self.starts += 1
        let child = try Child(
            ["mosquitto", "-c", self.configuration], log: self.folder.file("mosquitto-\(self.starts)"))
        self.child = child
        try eventually("mosquitto listens on \(self.port)", seconds: 20) {
            guard child.isRunning else { throw Trouble("mosquitto ended: \(child.errors)") }
            guard let connection = Connection(port: self.port) else { return false }
            connection.close()
            return true
        }
    }

    /// An orderly end: it saves its sessions and queues.
    func stop() throws {
        self.child?.signal(SIGTERM)
        try self.child?.wait(seconds: 20)
        self.child = nil
    }

    func kill() {
        self.child?.kill()
        self.child = nil
    }
}
