import Alerting
import Monitoring
import Testing

@Suite struct RuleSetTests {
    private let channels = [
        Channel(
            id: "duty", webhook: "http://127.0.0.1:9000/alert",
            headers: [Channel.Header(name: "X-Key", value: "abc")])
    ]

    private func rule(
        _ id: String = "r", _ parameter: String = "PM10", stations: StationSelection = .all,
        kinds: [StationKind]? = nil, condition: Condition = .above(100), clear: Double? = nil, for hold: Int64 = 0,
        clearFor: Int64 = 0, notify: [String] = ["duty"], lateAfter: Int64? = nil
    ) -> Rule {
        Rule(
            id: id, parameter: ParameterID(parameter)!, stations: stations, kinds: kinds, condition: condition,
            clear: clear, forMilliseconds: hold, clearForMilliseconds: clearFor, severity: .warning, notify: notify,
            lateAfterMilliseconds: lateAfter)
    }

    private func problems(_ rules: Rule..., channels: [Channel]? = nil, registry: Registry? = nil) -> [String] {
        RuleSet(version: 1, channels: channels ?? self.channels, rules: rules).validate(registry: registry).map {
            ($0.isWarning ? "warning: " : "") + $0.description
        }
    }

    // MARK: - Bindings

    @Test func `a rule is bound to the series of its parameter, stations and kinds, and to no other`() {
        let registry = Province.registry()
        let rules = [
            self.rule("all"), self.rule("air", kinds: [.ambientAir]), self.rule("ph", "pH", condition: .below(6)),
            self.rule("named", stations: .only([Province.station("air-2"), Province.station("nowhere")])),
            self.rule("both", stations: .only([Province.station("pit-1")]), kinds: [.ambientAir]),
            self.rule("none", "CO"),
        ]
        let bindings = RuleSet(version: 1, channels: [], rules: rules).bindings(registry)
        let bound = registry.series.indices.map { index in
            bindings.slots(seriesIndex: index).map { bindings.rule(slot: $0).id }
        }
        #expect(bound == [["all", "air"], [], ["all", "air", "named"], ["ph"], ["all"], []])
        #expect(bindings.offsets == [0, 2, 2, 5, 6, 7, 7])
        #expect(bindings.slotCount == 7)
        for index in registry.series.indices {
            for slot in bindings.slots(seriesIndex: index) {
                #expect(bindings.series(slot: slot) == registry.series[index])
                #expect(
                    bindings.rule(slot: slot).watches(
                        registry.series[index].parameter, at: registry.station(of: registry.series[index])))
            }
        }
    }

    @Test func `each slot knows from when on its readings are late`() {
        let rules = [self.rule("default"), self.rule("own", lateAfter: 5)]
        let bindings = RuleSet(version: 1, channels: [], rules: rules).bindings(Province.registry())
        // air-1 (every minute), air-2 (every hour), pit-1 (every minute).
        #expect(bindings.lateAfterMilliseconds == [600_000, 5, 10_800_000, 5, 600_000, 5])
    }

    @Test func `a series the registry does not have has no rules`() {
        let bindings = RuleSet(version: 1, channels: [], rules: [self.rule()]).bindings(Province.registry())
        for index in [-1, 6, 7, Int.max - 1] { #expect(bindings.slots(seriesIndex: index).isEmpty) }
        #expect(RuleBindings.empty.slots(seriesIndex: 0).isEmpty)
    }

    // MARK: - Validation

    @Test func `a sound set has no problems, notifying nobody included`() {
        #expect(self.problems(self.rule(clear: 90), registry: Province.registry()).isEmpty)
        #expect(self.problems(self.rule(notify: [])).isEmpty)
        #expect(self.problems(self.rule(condition: .below(6), clear: 6.5)).isEmpty)
    }

    @Test func `the clear limit lies on the safe side`() {
        #expect(
            self.problems(self.rule(clear: 101))
                == ["rule r: clear: 101.0 lies above the limit 100.0; at most the limit is allowed"])
        #expect(
            self.problems(self.rule(condition: .below(6), clear: 5))
                == ["rule r: clear: 5.0 lies below the limit 6.0; at least the limit is allowed"])
        #expect(self.problems(self.rule(clear: 100)).isEmpty)
    }

    @Test func `limits are finite numbers`() {
        #expect(
            self.problems(self.rule(condition: .above(.infinity))) == ["rule r: above: a finite number is allowed"])
        #expect(self.problems(self.rule(condition: .below(.nan))) == ["rule r: below: a finite number is allowed"])
        #expect(self.problems(self.rule(clear: .nan)) == ["rule r: clear: a finite number is allowed"])
    }

    @Test func `durations are not negative and not absurd`() {
        #expect(self.problems(self.rule(for: -1)) == ["rule r: for: 0s to 400d is allowed"])
        #expect(self.problems(self.rule(clearFor: .max)) == ["rule r: clearFor: 0s to 400d is allowed"])
        #expect(self.problems(self.rule(lateAfter: .min)) == ["rule r: lateAfter: 0s to 400d is allowed"])
        #expect(self.problems(self.rule(for: 400 * 86_400_000)).isEmpty)
    }

    @Test func `ids are names and differ`() {
        #expect(self.problems(self.rule("a"), self.rule("a")) == ["rule a: id: used before; ids must differ"])
        let name = "id: 1 to 64 letters, digits, '.', '_' or '-' are allowed"
        #expect(self.problems(self.rule("a/b")) == ["rule a/b: " + name])
        #expect(self.problems(self.rule("")) == ["rule : " + name])
        #expect(
            self.problems(channels: self.channels + self.channels)
                == ["channel duty: id: used before; ids must differ"])
    }

    @Test func `channels exist and are named once`() {
        #expect(
            self.problems(self.rule(notify: ["duty", "boss", "duty"])) == [
                "rule r: notify[1]: no channel 'boss'", "rule r: notify[2]: 'duty' is given twice",
            ])
    }

    @Test func `stations nobody knows are a warning, lists that say nothing an error`() {
        let registry = Province.registry()
        let named = self.rule(stations: .only([Province.station("air-1"), Province.station("AIR-2")]))
        #expect(self.problems(named).isEmpty, "without a registry there is nothing to compare with")
        #expect(self.problems(named, registry: registry) == ["warning: rule r: stations[1]: no station 'AIR-2'"])
        #expect(
            self.problems(self.rule(stations: .only([])))
                == ["rule r: stations: names no station; write all for every station"])
        #expect(
            self.problems(self.rule(kinds: []))
                == ["rule r: kinds: names no kind; leave the key out for every kind"])
        #expect(
            self.problems(self.rule(kinds: [.mine, .mine])) == ["rule r: kinds[1]: 'mine' is given twice"])
        let air = Province.station("air-1")
        #expect(
            self.problems(self.rule(stations: .only([air, air]))) == ["rule r: stations[1]: 'air-1' is given twice"])
        #expect(
            self.problems(self.rule("r", "CO"), registry: registry)
                == ["warning: rule r: parameter: no station has a parameter 'CO'"])
        #expect(
            self.problems(self.rule(kinds: [.stack]), registry: registry)
                == ["warning: rule r: stations: no station it names has this parameter and kind"])
    }

    @Test(arguments: [
        ("ftp://host/", "an address that begins with http:// or https:// is allowed"),
        ("", "an address that begins with http:// or https:// is allowed"),
        ("http://", "no host after the scheme"), ("https:///path", "no host after the scheme"),
        ("http://host/a b", "spaces and characters outside ASCII must be percent-encoded"),
        ("http://host/đ", "spaces and characters outside ASCII must be percent-encoded"),
        ("http://host/\r\nX: y", "spaces and characters outside ASCII must be percent-encoded"),
    ])
    func `a webhook is an address`(text: String, message: String) {
        #expect(self.problems(channels: [Channel(id: "c", webhook: text)]) == ["channel c: webhook: " + message])
    }

    @Test(arguments: [
        ("", "x", "'' is no name of a header"), ("A B", "x", "'A B' is no name of a header"),
        ("idempotency-KEY", "x", "'idempotency-KEY' is set by the program"),
        ("X", "a\r\nY: b", "the value of 'X' must be printable ASCII of at most 4096 bytes"),
    ])
    func `a header cannot smuggle anything`(name: String, value: String, message: String) {
        let channel = Channel(
            id: "c", webhook: "https://host", headers: [Channel.Header(name: name, value: value)])
        #expect(self.problems(channels: [channel]) == ["channel c: headers: " + message])
    }

    @Test func `headers are given once, whatever their case`() {
        let headers = ["X-Key", "x-key"].map { Channel.Header(name: $0, value: "1") }
        #expect(
            self.problems(channels: [Channel(id: "c", webhook: "https://host", headers: headers)])
                == ["channel c: headers: 'x-key' is given twice"])
    }

    @Test func `there is a bound to everything`() {
        let many = (0...AlertingLimits.rulesMax).map { self.rule("r\($0)") }
        #expect(
            RuleSet(version: 1, channels: self.channels, rules: many).validate().map(\.description)
                == ["rules: 4097 rules; at most 4096 are allowed"])
        let channels = (0...AlertingLimits.channelsMax).map { Channel(id: "c\($0)", webhook: "http://h") }
        #expect(self.problems(channels: channels) == ["channels: 257 channels; at most 256 are allowed"])
    }
}
