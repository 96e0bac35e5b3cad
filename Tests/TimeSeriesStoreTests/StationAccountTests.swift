import Monitoring
import Testing
import TimeSeriesStore

/// The account of a random day, against what was done to it minute by minute.
struct StationAccountTests {
    private static let minute: Int64 = 60_000
    private static let base = TestStations.baseMilliseconds
    private static let minutes = 200

    /// What becomes of the reading of a minute.
    private enum Fate: CaseIterable {
        case valid
        case calibrating
        /// The message comes without the second parameter.
        case half
        case silent
        /// Sent and numbered, and never received.
        case lost
        case deadLetter
        /// Only the first parameter is refused; the second is not in the message.
        case quarantined
    }

    private static func time(_ minute: Int) -> Int64 { self.base + Int64(minute) * self.minute }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(12))
    func `every missing minute has the cause that was done to it`(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        var fates: [Fate] = []
        while fates.count < Self.minutes {
            let fate = random.chance(50) ? .valid : random.pick(Fate.allCases)
            fates += Array(repeating: fate, count: random.int(1...6))
        }
        fates = Array(fates.prefix(Self.minutes))
        // The first reading begins the account, the last one ends it.
        fates[0] = .valid
        fates[Self.minutes - 1] = .valid
        let outages = Self.outages(&random)
        let store = try TestStore()
        try store.importStations()
        for outage in outages { try Self.record(outage, store) }
        try Self.send(fates, to: store, &random)

        let now = Self.time(Self.minutes) + 1_000
        let (reader, ledgers) = try StoreReader.open(
            path: store.path, defaultZone: "Asia/Ho_Chi_Minh",
            ledgersOf: { site in
                site.zone.localDay(at: Self.base)...site.zone.localDay(at: Self.base)
            })
        let station = try #require(reader.registry.stations.first { $0.id.text == "hcm-1" })
        let account = try StationAccountReader(
            reader: reader, ledgers: ledgers, nowMilliseconds: now, silentCrash: nil
        ).account(of: station, day: Self.base / 86_400_000)
        #expect(account.imbalance == nil && account.isOpen, "seed \(seed)")
        #expect(account.firstMilliseconds == Self.base, "seed \(seed)")
        for (position, name) in ["PM10", "Rain"].enumerated() {
            let parameter = try #require(ParameterID(name))
            var found: [Int: GapCause] = [:]
            for gap in account.gaps where gap.parameters.contains(parameter) {
                #expect(!gap.range.isEmpty && gap.count > 0, "seed \(seed)")
                for minute in 0..<Self.minutes where gap.range.contains(Self.time(minute)) {
                    #expect(found[minute] == nil, "seed \(seed), minute \(minute) twice")
                    found[minute] = gap.cause
                    #expect((gap.cause == .outage) == (gap.outage != nil), "seed \(seed)")
                    #expect((gap.cause == .sequence) == !gap.holes.isEmpty, "seed \(seed)")
                    #expect((gap.cause == .refused) == !gap.refused.isEmpty, "seed \(seed)")
                }
            }
            let expected = Self.expected(fates, outages, isSecond: position == 1)
            #expect(found == expected, "seed \(seed), \(name): \(fates), \(outages)")
            let row = try #require(account.parameters.first { $0.id == parameter })
            #expect(row.missing == expected.count { $0.value != .calibrating }, "seed \(seed)")
            #expect(row.present == Self.minutes - row.missing, "seed \(seed)")
            #expect(row.calibrating == expected.count { $0.value == .calibrating }, "seed \(seed)")
            #expect(row.dueSoFar == Self.minutes && row.due == 17 * 60, "seed \(seed)")
        }
        #expect(account.refused.messages.values.reduce(0, +) == fates.count { $0 == .deadLetter }, "seed \(seed)")
        #expect(account.refused.values.values.reduce(0, +) == fates.count { $0 == .quarantined }, "seed \(seed)")
        let missing = fates.count { $0 == .lost }
        #expect(account.numbered.reduce(0) { $0 + $1.missingCount } == Int64(missing), "seed \(seed)")
    }

    private static func outages(_ random: inout TestRandom) -> [Range<Int>] {
        var outages: [Range<Int>] = []
        var minute = random.int(0...60)
        while minute < Self.minutes - 1 {
            let end = min(minute + random.int(1...8), Self.minutes - 1)
            outages.append(minute..<end)
            minute = end + random.int(0...80)
        }
        return outages
    }

    private static func record(_ outage: Range<Int>, _ store: TestStore) throws {
        var change = OutageChange()
        change.opening = OutageRow(
            beganMilliseconds: self.time(outage.lowerBound), endedMilliseconds: self.time(outage.upperBound),
            cause: .broker, detail: "", versionBefore: "1", versionAfter: "2")
        try store.writer.record(change)
    }

    private static func send(_ fates: [Fate], to store: TestStore, _ random: inout TestRandom) throws {
        let first = store.series("hcm-1", "PM10")
        let second = store.series("hcm-1", "Rain")
        let station = store.writer.registry.station(of: first).number
        var number: Int64 = 0
        for (minute, fate) in fates.enumerated() {
            let time = Self.time(minute)
            var message = TestMessage(station: station)
            var effects = BatchEffects()
            if [.valid, .calibrating, .half, .lost].contains(fate) {
                number += 1
                message.sequence = number
                message.boot = "b"
            }
            let status: Status = fate == .calibrating ? .calibrating : .measuring
            switch fate {
            case .silent, .lost: continue
            case .valid, .calibrating, .half:
                let series = fate == .half ? [first] : [first, second]
                message.samples = [
                    TestSample(
                        timeMilliseconds: time,
                        readings: series.map { TestReading(series: $0.number, value: 1, status: status) })
                ]
            case .deadLetter:
                message.isDeadLetter = true
                effects.deadLetters = [
                    DeadLetter(
                        receivedMilliseconds: time + 900, topic: "t", station: "hcm-1", reason: .notJSON, detail: "",
                        byteCount: 1, payload: [1], sha256: nil)
                ]
            case .quarantined:
                message.quarantinedCount = 1
                effects.quarantined = [
                    QuarantinedValue(
                        receivedMilliseconds: time + 900, station: "hcm-1", parameter: "PM10", timeMilliseconds: time,
                        value: nil, text: "x", status: "00", reason: .notANumber)
                ]
            }
            try store.commit(TestFrame(receivedMilliseconds: time + 900, messages: [message]), effects)
            switch random.int(0...30) {
            case 0: try store.writer.mergeEverything(nowMilliseconds: time)
            case 1: try store.writer.foldLedger(alertSnapshot: [UInt8(minute)])
            case 2: try store.crash()
            default: break
            }
        }
    }

    /// Minute by minute: what is missing, and the first cause that holds.
    private static func expected(
        _ fates: [Fate], _ outages: [Range<Int>], isSecond: Bool
    ) -> [Int: GapCause] {
        var expected: [Int: GapCause] = [:]
        for (minute, fate) in fates.enumerated() {
            let isThere = fate == .valid || fate == .calibrating || (fate == .half && !isSecond)
            if isThere {
                if fate == .calibrating { expected[minute] = .calibrating }
                continue
            }
            if outages.contains(where: { $0.contains(minute) }) {
                expected[minute] = .outage
            } else if fate == .deadLetter || (fate == .quarantined && !isSecond) {
                expected[minute] = .refused
            } else {
                // From the message before to the message after: is a number missing in between?
                func isNumbered(_ fate: Fate) -> Bool { fate == .valid || fate == .calibrating || fate == .half }
                let before = fates[..<minute].lastIndex(where: isNumbered) ?? 0
                let after = fates[minute...].firstIndex(where: isNumbered) ?? fates.count
                let isLost = before < after && after != minute && fates[before..<after].contains(.lost)
                expected[minute] = isLost ? .sequence : .silent
            }
        }
        return expected
    }

    @Test func `a hole is remembered with its times when its boot is forgotten`() throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        let station = store.writer.registry.station(of: series)
        for boot in 1...6 {
            for number in [Int64(1), 2, 9] {
                let time = Self.time(boot * 100 + Int(number))
                try store.commit(
                    TestFrame(
                        receivedMilliseconds: time,
                        messages: [
                            TestMessage(
                                station: station.number, sequence: number, boot: "b\(boot)",
                                samples: [
                                    TestSample(
                                        timeMilliseconds: time, readings: [TestReading(series: series.number, value: 1)]
                                    )
                                ])
                        ]))
            }
            if boot % 2 == 0 { try store.writer.foldLedger(alertSnapshot: [UInt8(boot)]) }
            if boot == 5 { try store.crash() }
        }
        try store.writer.foldLedger(alertSnapshot: [])
        let holes = try store.reader.holes(of: station, in: 0..<TimeBounds.endMilliseconds)
        #expect(Set(holes.map { String(decoding: $0.boot, as: UTF8.self) }) == Set((1...6).map { "b\($0)" }))
        for hole in holes {
            let boot = required(Int(String(decoding: hole.boot, as: UTF8.self).dropFirst()))
            #expect(hole.numbers == 3...8)
            #expect(hole.times == Self.time(boot * 100 + 2)...Self.time(boot * 100 + 9))
        }
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(40))
    func `a hole lies between its neighbours, in whatever order the numbers came`(seed: UInt64) throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        let station = store.writer.registry.station(of: series)
        var random = TestRandom(seed: seed)
        let numbers = (0..<random.int(2...25)).map { _ in Int64(random.int(1...60)) }
        for number in numbers {
            let time = Self.time(Int(number))
            try store.commit(
                TestFrame(
                    receivedMilliseconds: Self.base,
                    messages: [
                        TestMessage(
                            station: station.number, sequence: number, boot: "b",
                            samples: [
                                TestSample(
                                    timeMilliseconds: time, readings: [TestReading(series: series.number, value: 1)])
                            ])
                    ]))
            if random.chance(20) { try store.writer.foldLedger(alertSnapshot: [UInt8(random.int(0...255))]) }
            if random.chance(10) { try store.crash() }
        }
        for hole in try store.reader.holes(of: station, in: 0..<TimeBounds.endMilliseconds) {
            let expected = Self.time(Int(hole.numbers.lowerBound) - 1)...Self.time(Int(hole.numbers.upperBound) + 1)
            #expect(hole.times == expected, "seed \(seed), \(numbers)")
        }
    }

    @Test func `at most one outage is open, which the table keeps`() throws {
        let store = try TestStore()
        var change = OutageChange()
        change.opening = OutageRow(
            beganMilliseconds: 100, endedMilliseconds: nil, cause: .crashed, detail: "", versionBefore: nil,
            versionAfter: nil)
        change.run = ServiceRun(version: "1", startedMilliseconds: 5, aliveMilliseconds: 90)
        try store.writer.record(change)
        #expect(throws: (any Error).self) { try store.writer.record(change) }
        #expect(try store.reader.openOutage()?.beganMilliseconds == 100)
        var next = OutageChange()
        next.sessionWasLost = true
        next.closing = .init(atMilliseconds: 200, version: "2")
        try store.writer.record(next)
        #expect(try store.reader.openOutage() == nil)
        let row = try #require(try store.reader.outages(from: 0, to: 1_000).first)
        #expect(row.endedMilliseconds == 200 && row.sessionWasLost && row.versionAfter == "2")
        #expect(try store.reader.outages(from: 200, to: 1_000).isEmpty)
        #expect(try store.reader.outages(from: 0, to: 100).isEmpty)
        #expect(try store.reader.serviceRun() == change.run)
    }
}
