import Foundation
import Synchronization
import Testing

@testable import quantrac

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One line there, one line back.
private func ask(_ path: String, _ line: String) throws -> String? {
    let socket = try UnixSocket.connected(to: path)
    return try socket.exchange(Array(line.utf8), bytesMax: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
}

private func reply(_ path: String, _ request: StoreRequest) throws -> StoreReply {
    let line = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    return try JSONDecoder().decode(StoreReply.self, from: Data(try #require(try ask(path, line)).utf8))
}

@Suite struct ControlTests {
    @Test(
        arguments: [
            .ping, .stationImport(text: "sites: []\n# Mỏ\n", fileName: "a b.yaml", fromMilliseconds: 5),
            .stationImport(text: "", fileName: "", fromMilliseconds: nil),
            .deadLetterReplay(FateSelection(ids: [1, 2], station: nil, reason: nil)),
            .quarantineRelease(FateSelection(ids: nil, station: "x", reason: "too-new"), shiftMilliseconds: -360_000),
            .rulesLoad(text: "rules: []", fileName: "r"),
            .incidentAcknowledge(id: 7, by: "Lan", why: "máy hỏng", untilMilliseconds: nil),
        ] as [StoreRequest])
    func `a request comes through the socket as it was sent`(request: StoreRequest) throws {
        let folder = try TemporaryFolder()
        let seen = Mutex<[StoreRequest]>([])
        let server = try ControlServer(path: folder.path("s.sock")) { request in
            seen.withLock { $0.append(request) }
            return .done("line 1\nline 2", warning: "mind")
        }
        defer { server.stop() }
        #expect(try reply(folder.path("s.sock"), request) == .done("line 1\nline 2", warning: "mind"))
        #expect(seen.withLock { $0 } == [request])
    }

    @Test func `only its owner may open the socket, and it goes with the server`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("s.sock")
        let server = try ControlServer(path: path) { _ in .done("") }
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        server.stop()
        server.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(throws: UnixSocket.Failure.self) { try ask(path, "{}") }
    }

    @Test func `a socket left over by a dead process is replaced`() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("s.sock")
        // Bound and closed without being removed, as after SIGKILL.
        _ = try UnixSocket.listening(at: path)
        #expect(FileManager.default.fileExists(atPath: path))
        let server = try ControlServer(path: path) { _ in .done("new") }
        defer { server.stop() }
        #expect(try reply(path, .ping) == .done("new"))
    }

    @Test(arguments: [#"{"nonsense": {}}"#, "[]", "hello", ""])
    func `a line that is no request is answered, not obeyed`(line: String) throws {
        let folder = try TemporaryFolder()
        let server = try ControlServer(path: folder.path("s.sock")) { _ in
            Issue.record("performed")
            return .done("")
        }
        defer { server.stop() }
        let answer = try #require(try ask(folder.path("s.sock"), line))
        #expect(try JSONDecoder().decode(StoreReply.self, from: Data(answer.utf8)).exitCode == ExitStatus.usage)
    }

    @Test func `a client that only looks whether somebody is there disturbs nothing`() throws {
        let folder = try TemporaryFolder()
        let server = try ControlServer(path: folder.path("s.sock")) { _ in .done("still here") }
        defer { server.stop() }
        for _ in 0..<50 { _ = try UnixSocket.connected(to: folder.path("s.sock")) }
        // Those fifty may still be leaving.
        var answer = StoreReply(VerbFailure.unavailable(""))
        for _ in 0..<1_000 where answer.exitCode == ExitStatus.unavailable {
            answer = try reply(folder.path("s.sock"), .ping)
        }
        #expect(answer == .done("still here"))
    }

    @Test func `a path longer than a socket's may be works all the same`() throws {
        let folder = try TemporaryFolder()
        let long = folder.url.appending(path: String(repeating: "d", count: 120))
        try FileManager.default.createDirectory(at: long, withIntermediateDirectories: true)
        let path = long.appending(path: "quantrac.db.sock").path(percentEncoded: false)
        let server = try ControlServer(path: path) { _ in .done("far away") }
        defer { server.stop() }
        #expect(try reply(path, .ping) == .done("far away"))
    }

    @Test func `many clients at once all get an answer`() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("s.sock")
        let server = try ControlServer(path: path) { _ in .done("yes") }
        defer { server.stop() }
        let answers = await withTaskGroup(of: Int32?.self) { group in
            for _ in 0..<40 { group.addTask { try? reply(path, .ping).exitCode } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        // More than the limit at the same moment are told to come back; none is left without a word.
        #expect(answers.allSatisfy { $0 == ExitStatus.done || $0 == ExitStatus.unavailable })
        #expect(answers.contains(ExitStatus.done))
    }
}
