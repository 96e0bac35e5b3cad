import Foundation
import Testing

extension EndToEnd {
    @Suite(.serialized)
    struct ConfigurationTests {
        @Test func `an unknown setting ends the service with 2 and names file, line and key`() throws {
            let site = try Installation(settings: ["store.mergeSecond": "5"])
            let result = try site.quantrac("serve", seconds: 20)
            #expect(result.exitCode == 2)
            let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
            let line = try #require(text.split(separator: "\n").firstIndex { $0.contains("mergeSecond:") }) + 1
            #expect(result.errors.contains("mergeSecond"), "\(result.errors)")
            #expect(result.errors.contains("\(line)"), "\(result.errors)")
        }

        @Test func `a missing configuration file is a usage error that names it`() throws {
            let site = try Installation()
            let result = try site.run(
                [Places.quantrac, "serve", "--config", site.folder.file("none.yaml")], seconds: 20)
            #expect(result.exitCode == 2)
            #expect(result.errors.contains("none.yaml"))
        }

        @Test func `an unknown QUANTRAC variable is an error`() throws {
            let site = try Installation()
            let child = try Child(
                [Places.quantrac, "status", "--config", site.configuration], log: site.folder.file("env"),
                environment: ["QUANTRAC_BROKER_HOTS": "127.0.0.1"])
            #expect(try child.wait(seconds: 20) == 2)
            #expect(child.errors.contains("QUANTRAC_BROKER_HOTS"))
        }

        @Test func `a second service on the same file ends with 75 and names the first`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            let first = try #require(site.service?.processID)
            let second = try site.quantrac("serve", seconds: 20)
            #expect(second.exitCode == 75)
            #expect(second.errors.contains("\(first)"), "\(second.errors)")
            #expect(site.service?.isRunning == true)
            #expect(site.health()?.status == 200)
        }

        @Test func `doctor proves that the library withholds acknowledgements`() throws {
            let site = try Installation()
            let result = try site.quantrac("doctor", "--json", seconds: 30)
            let finding = try #require(result.rows.first { $0["what"] as? String == "acknowledgements" })
            #expect(finding["state"] as? String == "good", "\(finding)")
            #expect((finding["detail"] as? String)?.hasPrefix("libmosquitto ") == true)
            // Only the broker, which is not there, is wrong.
            #expect(result.exitCode == 1, "\(result.errors)")
            let wrong = result.rows.filter { $0["state"] as? String == "wrong" }.map { $0["what"] as? String }
            #expect(wrong == ["broker"])
        }

        @Test func `a taken HTTP port ends the service and names the port`() throws {
            let taken = try Listener()
            defer { taken.close() }
            let site = try Installation(settings: ["http.port": "\(taken.port)"])
            try site.broker.start()
            let result = try site.quantrac("serve", seconds: 30)
            #expect(result.exitCode != 0)
            #expect(result.errors.contains("\(taken.port)"), "\(result.errors)")
        }
    }
}
