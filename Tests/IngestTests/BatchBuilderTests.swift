import Alerting
import Foundation
import Monitoring
import Testing
import TimeSeriesStore

@testable import Ingest

@Suite struct BatchBuilderTests {
    @Test func `a message becomes a frame with its number, boot and readings`() throws {
        let bench = Bench()
        bench.telemetry(
            "a",
            #"{"seq": 7, "boot": "b1", "ts": \#(Bench.now), "values": {"PM10": 31.4, "SO2": 2}, "status": {"SO2": "01"}}"#
        )
        #expect(
            try bench.frameLines() == [
                "station 1 flags 1 set aside 0 seq 7 boot 'b1'", "  10 0 31.4 00", "  11 0 2.0 01",
            ])
        #expect(bench.builder.effects.isEmpty)
        #expect(bench.builder.numberedStations == [1])
    }

    @Test func `each value of a message has its own fate`() throws {
        let bench = Bench()
        bench.telemetry(
            "b", #"{"ts": \#(Bench.now), "values": {"PM10": null, "SO2": 4, "X": 1, "PM10b": "7"}}"#)
        #expect(try bench.frameLines() == ["station 2 flags 0 set aside 3", "  23 0 4.0 00"])
        let reasons = bench.builder.effects.quarantined.map { "\($0.parameter) \($0.reason.label)" }
        #expect(reasons == ["PM10 null", "X unknown-parameter", "PM10b unknown-parameter"])
    }

    @Test func `what was measured before a station's seal is set aside, and its clock is not blamed`() throws {
        let bench = Bench(sealedBefore: Bench.now - 1_000)
        bench.telemetry(
            "a",
            #"{"samples": [{"ts": \#(Bench.now - 1_001), "values": {"PM10": 1, "SO2": null}}, "#
                + #"{"ts": \#(Bench.now - 1_000), "values": {"PM10": 2}}]}"#)
        #expect(try bench.frameLines() == ["station 1 flags 0 set aside 2", "  10 -1000 2.0 00"])
        let reasons = bench.builder.effects.quarantined.map { "\($0.parameter) \($0.reason.label)" }
        #expect(reasons == ["PM10 sealed", "SO2 null"])
        #expect(bench.builder.effects.incidents.isEmpty)
        // Out of all bounds is out of bounds first: that is what tells of a clock.
        bench.telemetry("a", #"{"ts": 1, "values": {"PM10": 1}}"#)
        #expect(bench.builder.effects.quarantined.last?.reason == .tooOld)
        #expect(bench.builder.effects.incidents.count == 1)
    }

    @Test(arguments: [
        ("nonsense", "not-json"), (#"{"values": {"PM10": 1}}"#, "no-time"), (#"{"ts": 1, "values": {}}"#, "empty"),
    ])
    func `an unreadable message is a dead letter with its payload, and still counts`(
        payload: String, reason: String
    ) throws {
        let bench = Bench()
        bench.telemetry("a", payload)
        #expect(try bench.frameLines() == ["station 1 flags 8 set aside 0"])
        let letter = try #require(bench.builder.effects.deadLetters.first)
        #expect(letter.reason.rawValue == reason && letter.payload == Array(payload.utf8) && letter.station == "a")
        #expect(letter.topic == "quantrac/v1/a/telemetry" && letter.sha256 == nil)
    }

    @Test func `a dead letter whose number is readable counts as received`() throws {
        let bench = Bench()
        bench.telemetry("a", #"{"seq": 9, "values": {"PM10": 1}}"#)
        #expect(try bench.frameLines() == ["station 1 flags 9 set aside 0 seq 9 boot ''"])
    }

    @Test func `an unknown station is a dead letter that says what to do`() throws {
        let bench = Bench()
        bench.telemetry("nobody", #"{"ts": 1, "values": {"PM10": 1}}"#)
        let letter = try #require(bench.builder.effects.deadLetters.first)
        #expect(letter.reason == .unknownStation && letter.station == "nobody")
        #expect(letter.detail.contains("station import"))
    }

    @Test func `a payload over the limit is kept as its beginning and its hash`() throws {
        let bench = Bench()
        let payload = "\"" + String(repeating: "x", count: 300_000) + "\""
        bench.telemetry("a", payload)
        let letter = try #require(bench.builder.effects.deadLetters.first)
        #expect(letter.reason == .tooLarge && letter.byteCount == 300_002)
        #expect(letter.payload.count == DeadLetter.payloadBytesMax && letter.sha256?.count == 64)
    }

    @Test func `a time that is not believed is set aside, and an incident names the clock once`() throws {
        let bench = Bench()
        for _ in 0..<2 {
            bench.telemetry("a", #"{"ts": \#(Bench.now + 300_001), "values": {"PM10": 1}}"#)
            bench.telemetry("b", #"{"ts": \#(Bench.now - 401 * 86_400_000), "values": {"PM10": 1}}"#)
        }
        #expect(bench.builder.effects.quarantined.map(\.reason) == [.tooNew, .tooOld, .tooNew, .tooOld])
        let opened = bench.builder.effects.incidents.compactMap { change in
            if case .open(_, _, let rule, let subject, _, _, _, _, _, _, _, _, _) = change {
                "\(rule) \(subject)"
            } else {
                nil
            }
        }
        #expect(opened == ["quantrac.clock station:1", "quantrac.clock station:2"])
        bench.builder.commit()
        bench.begin()
        bench.telemetry("a", #"{"ts": \#(Bench.now + 300_000), "values": {"PM10": 1}}"#)
        guard case .cleared(let rule, let subject, _)? = bench.builder.effects.incidents.first else {
            Issue.record("the incident did not clear")
            return
        }
        #expect(rule == "quantrac.clock" && subject == "station:1")
    }

    @Test func `our marker is no message, and no station can send it`() throws {
        let bench = Bench()
        bench.take("quantrac/v1/_quantrac/response", "1795420800000")
        #expect(bench.builder.markerMilliseconds == 1_795_420_800_000)
        #expect(bench.builder.frame.isEmpty && bench.builder.effects.isEmpty)
        bench.begin()
        bench.take("quantrac/v1/_other/response", "1")
        #expect(bench.builder.markerMilliseconds == nil && bench.builder.isEmpty)
        bench.take("quantrac/v1/_quantrac/history", "2")
        #expect(bench.builder.markerMilliseconds == 2 && bench.builder.isEmpty)
        // What services say to each other on the same topic, and the end of a record.
        bench.begin()
        for payload in [#"{"claim":"1"}"#, ""] { bench.take("quantrac/v1/_quantrac/response", payload) }
        #expect(bench.builder.markerMilliseconds == nil && bench.builder.isEmpty)
    }

    @Test func `an event is a row of its own, keyed by its id or its hash`() throws {
        let bench = Bench()
        bench.take("quantrac/v1/a/event", #"{"kind": "blast", "id": "7", "ppv": 3}"#)
        bench.take("quantrac/v1/a/event", #"{"kind": "ticket"}"#)
        bench.take("quantrac/v1/a/event", "[]")
        bench.take("quantrac/v1/a/event", #"{"kind": "weigh-ticket", "id": 4711, "net": 31.2}"#)
        #expect(bench.builder.effects.events.map(\.kind) == ["blast", "ticket", "weigh-ticket"])
        #expect(bench.builder.effects.events[0].id == "7" && bench.builder.effects.events[1].id.count == 64)
        #expect(bench.builder.effects.events[2].id == "4711")
        #expect(bench.builder.effects.deadLetters.count == 1)
    }

    @Test func `a transition is an incident and a message in the batch, once, and comes again after a roll-back`()
        throws
    {
        let rule = Rule(
            id: "high", parameter: ParameterID("PM10")!, condition: .above(100), severity: .warning, notify: ["duty"])
        let bench = Bench(rules: [rule])
        func breach() -> (Int, [String]) {
            bench.begin()
            bench.telemetry("a", #"{"ts": \#(Bench.now), "values": {"PM10": 150}}"#)
            bench.builder.finish()
            return (bench.builder.effects.incidents.count, bench.builder.effects.outbox.map(\.key))
        }
        let first = breach()
        #expect(first.0 == 2 && first.1 == ["high/a/PM10/\(Bench.now)/1-opened/duty"])
        bench.builder.rollBack()
        #expect(breach() == first)
        bench.builder.commit()
        #expect(breach() == (0, []))
    }
}

@Suite struct StoredPayloadTests {
    @Test func `a device may free what is confirmed, and is told its gaps`() {
        var account = SequenceAccount(boot: Array("b\"2".utf8), opened: 1, firstSequence: 1)
        for number: Int64 in [2, 3, 7] { _ = account.receive(number) }
        let text = String(decoding: StoredPayload.bytes([account], nowMilliseconds: 5), as: UTF8.self)
        #expect(text == #"{"at": 5, "boots": [{"boot": "b\"2", "from": 1, "through": 7, "gaps": [[4, 6]]}]}"#)
    }

    @Test func `with more gaps than fit nothing beyond the last one told is confirmed`() {
        var account = SequenceAccount(boot: [], opened: 1, firstSequence: 0)
        for number in stride(from: Int64(2), through: 200, by: 2) { _ = account.receive(number) }
        let text = String(decoding: StoredPayload.bytes([account], nowMilliseconds: 5), as: UTF8.self)
        #expect(text.contains(#""through": 64,"#) && text.contains("[63, 63]]") && !text.contains("65"))
    }
}

@Suite struct BackOffTests {
    @Test func `back-off doubles from one to thirty seconds and starts again after success`() {
        var backOff = BackOff()
        var now: Int64 = 0
        var waits: [Int64] = []
        for _ in 0..<7 {
            backOff.failed(now)
            let start = now
            while !backOff.isDue(now) { now += 500 }
            waits.append(now - start)
        }
        #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
        backOff.succeeded()
        #expect(backOff.isDue(0))
    }
}
