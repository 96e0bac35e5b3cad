import Foundation
import Monitoring
import Testing

/// A line of time, a character a second, and an interval of four.
///
/// `.` is nothing, `x` a reading, `c` one of status 01, `f` one of status 02, `?` one of another status.
struct CoverageTests {
    private static let interval: Int64 = 4

    /// The line marked with what is missing (`-`), calibrating (`c`), at fault (`f`), and what is fine (space).
    private func marked(_ line: String, window: Range<Int64>? = nil, now: Int64? = nil) -> String {
        let window = window ?? 0..<Int64(line.count)
        var scan = CoverageScan(
            DuePeriod(range: window, intervalMilliseconds: Self.interval), nowMilliseconds: now ?? 1_000_000)
        let wanted = scan.neighbourhood
        for (second, mark) in line.enumerated() where mark != "." && wanted.contains(Int64(second)) {
            scan.take(Int64(second), status: Self.status(mark))
        }
        scan.finish()
        var text = Array(repeating: Character(" "), count: line.count)
        for range in scan.ranges {
            for second in range.range where second < line.count {
                text[Int(second)] = range.kind == .absent ? "-" : range.kind == .calibrating ? "c" : "f"
            }
        }
        return String(text)
    }

    private static func status(_ mark: Character) -> Status {
        switch mark {
        case "c": .calibrating
        case "f": .fault
        case "?": Status(packed: 0x37)
        default: .measuring
        }
    }

    @Test(arguments: [
        // Nothing is missing, nor is a reading that comes up to half an interval late.
        ("x...x...x...", "            "),
        ("x.....x...x.", "            "),
        // A missing one: from when it was due to the next that came.
        ("x.......x...", "    ----    "),
        ("x......x....", "    ---     "),
        ("x...........", "    --------"),
        ("......x...x.", "------      "),
        ("............", "------------"),
        // Less than half an interval at the edge is nobody's loss.
        (".x...x...x..", "            "),
        ("x...x...c...", "        cccc"),
        ("c...c...x...", "cccccccc    "),
        ("c...f...?...", "ccccffffffff"),
        ("c.......c...", "cccc----cccc"),
        // A status of a reading ends when the next reading is due or there.
        ("x..c......x.", "   cccc---  "),
    ])
    func `what is not covered is told from when it was due`(line: String, expected: String) {
        #expect(self.marked(line) == expected)
    }

    @Test func `the day before and the day after explain its edges`() {
        let line = "..x......x...x...x...x."
        #expect(self.marked(line, window: 4..<16) == "      ---              ")
        #expect(self.marked("x...................x..", window: 4..<16) == "    ------------       ")
        // The neighbours belong to other days: what they lack is theirs.
        #expect(self.marked("......x...x...x........", window: 6..<16) == "                       ")
    }

    @Test func `the future is not missing, and what is due just now may be on its way`() {
        #expect(self.marked("x...x...........", now: 6) == "                ")
        #expect(self.marked("x...x...........", now: 10) == "                ")
        #expect(self.marked("x...x...........", now: 11) == "        ---     ")
        #expect(self.marked("x...x.......x...", now: 2) == "                ")
    }

    @Test func `counts are of the stretch alone`() {
        var scan = CoverageScan(
            DuePeriod(range: 10..<22, intervalMilliseconds: 4), nowMilliseconds: 1_000)
        for (time, status) in [
            (6, Status.measuring), (10, .measuring), (14, .calibrating), (18, .fault), (19, Status(packed: 0x37)),
            (22, .measuring),
        ] { scan.take(Int64(time), status: status) }
        scan.finish()
        #expect(scan.present == 4 && scan.valid == 1 && scan.calibrating == 1 && scan.fault == 1)
        #expect(scan.missing == 0)
    }

    @Test func `gaps beyond the bound are counted and not kept`() {
        var scan = CoverageScan(
            DuePeriod(range: 0..<1_000, intervalMilliseconds: 4), nowMilliseconds: 10_000, rangesMax: 3)
        for time in stride(from: Int64(0), to: 1_000, by: 10) { scan.take(time, status: .measuring) }
        scan.finish()
        #expect(scan.ranges.count == 3 && scan.rangesOmitted == 97)
        #expect(scan.missing == 200)
    }

