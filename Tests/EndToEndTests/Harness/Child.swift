import Foundation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A program the tests started: ended by its process id, never by its name, and at the latest when nobody holds it.
final class Child {
    let name: String
    let processID: pid_t
    let outputPath: String
    let errorPath: String
    private var status: Int32?

    /// Starts a program found on PATH (or by its path) with its output in two files.
    ///
    /// Settings of a service somebody runs in this shell are not handed on.
    init(_ arguments: [String], log: String, environment extra: [String: String] = [:]) throws {
        self.name = arguments[0].split(separator: "/").last.map(String.init) ?? arguments[0]
        self.outputPath = "\(log).out"
        self.errorPath = "\(log).err"
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("QUANTRAC_") }
        environment["PATH"] = "\(environment["PATH"] ?? "/usr/bin:/bin"):/usr/sbin:/usr/local/sbin"
        environment.merge(extra) { $1 }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, self.outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, self.errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // Threads of the test runner block signals, and a child inherits that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        // `posix_spawnp` looks into our PATH, not into the child's.
        let path = Self.find(arguments[0], in: environment["PATH"] ?? "")
        var processID: pid_t = 0
        let code = posix_spawn(&processID, path, &actions, &attributes, argv, envp)
        guard code == 0 else {
            throw Trouble("\(arguments[0]) could not be started: \(String(cString: strerror(code)))")
        }
        self.processID = processID
    }

    deinit { self.kill() }

    static func find(_ program: String, in path: String = ProcessInfo.processInfo.environment["PATH"] ?? "") -> String {
        guard !program.contains("/") else { return program }
        let candidates: [String] = path.split(separator: ":").map { "\($0)/\(program)" }
        return candidates.first { access($0, X_OK) == 0 } ?? program
    }

    var isRunning: Bool {
        self.poll()
        return self.status == nil
    }

    /// 128 + the signal when one ended it, as a shell says it.
    var exitCode: Int32? {
        self.poll()
        guard let status = self.status else { return nil }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }

    var output: String { (try? String(contentsOfFile: self.outputPath, encoding: .utf8)) ?? "" }
    var errors: String { (try? String(contentsOfFile: self.errorPath, encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { if self.isRunning { _ = sendSignal(self.processID, number) } }

    /// SIGKILL, and gone when this returns.
    func kill() {
        guard self.isRunning else { return }
        _ = sendSignal(self.processID, SIGKILL)
        var status: Int32 = 0
        if waitpid(self.processID, &status, 0) == self.processID { self.status = status }
    }

    /// Waits for its end; a program that does not end in time is killed and the test fails.
    @discardableResult
    func wait(seconds: Double = 60) throws -> Int32 {
        try eventually("\(self.name) ends", seconds: seconds) { !self.isRunning }
        return self.exitCode ?? -1
    }

    private func poll() {
        guard self.status == nil else { return }
        var status: Int32 = 0
        if waitpid(self.processID, &status, WNOHANG) == self.processID { self.status = status }
    }
}

private func sendSignal(_ processID: pid_t, _ number: Int32) -> Int32 { kill(processID, number) }

/// What went wrong in a test's surroundings.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Looks again and again until something is so; throws when it is not in time.
func eventually(_ what: String, seconds: Double = 30, _ condition: () throws -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
        guard ContinuousClock.now < deadline else { throw Trouble("not within \(seconds) s: \(what)") }
        usleep(20_000)
    }
}

/// A number from the environment, such as the kills of a long run.
func setting(_ name: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? usual
}
