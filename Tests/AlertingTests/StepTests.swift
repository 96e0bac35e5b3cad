import Alerting
import Monitoring
import Testing

/// One line of a table: events above, what must come of them below.
struct Line: Sendable, CustomTestStringConvertible {
    let name: String
    let forMinutes: Int64
    let clearForMinutes: Int64
    let events: String
    let expected: String

    init(_ name: String, for forMinutes: Int64 = 0, clearFor: Int64 = 0, _ events: String, _ expected: String) {
        self.name = name
        self.forMinutes = forMinutes
        self.clearForMinutes = clearFor
        self.events = events
        self.expected = expected
    }

    var testDescription: String { self.name }
}

@Suite struct StepTests {
    static let onTime: [Line] = [
        Line("fires at the first breach and clears at the first recovery", "NNHHNN", "..O.C."),
        Line("the band neither fires", "NBBB", "...."),
        Line("nor clears", "HBHBN", "O...C"),
        Line("a breach must last", for: 3, "HHHHHN", "...O.C"),
        Line("a recovery ends the run", for: 3, "HHHNHHHH", ".......O"),
        Line("the band ends the run", for: 3, "HHBHHHH", "......O"),
        Line("one reading is no breach of three minutes", for: 3, "HN", ".."),
        Line("a recovery must last", clearFor: 2, "HNNNN", "O..C."),
        Line("the band interrupts a recovery", clearFor: 2, "HNBNNN", "O....C"),
        Line("a breach interrupts a recovery and opens nothing", clearFor: 2, "HNHNNN", "O....C"),
        Line("both must last", for: 2, clearFor: 2, "HHHNNNN", "..O..C."),
    ]

    static let notCounted: [Line] = [
        Line("calibration neither fires", "Ncccc", "....."),
        Line("nor clears", clearFor: 2, "HNcNc", "O..C."),
        Line("calibration does not end a breach", for: 3, "HcccH", "....O"),
        Line("calibration is not time served", for: 3, "Hcccc", "....."),
        Line("fault, unknown status and a value that is none change nothing", for: 3, "HfuiH", "....O"),
        Line("a fault opens nothing", "fui", "..."),
        Line("silence does not fire", for: 3, "H     ", "......"),
        Line("silence does not clear", "H     B", "O......"),
        Line("silence is not told from a long interval", for: 3, "H  H", "...O"),
        Line("ticks and silence as an event change nothing", for: 3, "HtsttsH", "......O"),
        Line("ticks do not clear", clearFor: 2, "HNtttt", "O....."),
        Line("duplicates change nothing", "HdNdHdNd", "O.C.R.C."),
        Line("an old breach changes nothing", "NNzzNz", "......"),
        Line("an old breach does not keep it firing", clearFor: 1, "HNzN", "O..C"),
        Line("a duplicate does not lengthen a breach", for: 1, "Hd", ".."),
    ]

    static let late: [Line] = [
        Line("found late: no page, until an on-time reading finds it firing", "hhHHN", "o.P.C"),
        Line("found late and over: recorded, nobody told", "hhn", "o.c"),
        Line("over on time: nobody told either", "hhN", "o.c"),
        Line("what was paged is cleared with a notice, even late", "hHhn", "oP.C"),
        Line("paged on time, late readings page nobody again", "HhhH", "O..."),
        Line("in the band on time it is still firing", "hBN", "oPC"),
        Line("calibration on time does not page", "hcfH", "o..P"),
        Line("a duplicate does not page", "hd", "o."),
        Line("recovering on time does not page", clearFor: 2, "hNNNN", "o..c."),
        Line("recovering, then firing again on time, pages", clearFor: 2, "hNNH", "o..P"),
        Line("recovering, then the band on time, pages", clearFor: 2, "hNB", "o.P"),
        Line("a breach that began late and lasted on time pages at once", for: 3, "hhhH", "...O"),
        Line("a breach that began on time and lasted late waits", for: 3, "HhhhH", "...oP"),
        Line("late all the way: opens and clears without a page", for: 1, "hhhhhn", ".o...c"),
    ]

    static let incidents: [Line] = [
        Line("a breach after a recovery re-opens", "HNHN", "OCRC"),
        Line("found late and over, a breach on time re-opens and pages", "hnHN", "ocRC"),
        Line("re-opened late, paged on time", "HNhHN", "OCrPC"),
        Line("re-opened late and over: nobody told again", "HNhN", "OCrc"),
        Line("a closed incident stays closed", "HNxHN", "OC.OC"),
        Line("closed while firing, it clears by itself, and the next is new", "HxHNHN", "O..COC"),
        Line("what was closed says nothing of the incident after it", "HNxHNH", "OC.OCR"),
        Line("closing what never was changes nothing", "xHN", ".OC"),
        Line("retired while firing ends it with a notice", "Hr", "OE"),
        Line("retired before anybody was paged ends it quietly", "hr", "oe"),
        Line("retired while recovering", clearFor: 3, "HNr", "O.E"),
        Line("retired while nothing is open", for: 2, "HrNr", "...."),
        Line("watched again after it was retired, a breach is new", "HrH", "OEO"),
        Line("watched again after it was retired, what was known is no news", "Hrd", "OE."),
    ]