    @Test(arguments: 0..<200)
    func `any readings give what a second-by-second look gives`(number: Int) {
        let seed = TestSeed.random ?? UInt64.random(in: 0...UInt64.max)
        var random = SmallRandom(seed: seed)
        let interval = Int64(random.int(1...12))
        let window = Int64(30)..<Int64(30 + random.int(0...90))
        let now = random.int(0...3) == 0 ? Int64(random.int(0...140)) : 1_000
        var times: [(Int64, Character)] = []
        var time: Int64 = 0
        while time < 140 {
            times.append((time, random.pick("xxxxccf?")))
            time += random.int(0...4) == 0 ? Int64(random.int(1...60)) : interval + Int64(random.int(0...1))
        }
        times.removeAll { $0.0 >= now }
        let period = DuePeriod(range: window, intervalMilliseconds: interval)
        var scan = CoverageScan(period, nowMilliseconds: now)
        for (time, mark) in times where scan.neighbourhood.contains(time) {
            scan.take(time, status: Self.status(mark))
        }
        scan.finish()
        var found: [Int64: Character] = [:]
        for range in scan.ranges {
            for second in range.range {
                found[second] = range.kind == .absent ? "-" : range.kind == .calibrating ? "c" : "f"
            }
        }
        let expected = Self.naive(times, interval: interval, window: window, now: now)
        #expect(found == expected, "seed \(seed): \(times) every \(interval) in \(window), now \(now)")
        #expect(scan.present == times.count { window.contains($0.0) }, "seed \(seed)")
    }

    /// Looks second by second which reading stands for it, and whether it reaches this far.
    private static func naive(
        _ times: [(Int64, Character)], interval: Int64, window: Range<Int64>, now: Int64
    ) -> [Int64: Character] {
        let past = window.lowerBound..<max(window.lowerBound, min(window.upperBound, now))
        var marks: [(second: Int64, mark: Character)] = []
        for second in past {
            let before = times.last { $0.0 <= second }
            let after = times.first { $0.0 > second }
            guard let before else {
                marks.append((second, "-"))
                continue
            }
            // What comes after now is not known, however soon it comes; what is in the store is.
            let next = after?.0 ?? now
            let isGap = next - before.0 > interval + interval / 2
            if isGap, second >= before.0 + interval {
                marks.append((second, "-"))
            } else if before.1 != "x" {
                marks.append((second, before.1 == "c" ? "c" : "f"))
            }
        }
        var result: [Int64: Character] = [:]
        var index = 0
        while index < marks.count {
            var end = index + 1
            while end < marks.count, marks[end].mark == marks[index].mark,
                marks[end].second == marks[end - 1].second + 1
            { end += 1 }
            let run = marks[index..<end]
            let readings = times.count { time, _ in run.contains { $0.second == time } }
            let isKept =
                marks[index].mark == "-" ? (Int64(run.count) + interval / 2) / interval > 0 : readings > 0
            if isKept { for item in run { result[item.second] = item.mark } }
            index = end
        }
        return result
    }
}

struct DuePeriodTests {
    private func station(_ interval: Dated<Int64?>, retired: Int64? = nil) throws -> Station {
        Station(
            number: 1, id: try #require(StationID("a")), name: "A", siteIndex: 0, kind: .mine, latitude: nil,
            longitude: nil, intervalMilliseconds: interval, retiredMilliseconds: retired, seriesIndices: [])
    }

    @Test func `a day is cut where the interval changes, and the parts add up`() throws {
        let interval = try #require(
            Dated<Int64?>(entries: [
                .init(fromMilliseconds: .min, value: 60_000), .init(fromMilliseconds: 43_200_000, value: 3_600_000),
            ]))
        let periods = try self.station(interval).duePeriods(in: 0..<86_400_000, firstMilliseconds: 0)
        #expect(
            periods == [
                DuePeriod(range: 0..<43_200_000, intervalMilliseconds: 60_000),
                DuePeriod(range: 43_200_000..<86_400_000, intervalMilliseconds: 3_600_000),
            ])
        #expect(periods.map(\.due) == [720, 12])
    }

    @Test func `nothing is due before the first reading and after retirement`() throws {
        let station = try self.station(Dated(60_000), retired: 600_000)
        let periods = station.duePeriods(in: 0..<1_000_000, firstMilliseconds: 300_000)
        #expect(periods.map(\.range) == [0..<300_000, 300_000..<600_000, 600_000..<1_000_000])
        #expect(periods.map(\.due) == [0, 5, 0])
        #expect(station.duePeriods(in: 0..<1_000, firstMilliseconds: nil).map(\.due) == [0])
    }

    @Test func `an unchanged interval owes what an export says`() throws {
        let station = try self.station(Dated(7_000))
        let bucket = Bucket(startMilliseconds: 3_600_000, endMilliseconds: 90_000_001)
        let periods = station.duePeriods(
            in: bucket.startMilliseconds..<bucket.endMilliseconds, firstMilliseconds: 0)
        #expect(periods.map(\.due) == [station.due(in: bucket)])
    }
}

enum TestSeed {
    /// `TEST_SEED`, to repeat a failure.
    static let random = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) }
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct SmallRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var word = self.state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func pick(_ marks: String) -> Character { Array(marks)[self.int(0...(marks.count - 1))] }
}
