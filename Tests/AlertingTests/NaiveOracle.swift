import Alerting
import Monitoring

/// A reading as it arrives, and whether it came late.
struct Arrival: Hashable {
    var reading: Reading
    var late: Bool

    var event: Event {
        .reading(
            value: self.reading.value, status: self.reading.status, timeMilliseconds: self.reading.timeMilliseconds,
            late: self.late)
    }
}

/// What the rule should do, told from the whole list of arrivals at once: no state, no step, runs found by looking
/// back.
struct NaiveOracle {
    let rule: Rule

    private func isBreached(_ arrival: Arrival) -> Bool {
        switch self.rule.condition {
        case .above(let limit): arrival.reading.value > limit
        case .below(let limit): arrival.reading.value < limit
        }
    }

    private func isRecovered(_ arrival: Arrival) -> Bool {
        switch self.rule.condition {
        case .above: arrival.reading.value <= self.rule.clear
        case .below: arrival.reading.value >= self.rule.clear
        }
    }

    /// Readings newer than all before them, and of those the ones of status 00.
    func counted(_ arrivals: [Arrival]) -> [Arrival] {
        let live = arrivals.indices.filter { index in
            arrivals[..<index].allSatisfy { $0.reading.timeMilliseconds < arrivals[index].reading.timeMilliseconds }
        }
        return live.map { arrivals[$0] }.filter { $0.reading.status == .measuring && $0.reading.value.isFinite }
    }

    /// Where the unbroken run of readings with a property that ends at `index` begins, not looking before `floor`.
    private func runStart(_ list: [Arrival], _ index: Int, _ floor: Int, _ holds: (Arrival) -> Bool) -> Int? {
        guard holds(list[index]) else { return nil }
        var start = index
        while start > floor, holds(list[start - 1]) { start -= 1 }
        return start
    }

    /// Episodes of firing: positions in the counted readings.
    func episodes(_ list: [Arrival]) -> [(since: Int, fired: Int, cleared: Int?)] {
        func lasts(_ index: Int, _ floor: Int, _ duration: Int64, _ holds: (Arrival) -> Bool) -> Int? {
            guard let start = self.runStart(list, index, floor, holds) else { return nil }
            let length = list[index].reading.timeMilliseconds - list[start].reading.timeMilliseconds
            return length >= duration ? start : nil
        }
        var found: [(since: Int, fired: Int, cleared: Int?)] = []
        var floor = 0
        while true {
            guard
                let fired = (floor..<max(floor, list.count)).first(where: {
                    lasts($0, floor, self.rule.forMilliseconds, self.isBreached) != nil
                }), let since = lasts(fired, floor, self.rule.forMilliseconds, self.isBreached)
            else { return found }
            let cleared = (fired + 1..<max(fired + 1, list.count)).first {
                lasts($0, fired + 1, self.rule.clearForMilliseconds, self.isRecovered) != nil
            }
            found.append((since, fired, cleared))
            guard let cleared else { return found }
            floor = cleared + 1
        }
    }

    func transitions(_ arrivals: [Arrival]) -> [Transition] {
        let list = self.counted(arrivals)
        var result: [Transition] = []
        var openedAt: Int64 = 0
        var ordinal: UInt32 = 0
        var clearedAt: Int64?
        for episode in self.episodes(list) {
            let since = list[episode.since].reading.timeMilliseconds
            let opening = list[episode.fired]
            let isAgain = clearedAt.map { since - $0 <= 86_400_000 } ?? false
            if !isAgain {
                openedAt = opening.reading.timeMilliseconds
                ordinal = 0
            }
            func add(_ kind: Transition.Kind, _ arrival: Arrival, notified: Bool, foundLate: Bool) {
                ordinal += 1
                result.append(
                    Transition(
                        kind: kind, isNotified: notified, openedAtMilliseconds: openedAt, ordinal: ordinal,
                        sinceMilliseconds: since, atMilliseconds: arrival.reading.timeMilliseconds,
                        value: arrival.reading.value, foundLate: foundLate))
            }
            add(isAgain ? .reopened : .opened, opening, notified: !opening.late, foundLate: opening.late)
            var isPaged = !opening.late
            let end = episode.cleared ?? list.count
            let page = (episode.fired + 1..<max(episode.fired + 1, end)).first {
                !list[$0].late && !self.isRecovered(list[$0])
            }
            if opening.late, let page {
                add(.paged, list[page], notified: true, foundLate: true)
                isPaged = true
            }
            if let cleared = episode.cleared {
                add(.cleared, list[cleared], notified: isPaged, foundLate: opening.late || list[cleared].late)
                clearedAt = list[cleared].reading.timeMilliseconds
            }
        }
        return result
    }
}

/// Random rules and series that stay long enough near the limit for everything to happen.
enum RandomCase {
    static func rule(_ random: inout SeededGenerator) -> Rule {
        let isAbove = random.chance(50)
        let band = random.chance(70) ? 10.0 : 0
        return Rule(
            id: "rule", parameter: ParameterID("PM10")!, condition: isAbove ? .above(100) : .below(100),
            clear: isAbove ? 100 - band : 100 + band,
            forMilliseconds: [0, 60_000, 150_000, 300_000].randomElement(using: &random)!,
            clearForMilliseconds: [0, 60_000, 150_000, 300_000].randomElement(using: &random)!, severity: .warning)
    }

    /// In time order; times differ.
    static func readings(_ count: Int, _ random: inout SeededGenerator) -> [Reading] {
        var time = Marbles.start
        var value = 95.0
        return (0..<count).map { _ in
            switch Int.random(in: 0..<200, using: &random) {
            case 0: time += 86_400_000 + Int64.random(in: -600_000...600_000, using: &random)
            case 1...10: time += Int64.random(in: 1...600_000, using: &random)
            default: time += 60_000
            }
            value = min(130, max(70, value + Double(Int.random(in: -12...12, using: &random))))
            let status: Status =
                switch Int.random(in: 0..<20, using: &random) {
                case 0: .calibrating
                case 1: .fault
                case 2: Status("07")!
                default: .measuring
                }
            return Reading(timeMilliseconds: time, value: value, status: status, receivedSeconds: 0)
        }
    }

    /// Times of lateness, some readings out of order.
    static func arrivals(_ count: Int, _ random: inout SeededGenerator) -> [Arrival] {
        var late = false
        var arrivals = self.readings(count, &random).map { reading in
            if random.chance(8) { late.toggle() }
            return Arrival(reading: reading, late: late)
        }
        for index in arrivals.indices.dropFirst() where random.chance(5) { arrivals.swapAt(index, index - 1) }
        return arrivals
    }

    /// The same with some arrivals delivered again, at once or much later.
    static func withDuplicates(_ arrivals: [Arrival], _ random: inout SeededGenerator) -> [Arrival] {
        var result: [Arrival] = []
        for arrival in arrivals {
            result.append(arrival)
            while random.chance(25) {
                var again = result.randomElement(using: &random)!
                again.late = random.chance(50)
                result.append(again)
            }
        }
        return result
    }
}
