import Monitoring
import Testing
import TimeSeriesStore

@testable import Ingest

/// A station with numbers missing, a book, and a clock that the test moves; minutes throughout.
private struct Desk {
    static let minute: Int64 = 60_000
    var book: BackfillBook
    var missing: [ClosedRange<Int64>] = []
    /// Nil: the station is heard all the time.
    var heard: Int64?
    var commands: [String] = []
    var lost: [ClosedRange<Int64>] = []
    var nextID: Int64 = 1

    init(_ schedule: BackfillSchedule = .usual, open: [BackfillRequest] = []) {
        self.book = BackfillBook(schedule: schedule, open: open)
    }

    func station(at now: Int64, boots: Set<[UInt8]> = [[98]]) -> BackfillStation {
        BackfillStation(
            number: 7, id: "s", graceMilliseconds: 2 * Self.minute, heardMilliseconds: self.heard ?? now, boots: boots,
            missing: self.missing.map { MissingNumbers(boot: [98], numbers: $0, times: 5...9) })
    }

    /// One look, taken over at once; says what it decided.
    @discardableResult
    mutating func look(minute: Double, readThrough: Double?, commandsLeft: Int = 20) -> BackfillBook.Step {
        let now = Int64(minute * 60_000)
        var left = commandsLeft
        var next = self.nextID
        let step = self.book.look(
            at: self.station(at: now), nowMilliseconds: now,
            readThroughMilliseconds: readThrough.map { Int64($0 * 60_000) }, commandsLeft: &left,
            reserve: {
                defer { next += 1 }
                return next
            })
        self.nextID = next
        self.take(step)
        return step
    }

    mutating func take(_ step: BackfillBook.Step) {
        self.book.commit(step.change)
        self.commands += step.change.commands.map(\.body)
        self.lost += step.change.lost.map(\.numbers)
        for gone in step.change.lost.map(\.numbers) {
            self.missing = self.missing.flatMap { range -> [ClosedRange<Int64>] in
                guard range.overlaps(gone) else { return [range] }
                var rest: [ClosedRange<Int64>] = []
                if range.lowerBound < gone.lowerBound { rest.append(range.lowerBound...(gone.lowerBound - 1)) }
                if range.upperBound > gone.upperBound { rest.append((gone.upperBound + 1)...range.upperBound) }
                return rest
            }
        }
    }

    /// Looks every half minute; the minutes at which a command went out.
    mutating func run(minutes: ClosedRange<Int>) -> [Double] {
        var sent: [Double] = []
        for half in (minutes.lowerBound * 2)...(minutes.upperBound * 2) {
            let step = self.look(minute: Double(half) / 2, readThrough: Double(half) / 2)
            sent += step.change.commands.map { _ in Double(half) / 2 }
        }
        return sent
    }
}

