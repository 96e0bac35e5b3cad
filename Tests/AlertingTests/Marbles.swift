import Alerting
import Monitoring

/// One minute a character, beginning at minute 0 of `start`.
///
/// Readings, in capitals on time, in small letters late: `N` normal, `B` in the band between clear limit and limit, `H`
/// breach. Readings that do not count, each with a breaching value: `c` calibrating, `f` fault, `u` a status nobody
/// knows, `i` not finite. `d` repeats the reading before it; `z` is a breach of ten minutes ago. Others: space nothing
/// at all, `t` a tick, `s` silent, `x` a person closes the incident, `r` the rule is retired.
///
/// What came of it: `O` opened, `R` reopened, `P` paged, `C` cleared, `E` retired, in capitals when a notice leaves;
/// `.` nothing.
struct Marbles {
    static let start: Int64 = 1_795_420_800_000
    static let minute: Int64 = 60_000

    let rule: Rule

    /// Limit 100, clear limit 90 (or, watched from below, limit 100, clear limit 110).
    init(isAbove: Bool = true, forMinutes: Int64 = 0, clearForMinutes: Int64 = 0, notify: [String] = ["duty"]) {
        self.rule = Rule(
            id: "rule", parameter: ParameterID("PM10")!, condition: isAbove ? .above(100) : .below(100),
            clear: isAbove ? 90 : 110, forMilliseconds: forMinutes * Self.minute,
            clearForMilliseconds: clearForMinutes * Self.minute, severity: .warning, notify: notify)
    }

    private func value(_ marble: Character) -> Double {
        let isAbove = if case .above = self.rule.condition { true } else { false }
        switch marble {
        case "N", "n": return isAbove ? 50 : 150
        case "B", "b": return isAbove ? 95 : 105
        default: return isAbove ? 150 : 50
        }
    }

    func events(_ marbles: String) -> [Event?] {
        var previous: Event?
        return marbles.enumerated().map { minute, marble in
            let time = Self.start + Int64(minute) * Self.minute
            func reading(_ status: Status = .measuring, late: Bool = false, at time: Int64, value: Double? = nil)
                -> Event
            {
                .reading(value: value ?? self.value(marble), status: status, timeMilliseconds: time, late: late)
            }
            let event: Event?
            switch marble {
            case "N", "B", "H": event = reading(at: time)
            case "n", "b", "h": event = reading(late: true, at: time)
            case "c": event = reading(.calibrating, at: time)
            case "f": event = reading(.fault, at: time)
            case "u": event = reading(Status("x9")!, at: time)
            case "i": event = reading(at: time, value: minute % 2 == 0 ? .nan : .infinity)
            case "z": event = reading(late: true, at: time - 10 * Self.minute)
            case "d": event = previous
            case "t": event = .tick(nowMilliseconds: time)
            case "s": event = .silent(sinceMilliseconds: time - 10 * Self.minute)
            case "x": event = .closed
            case "r": event = .retired(nowMilliseconds: time)
            default: event = nil
            }
            if case .reading = event { previous = event }
            return event
        }
    }

    func transitions(_ marbles: String) -> [Transition?] {
        var state = RuleState()
        let compiled = CompiledRule(self.rule)
        return self.events(marbles).map { $0.flatMap { step(compiled, &state, $0) } }
    }

    func run(_ marbles: String) -> String {
        String(self.transitions(marbles).map { $0.map(Self.marble) ?? "." })
    }

    static func marble(_ transition: Transition) -> Character {
        let letter =
            switch transition.kind {
            case .opened: "O"
            case .reopened: "R"
            case .paged: "P"
            case .cleared: "C"
            case .retired: "E"
            }
        return Character(transition.isNotified ? letter : letter.lowercased())
    }
}
