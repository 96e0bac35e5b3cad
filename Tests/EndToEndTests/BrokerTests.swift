import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EndToEnd {
    @Suite(.serialized)
    struct BrokerTests {
        private let time = nowMilliseconds() / 1_000 * 1_000 - 120_000
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"

        private func message(_ number: Int) -> String {
            #"{"seq": \#(number), "boot": "b", "ts": \#(time + Int64(number) * 100), "values": {"PM10": \#(number)}}"#
        }

        @Test func `a broker restart is noticed, told and caught up with`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            try site.publish(self.telemetry, self.message(1))
            try site.awaitReadings(1)
            try site.broker.stop()
            try eventually("the service says that the broker is away", seconds: 20) { site.health()?.status == 503 }
            let reasons = (site.health()?.json as? [String: Any])?["reasons"] as? [String]
            #expect(reasons?.joined().contains("broker") == true, "\(reasons ?? [])")
            #expect(site.metric("quantrac_broker_connected") == 0)
            #expect(site.service?.isRunning == true)
            try site.broker.start()
            // The session outlived the restart: this is queued for us at once, or delivered directly.
            try site.publish(self.telemetry, self.message(2))
            try site.awaitHealthy()
            try site.awaitReadings(2)
            #expect(try site.export().map { $0[5] } == ["1", "2"])
        }

        @Test func `what is published while the service is down waits for it`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            #expect(try site.stopService() == 0)
            try site.publish(self.telemetry, lines: (1...3_000).map { self.message($0) })
            try site.broker.stop()
            try site.broker.start()
            try site.start()
            try site.awaitReadings(3_000)
            #expect(try site.export().map { $0[5] } == (1...3_000).map { "\($0)" })
        }

        @Test func `a session lost at the broker is subscribed anew and said`() throws {
            let site = try Installation()
            try site.broker.start()
            try site.importStations(plainStations())
            try site.start()
            try site.publish(self.telemetry, self.message(1))
            try site.awaitReadings(1)
            try site.broker.stop()
            try FileManager.default.removeItem(atPath: site.broker.persistenceFile)
            try site.broker.start()
            try site.awaitHealthy()
            try site.publish(self.telemetry, self.message(2))
            try site.awaitReadings(2)
            #expect(site.log.contains("no session of ours"), "\(site.log)")
        }

        @Test func `wrong credentials are said, retried, and mended without a restart`() throws {
            let folder = try Folder()
            let passwords = folder.file("passwords")
            let ours = try folder.write("our-password", "wrong\n")
            let site = try Installation(
                settings: ["broker.username": "quantrac", "broker.passwordFile": ours], passwordFile: passwords,
                folder: folder)
            let made = try site.run(["mosquitto_passwd", "-b", "-c", passwords, "quantrac", "right"])
            try #require(made.exitCode == 0, "\(made.errors)")
            try site.broker.start()
            try site.importStations(plainStations())
            try site.launch()
            try eventually("the refusal is logged") {
                site.service?.isRunning == true && site.log.lowercased().contains("not authorised")
            }
            try eventually("the health says it") { site.health()?.status == 503 }
            #expect(site.health()?.body.lowercased().contains("not authorised") == true)
            // Mended at the broker: the service tries again by itself.
            #expect(try site.run(["mosquitto_passwd", "-b", passwords, "quantrac", "wrong"]).exitCode == 0)
            site.broker.child?.signal(SIGHUP)
            try site.awaitHealthy()
            // Mended on our side, with a restart.
            #expect(try site.run(["mosquitto_passwd", "-b", passwords, "quantrac", "better"]).exitCode == 0)
            site.broker.child?.signal(SIGHUP)
            #expect(try site.stopService() == 0)
            try folder.write("our-password", "better\n")
            try site.start()
        }

        @Test func `a service without a broker runs, says so, and connects when it comes`() throws {
            let site = try Installation()
            try site.importStations(plainStations())
            try site.launch()
            try eventually("the service answers") { site.health()?.status == 503 }
            try eventually("the log names the broker") { site.log.contains("\(site.broker.port)") }
            try site.broker.start()
            try site.awaitHealthy()
        }
    }
}
