import Monitoring
import Simulation
import Testing

struct FaultTests {
    static let day: Int64 = 86_400_000
    private let parameters = [parameter("PM10"), parameter("SO2"), parameter("Tonnage", decimals: 2, kind: .counter)]
    /// The clock of the service: a little after the last sample.
    private let clock = monday + 30 * Self.day

    private func rates(_ text: String) -> FaultRates { (try? FaultRates.parse(text)) ?? .none }

    /// Samples of one station, a minute apart, after its faults.
    private func samples(_ faults: String, count: Int = 2_000, seed: UInt64 = 11) -> [[Sample]] {
        var field = SampleFaults(rates: self.rates(faults), seed: seed)
        return (0..<Int64(count)).map { index in
            let clean = sample(
                at: monday + index * 60_000, Quantity(30 + Double(index % 7), decimals: 1),
                Quantity(8 + Double(index % 5), decimals: 1), Quantity(Double(index), decimals: 2))
            return field.apply(clean, parameters: self.parameters)
        }
    }

    private func fates(_ samples: some Sequence<Sample>) -> [String: Int] {
        var ledger = FateLedger(oldestMilliseconds: 400 * Self.day, newestMilliseconds: 300_000)
        var counts: [String: Int] = [:]
        for sample in samples {
            for value in sample.values {
                let fate = ledger.fate(
                    station: 0, value, timeMilliseconds: sample.timeMilliseconds, clockMilliseconds: self.clock)
                counts[fate.reason ?? fate.word, default: 0] += 1
            }
        }
        return counts
    }

    /// What leaves the station for a number of messages.
    private func messages(_ faults: String, count: Int = 3_000, seed: UInt64 = 5) -> [OutgoingMessage] {
        var wire = WireFaults(rates: self.rates(faults), seed: seed)
        let format = MessageFormat(parameters: self.parameters, boot: "b1")
        var leaving: [OutgoingMessage] = []
        for index in 1...Int64(count) {
            let clean = sample(at: monday + index * 60_000, Quantity(31.4, decimals: 1))
            leaving += wire.process(OutgoingMessage(seq: index, body: .samples([clean])), format: format)
        }
        return leaving + wire.flush()
    }

    @Test func `without faults every value is stored`() {
        #expect(self.fates(self.samples("").joined()) == ["stored": 6_000])
    }

    @Test func `a drop-out loses values and nothing else`() {
        let samples = self.samples("drop-out:0.01")
        let fates = self.fates(samples.joined())
        #expect(fates.keys.sorted() == ["stored"])
        #expect((fates["stored"] ?? 0) < 5_900)
        #expect(samples.contains { $0.isEmpty })
        #expect(samples.contains { $0.first?.values.count == 2 })
    }

    @Test func `a stuck instrument repeats its value`() {
        let values = self.samples("stuck:0.01").compactMap { $0.first?.values[0].quantity }
        let longestRun = values.reduce(into: (run: 0, longest: 0, last: Quantity?.none)) { state, value in
            state.run = value == state.last ? state.run + 1 : 1
            state.longest = max(state.longest, state.run)
            state.last = value
        }.longest
        #expect(longestRun >= 10)
    }

    @Test func `a spike is far from its neighbours`() {
        let values = self.samples("spike:0.01").compactMap { $0.first?.values[0].quantity.number }
        #expect((3...20).contains(values.filter { $0 > 200 }.count))
    }

    @Test func `a drift grows slowly and never touches a counter`() {
        let samples = self.samples("drift:0.01")
        #expect(samples.enumerated().allSatisfy { $1[0].values[2].quantity == Quantity(Double($0), decimals: 2) })
        let outside = samples.filter {
            !(29.9...36.1).contains($0[0].values[0].quantity.number ?? 0)
                || !(7.9...12.1).contains($0[0].values[1].quantity.number ?? 0)
        }
        #expect(outside.count > 100)
    }

    @Test func `a calibration has status 01 and is stored`() {
        let samples = self.samples("calibration:0.01")
        #expect(samples.joined().contains { $0.values.contains { $0.status == .calibrating } })
        #expect(self.fates(samples.joined()) == ["stored": 6_000])
    }

    @Test func `a wrong clock is quarantined when it is out of bounds, else stored beside the truth`() {
        let fates = self.fates(self.samples("clock-skew:0.02", count: 5_000).joined())
        #expect((fates["too-old"] ?? 0) > 0)
        #expect(Set(fates.keys).isSubset(of: ["stored", "too-old", "too-new"]))
        #expect(fates.values.reduce(0, +) == 15_000)
    }

    @Test func `a clock ahead of the service is too new`() {
        var ledger = FateLedger(oldestMilliseconds: 400 * Self.day, newestMilliseconds: 300_000)
        let value = SampleValue(parameterIndex: 0, quantity: Quantity(1, decimals: 1))
        func fate(_ offset: Int64) -> ExpectedFate {
            ledger.fate(station: 0, value, timeMilliseconds: self.clock + offset, clockMilliseconds: self.clock)
        }
        #expect(fate(300_001) == .quarantined(.tooNew))
        #expect(fate(300_000) == .stored)
        #expect(fate(-400 * Self.day) == .stored)
        #expect(fate(-400 * Self.day - 1) == .quarantined(.tooOld))
    }