@Suite struct BackfillBookTests {
    @Test func `a hole is asked for when it has stood for the grace and nothing is queued any more`() {
        var desk = Desk()
        desk.missing = [4...6]
        desk.look(minute: 0, readThrough: nil)
        desk.look(minute: 10, readThrough: nil)
        #expect(desk.commands.isEmpty, "not caught up")
        desk.look(minute: 10, readThrough: -0.1)
        #expect(desk.commands.isEmpty, "what was queued when it was noticed may still come")
        desk.look(minute: 10, readThrough: 0)
        #expect(
            desk.commands == [
                #"{"id": "1", "kind": "backfill", "boot": "b", "from": 5, "to": 9, "seqFrom": 4, "seqTo": 6}"#
            ])
        var early = Desk()
        early.missing = [4...6]
        early.look(minute: 0, readThrough: 0)
        early.look(minute: 1.9, readThrough: 1.9)
        #expect(early.commands.isEmpty)
        early.look(minute: 2, readThrough: 2)
        #expect(early.commands.count == 1)
    }

    @Test func `a device that never answers is asked five times, then the numbers are declared lost`() {
        var desk = Desk()
        desk.missing = [4...6, 9...9]
        let sent = desk.run(minutes: 0...156)
        // 2 min of grace; then after 1, 5, 30 and 120 minutes.
        #expect(sent == [2, 3, 8, 38] && desk.lost.isEmpty)
        #expect(desk.run(minutes: 157...877) == [158] && desk.lost.isEmpty)
        #expect(desk.run(minutes: 878...879) == [])
        #expect(desk.lost == [4...6, 9...9] && desk.book.open.isEmpty)
        // Nothing is missing any more, nothing is asked again.
        #expect(desk.run(minutes: 880...3_000) == [])
    }

    @Test func `a station that is away is not asked again, and nothing of it is given up`() {
        var desk = Desk()
        desk.missing = [4...6]
        desk.heard = 0
        #expect(desk.run(minutes: 0...20_000) == [2])
        #expect(desk.lost.isEmpty)
        desk.heard = nil
        #expect(desk.run(minutes: 20_001...20_001).count == 1)
    }

    @Test func `a hole that fills ends its request, and what is left of it is asked for alone`() {
        var desk = Desk()
        desk.missing = [4...9]
        #expect(desk.run(minutes: 0...2) == [2])
        desk.missing = [7...8]
        desk.look(minute: 3, readThrough: 3)
        #expect(desk.commands.last?.contains(#""seqFrom": 7, "seqTo": 8"#) == true)
        desk.missing = []
        let step = desk.look(minute: 3.5, readThrough: nil)
        #expect(step.filled == 1 && step.change.requests.map(\.state) == [.filled])
        #expect(desk.book.open.isEmpty && desk.commands.count == 2)
    }

    @Test func `a device that does not have it is believed at once`() throws {
        var desk = Desk()
        desk.missing = [4...9]
        _ = desk.run(minutes: 0...2)
        let partial = try #require(
            desk.book.answered(
                DeviceResponse(id: "1", status: "partial", missing: [8...20]), by: desk.station(at: 200_000),
                nowMilliseconds: 200_000))
        desk.take(partial)
        #expect(desk.lost == [8...9] && desk.book.open.count == 1)
        let unknown = try #require(
            desk.book.answered(
                DeviceResponse(id: "1", status: "unknown"), by: desk.station(at: 201_000), nowMilliseconds: 201_000))
        #expect(unknown.lostNumbers == 4 && unknown.change.requests.map(\.answer) == ["unknown"])
        desk.take(unknown)
        #expect(desk.lost == [8...9, 4...7] && desk.book.open.isEmpty)
    }

    @Test func `an answer that fits no open request of the station is none`() {
        var desk = Desk()
        desk.missing = [4...9]
        _ = desk.run(minutes: 0...2)
        let station = desk.station(at: 200_000)
        for id in ["2", "x", ""] {
            #expect(
                desk.book.answered(DeviceResponse(id: id, status: "unknown"), by: station, nowMilliseconds: 1) == nil)
        }
        let other = BackfillStation(
            number: 8, id: "t", graceMilliseconds: 0, heardMilliseconds: 0, boots: [], missing: [])
        #expect(desk.book.answered(DeviceResponse(id: "1", status: "unknown"), by: other, nowMilliseconds: 1) == nil)
    }

    @Test func `a device that says it sent them and did not is asked again`() throws {
        var desk = Desk()
        desk.missing = [4...9]
        _ = desk.run(minutes: 0...2)
        desk.take(
            try #require(
                desk.book.answered(
                    DeviceResponse(id: "1", status: "sent"), by: desk.station(at: 130_000), nowMilliseconds: 130_000)))
        #expect(desk.book.open[1]?.state == .answered)
        #expect(desk.run(minutes: 3...5) == [3])
    }

    @Test func `near holes are one request, far ones several, and only so many at a time`() {
        var desk = Desk()
        desk.missing = [1...1, 3...3, 5...5, 100...101]
        let sent = desk.run(minutes: 0...2)
        #expect(sent.count == 2)
        #expect(desk.commands[0].contains(#""seqFrom": 1, "seqTo": 5"#))
        var many = Desk()
        many.missing = (1...40).map { Int64($0) * 10...Int64($0) * 10 }
        #expect(many.run(minutes: 0...2).count == 8)
        var few = Desk()
        few.missing = many.missing
        few.look(minute: 0, readThrough: 0)
        let step = few.look(minute: 2, readThrough: 2, commandsLeft: 3)
        #expect(step.change.commands.count == 3)
    }

    @Test func `a restart goes on where it was`() throws {
        var desk = Desk()
        desk.missing = [4...6]
        _ = desk.run(minutes: 0...40)
        var again = Desk(open: Array(desk.book.open.values))
        again.missing = desk.missing
        again.nextID = 2
        #expect(again.run(minutes: 41...900) == [158] && again.lost == [4...6])
    }

    @Test func `a request of a boot that is forgotten ends without an account`() {
        var desk = Desk()
        desk.missing = [4...6]
        _ = desk.run(minutes: 0...2)
        desk.missing = []
        var left = 9
        let step = desk.book.look(
            at: desk.station(at: 300_000, boots: [[99]]), nowMilliseconds: 300_000, readThroughMilliseconds: 1,
            commandsLeft: &left, reserve: { 5 })
        #expect(step.change.requests.map(\.state) == [.lost] && step.change.lost.isEmpty)
    }
}

@Suite struct DeviceResponseTests {
    @Test func `an answer is read with its ranges in order`() {
        let text = #"{"id": "12", "status": "partial", "missing": [[9, 12], [1, 4], [3, 5]], "more": 1}"#
        #expect(
            DeviceResponse(Array(text.utf8))
                == DeviceResponse(id: "12", status: "partial", missing: [1...5, 9...12]))
    }

    @Test(arguments: [
        "", "7", #"{"id": 1, "status": "sent"}"#, #"{"id": "1"}"#, #"{"id": "1", "status": "perhaps"}"#,
        #"{"id": "1", "status": "partial", "missing": [[5, 4]]}"#,
        #"{"id": "1", "status": "partial", "missing": [[5]]}"#,
        #"{"id": "1", "status": "sent", "x": ""# + String(repeating: "x", count: 20_000) + "\"}",
    ])
    func `what is no answer is none`(text: String) { #expect(DeviceResponse(Array(text.utf8)) == nil) }
}
