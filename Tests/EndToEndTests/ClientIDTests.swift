import Foundation
import Testing

extension EndToEnd {
    /// A client id belongs to one service: MQTT would let two throw each other out for ever.
    @Suite(.serialized)
    struct ClientIDTests {
        private let time = nowMilliseconds() / 1_000 * 1_000 - 120_000
        private let telemetry = "quantrac/v1/nd-dust-1/telemetry"

        private func message(_ number: Int) -> String {
            #"{"ts": \#(time + Int64(number) * 1_000), "values": {"PM10": \#(number)}}"#
        }

        /// An installation of its own at the broker of another.
        private func neighbour(of first: Installation) throws -> Installation {
            let second = try Installation(settings: ["broker.port": "\(first.broker.port)"])
            try second.importStations(plainStations())
            return second
        }

        private func running() throws -> Installation {
            let first = try Installation()
            try first.broker.start()
            try first.importStations(plainStations())
            try first.start()
            return first
        }

        @Test func `a second service with the same client id ends with 75 and names host, process and store`() throws {
            let first = try self.running()
            let processID = try #require(first.service?.processID)
            let second = try self.neighbour(of: first)
            let result = try second.quantrac("serve", seconds: 30)
            #expect(result.exitCode == 75, "\(result.errors)")
            let refusal = try #require(result.errors.split(separator: "\n").last { $0.hasPrefix("quantrac: ") })
            #expect(refusal.contains("process \(processID) ") && refusal.contains(first.storePath), "\(refusal)")
            #expect(refusal.contains(ProcessInfo.processInfo.hostName), "\(refusal)")
            #expect(refusal.contains("broker.clientID quantrac"), "\(refusal)")
            // The first has noticed nothing.
            #expect(!first.log.contains("was lost"), "\(first.log)")
            try first.publish(self.telemetry, self.message(1))
            try first.awaitReadings(1)
            let doctor = try second.quantrac("doctor", "--json").rows
            let finding = doctor.first { $0["what"] as? String == "broker's session" }
            #expect(finding?["state"] as? String == "wrong" && "\(finding ?? [:])".contains(first.storePath))
            // An id of its own is all it needs.
            try second.set("broker.clientID", "quantrac-2")
            try second.start()
            try first.publish(self.telemetry, self.message(2))
            try second.awaitReadings(1)
            try first.awaitReadings(2)
        }

        @Test func `a killed service does not keep its successor from the session`() throws {
            let first = try self.running()
            first.killService()
            try first.publish(self.telemetry, self.message(1))
            let second = try self.neighbour(of: first)
            try second.start()
            // What waited for the session goes to whoever has it now.
            try second.awaitReadings(1)
            #expect(!second.log.contains("in use"), "\(second.log)")
        }

        @Test func `a record without its service, as a power cut leaves it, locks nobody out`() throws {
            let first = try Installation()
            try first.broker.start()
            try first.importStations(plainStations())
            let record = #"{"holder": {"run": "x", "host": "gone", "processID": 1, "store": "/gone.db"}}"#
            try first.publish("quantrac/v1/_quantrac/response", record, retain: true)
            try first.start()
            #expect(!first.log.contains("in use"), "\(first.log)")
            #expect(try first.quantrac("doctor", "--json").output.contains(first.storePath))
            // Its own record takes the place of the old one, and goes with it.
            #expect(try first.stopService() == 0)
            let left = try first.run([
                "mosquitto_sub", "-h", "127.0.0.1", "-p", "\(first.broker.port)", "-t",
                "quantrac/v1/_quantrac/response",
                "-W", "1",
            ])
            #expect(left.output.isEmpty, "\(left.output)")
        }

        @Test func `of two that find the broker at the same time one reads and the other says who does`() throws {
            let first = try Installation()
            let second = try self.neighbour(of: first)
            try first.importStations(plainStations())
            try first.launch()
            try second.launch()
            let sites = [first, second]
            try eventually("both know that the broker is away") { sites.allSatisfy { $0.health()?.status == 503 } }
            try first.broker.start()
            func winner() -> Installation? { sites.first { $0.health()?.status == 200 } }
            func isRefused(_ site: Installation) -> Bool {
                site.service?.exitCode == 75 || site.health()?.body.contains("is in use by process") == true
            }
            try eventually("one reads, the other is refused", seconds: 60) {
                guard let winner = winner(), let other = sites.first(where: { $0 !== winner }) else { return false }
                return isRefused(other)
            }
            let reading = try #require(winner())
            try first.publish(self.telemetry, self.message(1))
            try reading.awaitReadings(1)
            for site in sites where site !== reading { #expect(try site.readingCount() == 0) }
        }
    }
}