    @Test func `after midnight the date may lag a day, which meets yesterday's readings`() {
        let samples = self.samples("midnight-jump:1", count: 3 * 1_440).compactMap(\.first)
        let jumped = samples.filter { $0.timeMilliseconds == $0.recordedMilliseconds - Self.day }
        #expect((2...20).contains(jumped.count))
        #expect(jumped.allSatisfy { localHour($0.recordedMilliseconds) == 0 })
        #expect((self.fates(samples)["revised"] ?? 0) > 0)
    }

    @Test func `a correction is a revision of the same moment`() {
        let samples = self.samples("revision:0.05")
        let corrected = samples.filter { $0.count == 2 }
        #expect(corrected.count > 50)
        #expect(corrected.allSatisfy { $0[0].timeMilliseconds == $0[1].timeMilliseconds })
        let fates = self.fates(samples.joined())
        #expect(fates["revised"] == corrected.count)
        #expect(fates["duplicate"] == corrected.count * 2)
        #expect(fates["stored"] == 6_000)
    }

    @Test func `an old version sent again is a duplicate, not a revision`() {
        var ledger = FateLedger(oldestMilliseconds: 400 * Self.day, newestMilliseconds: 300_000)
        let fates = [31.4, 32.0, 31.4, 32.0].map { number in
            ledger.fate(
                station: 0, SampleValue(parameterIndex: 0, quantity: Quantity(number, decimals: 1)),
                timeMilliseconds: monday, clockMilliseconds: self.clock)
        }
        #expect(fates == [.stored, .revised, .duplicate, .duplicate])
    }

    @Test func `a poisoned value is quarantined alone`() {
        let samples = self.samples("poison:0.2", count: 4_000)
        let fates = self.fates(samples.joined())
        #expect(
            Set(fates.keys) == ["stored", "null", "not-a-number", "not-finite", "bad-status", "unknown-parameter"])
        let poisoned = fates.filter { $0.key != "stored" && $0.key != "unknown-parameter" }.values.reduce(0, +)
        #expect(fates["stored"] == 12_000 - poisoned)
    }

    @Test func `an offline burst cuts the link, not the measuring`() {
        var field = SampleFaults(rates: self.rates("offline-burst:0.01"), seed: 3)
        var offline = 0
        for index in 0..<2_000 as Range<Int64> {
            let kept = field.apply(
                sample(at: monday + index * 60_000, Quantity(1, decimals: 0)), parameters: self.parameters)
            #expect(kept.count == 1)
            if field.isOffline { offline += 1 }
        }
        #expect((200...1_999).contains(offline))
    }

    @Test func `a duplicate follows its original and is marked`() {
        let messages = self.messages("duplicate:0.1")
        let copies = messages.indices.filter { messages[$0].isCopy }
        #expect((200...400).contains(copies.count))
        #expect(copies.allSatisfy { messages[$0 - 1].seq == messages[$0].seq && !messages[$0 - 1].isCopy })
    }

    @Test func `reordering loses nothing`() {
        let seqs = self.messages("reorder:0.1").compactMap(\.seq)
        #expect(seqs != seqs.sorted())
        #expect(seqs.sorted() == Array(1...3_000))
    }

    @Test func `every class of unreadable message occurs, outside the account of seqs`() {
        let messages = self.messages("poison:0.4")
        var reasons: [String: Int] = [:]
        for message in messages {
            guard case .unreadable(let bytes, _, let reason) = message.body else { continue }
            reasons[reason, default: 0] += 1
            #expect(message.seq == nil && !bytes.isEmpty)
        }
        #expect(
            Set(reasons.keys) == [
                "not-json", "no-time", "bad-time", "duplicate-key", "empty", "invalid-utf8", "too-deep", "bad-shape",
            ])
        #expect(Set(reasons.keys).isSubset(of: Set(DeadLetterReason.allCases.map(\.rawValue))))
        #expect(messages.compactMap(\.seq) == Array(1...3_000))
    }

    @Test func `a list of faults is read with its rates`() throws {
        let rates = try FaultRates.parse("duplicate:0.25,reorder,poison:0")
        #expect(rates[.duplicate] == 0.25 && rates[.reorder] > 0 && rates[.poison] == 0 && rates[.spike] == 0)
        #expect(Fault.allCases.allSatisfy { (try? FaultRates.parse("all"))?[$0] ?? 0 > 0 })
    }

    @Test(arguments: ["duplicates", "duplicate:x", "duplicate:2", "duplicate:-1", "duplicate:nan"])
    func `an unknown fault or impossible rate is refused`(text: String) {
        #expect(throws: FaultRates.ParseError.self) { try FaultRates.parse(text) }
    }
}