    @Test(arguments: onTime + notCounted + late + incidents, [true, false])
    func `what happens is what the line says, watched from above and from below`(line: Line, isAbove: Bool) {
        let marbles = Marbles(isAbove: isAbove, forMinutes: line.forMinutes, clearForMinutes: line.clearForMinutes)
        #expect(marbles.run(line.events) == line.expected, "\(line.events)")
    }

    @Test(arguments: [(100.0, false), (100.0.nextUp, true)])
    func `the limit itself is allowed`(value: Double, fires: Bool) {
        let above = CompiledRule(Marbles(isAbove: true).rule)
        let below = CompiledRule(Marbles(isAbove: false).rule)
        #expect(above.isBreached(by: value) == fires)
        #expect(below.isBreached(by: 200 - value) == (fires && 200 - value < 100))
        #expect(below.isBreached(by: 100.0.nextDown))
        #expect(!below.isBreached(by: 100))
    }

    @Test func `the clear limit itself has recovered, and without one the limit clears`() {
        #expect(CompiledRule(Marbles(isAbove: true).rule).isRecovered(by: 90))
        #expect(!CompiledRule(Marbles(isAbove: true).rule).isRecovered(by: 90.0.nextUp))
        #expect(CompiledRule(Marbles(isAbove: false).rule).isRecovered(by: 110))
        #expect(!CompiledRule(Marbles(isAbove: false).rule).isRecovered(by: 110.0.nextDown))
        let bare = Rule(id: "r", parameter: ParameterID("PM10")!, condition: .above(100), severity: .alarm)
        #expect(bare.clear == 100)
        #expect(CompiledRule(bare).isRecovered(by: 100))
    }

    @Test func `a transition says since when, at what value, of which incident and which message it is`() throws {
        let marbles = Marbles(forMinutes: 2, clearForMinutes: 1)
        let all = marbles.transitions("NHHHHNN    HHHN").compactMap { $0 }
        func at(_ minute: Int64) -> Int64 { Marbles.start + minute * Marbles.minute }
        try #require(all.count == 3)
        #expect(all.map(\.kind) == [.opened, .cleared, .reopened])
        #expect(all.map(\.ordinal) == [1, 2, 3])
        #expect(all.map(\.openedAtMilliseconds) == [at(3), at(3), at(3)])
        #expect(all.map(\.sinceMilliseconds) == [at(1), at(1), at(11)])
        #expect(all.map(\.atMilliseconds) == [at(3), at(6), at(13)])
        #expect(all.map(\.value) == [150, 50, 150])
        #expect(all.map(\.foundLate) == [false, false, false])
        #expect(all.map(\.leavesOpen) == [true, false, true])
    }

    @Test func `found late is said of the opening, the page and the end`() {
        func foundLate(_ marbles: String) -> [Bool] { Marbles().transitions(marbles).compactMap { $0?.foundLate } }
        #expect(foundLate("hHN") == [true, true, true])
        #expect(foundLate("HN") == [false, false])
        #expect(foundLate("Hn") == [false, true])
        #expect(foundLate("hnHN") == [true, true, false, false])
    }

    @Test(arguments: [(1_440, "R"), (1_441, "O")])
    func `a day after clearing a breach is a new incident`(minutes: Int, expected: String) {
        let gap = String(repeating: " ", count: minutes - 1)
        #expect(Marbles().run("HN" + gap + "H").suffix(1) == expected)
        // What counts is when the breach began, not when it had lasted long enough.
        let slow = String(repeating: " ", count: minutes - 2)
        #expect(Marbles(forMinutes: 1).run("HHN" + slow + " HH").suffix(1) == expected)
    }

    @Test func `extreme times and values never trap`() {
        let times: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        let values: [Double] = [-.infinity, -.greatestFiniteMagnitude, 0, .greatestFiniteMagnitude, .infinity, .nan]
        var seed = SeededGenerator(seed: 7)
        for isAbove in [true, false] {
            let rule = CompiledRule(
                Marbles(isAbove: isAbove, forMinutes: 1, clearForMinutes: 1).rule)
            var state = RuleState()
            for _ in 0..<5_000 {
                let event: Event =
                    switch Int.random(in: 0..<10, using: &seed) {
                    case 0: .closed
                    case 1: .retired(nowMilliseconds: times.randomElement(using: &seed)!)
                    case 2: .tick(nowMilliseconds: times.randomElement(using: &seed)!)
                    default:
                        .reading(
                            value: values.randomElement(using: &seed)!, status: .measuring,
                            timeMilliseconds: times.randomElement(using: &seed)!, late: seed.chance(50))
                    }
                _ = step(rule, &state, event)
                if seed.chance(2) { state = RuleState() }
            }
        }
    }

    @Test func `only status 00 is measuring, however the step compares it`() {
        let rule = CompiledRule(Marbles().rule)
        for text in ["00", "0", "000", "01", "02", "0O", "00000000"] {
            var state = RuleState()
            let transition = step(
                rule, &state, value: 150, status: Status(text)!, timeMilliseconds: 1, late: false)
            #expect((transition != nil) == (Status(text) == .measuring), "\(text)")
        }
    }

    @Test func `a state is small and holds no reference`() {
        func requireBits<Value: BitwiseCopyable>(_: Value.Type) -> Int { MemoryLayout<Value>.size }
        #expect(requireBits(RuleState.self) <= 64)
        #expect(requireBits(CompiledRule.self) <= 64)
    }
}
