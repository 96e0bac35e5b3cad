import Dispatch
import Foundation
import HTTPTypes
import Hummingbird
import Monitoring
import Testing
import TimeSeriesStore

@testable import WebServer

struct RouteTests {
    private func store() throws -> TestStore {
        try TestStore([.station("st-1", [("PM10", "µg/m³", false), ("SO2", "µg/m³", false)])])
    }

    @Test func `stations carry their parameters and last readings`() async throws {
        let store = try self.store()
        try store.commit(
            store.series("st-1", "PM10"),
            [(time: 5_000, value: 1, status: .measuring), (time: 4_000, value: 2, status: .measuring)],
            receivedSeconds: 6)
        let answer = try await RouterProbe(store).get("/api/v1/stations")
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType]?.hasPrefix("application/json") == true)
        #expect(
            answer.body
                == #"[{"id":"st-1","name":"Trạm st-1","site":"na-duong","kind":"ambient-air","latitude":21.5,"#
                + #""longitude":null,"online":null,"lastReceived":6000,"#
                + #""parameters":[{"id":"PM10","unit":"µg/m³","interval":300000,"fresh":true,"#
                + #""last":{"time":5000,"value":1,"status":"00"}},"#
                + #"{"id":"SO2","unit":"µg/m³","interval":300000,"fresh":false,"last":null}]}]"#)
    }

    @Test(arguments: [
        ("/api/v1/series/st-9/PM10", 404, "st-9"), ("/api/v1/series/st-1/NO", 404, "NO"),
        ("/api/v1/series/%20/PM10", 404, "no station"), ("/api/v1/nothing", 404, "/api/v1/nothing"),
        ("/api/v1/series/st-1/PM10?level=9h", 400, "level: 9h"),
        ("/api/v1/series/st-1/PM10?from=2026-01-01T00:00:00", 400, "from: "),
        ("/api/v1/incidents?open=1", 400, "open: 1"),
        ("/api/v1/incidents?all=true", 400, "allowed: open"),
    ])
    func `what cannot be answered says why, as JSON`(path: String, status: Int, text: String) async throws {
        let answer = try await RouterProbe(try self.store()).get(path)
        #expect(answer.status == status)
        #expect(answer.error.contains(text), "\(answer.body)")
    }

    @Test func `times in a query may have their plus sign encoded or not`() async throws {
        let probe = RouterProbe(try self.store())
        for sign in ["%2B", "+"] {
            let answer = try await probe.get(
                "/api/v1/series/st-1/PM10?from=2026-11-23T00:00:00\(sign)07:00&to=2026-11-24T00:00:00Z")
            #expect(answer.status == 200, "\(answer.body)")
        }
    }

    @Test func `health is 200 when well and 503 with the reasons when not`() async throws {
        let store = try self.store()
        let well = try await RouterProbe(store).get("/healthz")
        #expect(well.status == 200)
        #expect(try well.object()["clockOffsetSeconds"] as? Double == 0.001)
        let ill = try await RouterProbe(
            store,
            health: {
                HealthReport(
                    reasons: ["the broker does not answer"], isBrokerConnected: false, isCaughtUp: false,
                    lastCommitMilliseconds: nil, clockOffsetSeconds: nil)
            }
        ).get("/healthz")
        #expect(ill.status == 503)
        let object = try ill.object()
        #expect(object["status"] as? String == "unhealthy")
        #expect(object["reasons"] as? [String] == ["the broker does not answer"])
        #expect(object["clockOffsetSeconds"] is NSNull)
    }

    @Test func `metrics have the promised names, kinds and counts`() async throws {
        let metrics = ServiceMetrics()
        metrics.messagesReceived.add(3)
        metrics.readingsStored.add(41)
        metrics.brokerConnected.set(true)
        metrics.commitSeconds.record(.microseconds(700))
        metrics.commitSeconds.record(.milliseconds(3))
        metrics.commitSeconds.record(.seconds(60))
        let answer = try await RouterProbe(try self.store(), metrics: metrics).get("/metrics")
        let lines = Set(answer.body.split(separator: "\n").map(String.init))
        let promised = [
            "quantrac_messages_received_total": "counter", "quantrac_messages_qos0_total": "counter",
            "quantrac_readings_stored_total": "counter", "quantrac_readings_duplicate_total": "counter",
            "quantrac_readings_revised_total": "counter", "quantrac_readings_quarantined_total": "counter",
            "quantrac_readings_undecided": "gauge", "quantrac_dead_letters_total": "counter",
            "quantrac_commit_seconds": "histogram", "quantrac_head_readings": "gauge", "quantrac_head_bytes": "gauge",
            "quantrac_journal_bytes": "gauge", "quantrac_wal_bytes": "gauge", "quantrac_broker_connected": "gauge",
            "quantrac_caught_up": "gauge", "quantrac_disk_free_bytes": "gauge",
        ]
        for (name, kind) in promised {
            #expect(lines.contains("# TYPE \(name) \(kind)"), "\(name)")
            #expect(lines.contains { $0.hasPrefix("# HELP \(name) ") }, "\(name)")
        }
        #expect(
            lines.isSuperset(of: [
                "quantrac_messages_received_total 3", "quantrac_readings_stored_total 41",
                "quantrac_broker_connected 1",
                "quantrac_caught_up 0", "quantrac_commit_seconds_bucket{le=\"0.0005\"} 0",
                "quantrac_commit_seconds_bucket{le=\"0.001\"} 1", "quantrac_commit_seconds_bucket{le=\"0.005\"} 2",
                "quantrac_commit_seconds_bucket{le=\"5.0\"} 2", "quantrac_commit_seconds_bucket{le=\"+Inf\"} 3",
                "quantrac_commit_seconds_count 3", "quantrac_commit_seconds_sum 60.0037",
            ]))
    }

    @Test func `incidents are the open ones unless all are asked for`() async throws {
        let store = try self.store()
        var effects = BatchEffects()
        for id in [1, 2] as [Int64] {
            effects.incidents.append(
                .open(
                    id: id, name: "n-\(id)", rule: "pm10-high-\(id)", subject: "series:1",
                    series: store.series("st-1", "PM10").number,
                    station: nil, severity: "warning", openedMilliseconds: 10, sinceMilliseconds: 5, value: 120,
                    bound: 100, foundLate: false, detail: ""))
        }
        effects.incidents.append(.cleared(rule: "pm10-high-1", subject: "series:1", atMilliseconds: 20))
        try store.commit(effects)
        let open = try await RouterProbe(store).get("/api/v1/incidents")
        let all = try await RouterProbe(store).get("/api/v1/incidents?open=false")
        let openRows = try #require(try open.json() as? [[String: Any]])
        #expect(openRows.map { $0["rule"] as? String } == ["pm10-high-2"])
        #expect(openRows.first?["station"] as? String == "st-1" && openRows.first?["limit"] as? Int == 100)
        #expect((try all.json() as? [Any])?.count == 2)
        let status = try await RouterProbe(store).get("/api/v1/status").object()
        #expect(status["openIncidents"] as? Int == 1)
        #expect(status["stations"] as? Int == 1 && status["series"] as? Int == 2)
    }

    @Test func `the front page leads to the rest and HEAD works`() async throws {
        let probe = RouterProbe(try self.store())
        #expect(try await probe.get("/").body.contains("/api/v1/stations"))
        #expect(try await probe.get("/healthz", method: .head).status == 200)
    }

    @Test func `too many reads at once are told to come back`() async throws {
        let threads = ReadingThreads(atOnceMax: 1, waitingMax: 1)
        let probe = RouterProbe(try self.store(), threads: threads)
        let started = AsyncStream.makeStream(of: Void.self)
        let release = DispatchSemaphore(value: 0)
        async let first: Void = threads.run {
            started.continuation.yield()
            release.wait()
        }
        for await _ in started.stream { break }
        async let second = probe.get("/api/v1/stations")
        while threads.waitingCount == 0 { await Task.yield() }
        let third = try await probe.get("/api/v1/stations")
        #expect(third.status == 503)
        #expect(third.headers[.retryAfter] == "1")
        #expect(third.error.contains("too many"))
        release.signal()
        try await first
        #expect(try await second.status == 200)
    }
}
