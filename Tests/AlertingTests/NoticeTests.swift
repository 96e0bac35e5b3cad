import Alerting
import Monitoring
import Testing

@Suite struct NoticeTests {
    private let registry = Province.registry()

    private func notices(_ marbles: String, notify: [String] = ["duty", "boss"]) -> [Notice] {
        let marbles = (rule: Marbles(notify: notify).rule, all: Marbles().transitions(marbles).compactMap { $0 })
        return marbles.all.flatMap {
            Notice.all(for: $0, rule: marbles.rule, series: self.registry.series[4], registry: self.registry)
        }
    }

    @Test func `a notice says what, where, how much, since when`() throws {
        let all = self.notices("NHN")
        try #require(all.count == 4)
        let incident = "rule/pit-1/PM10/1795420860000"
        #expect(
            all.map(\.id) == [
                incident + "/1-opened/duty", incident + "/1-opened/boss", incident + "/2-cleared/duty",
                incident + "/2-cleared/boss",
            ])
        #expect(all.map(\.channel) == ["duty", "boss", "duty", "boss"])
        #expect(all.map(\.kind) == [.firing, .firing, .cleared, .cleared])
        #expect(Set(all.map(\.incident)) == [incident])
        let first = all[0]
        #expect(first.rule == "rule")
        #expect(first.severity == .warning)
        #expect(first.site == "pit")
        #expect(first.station == Province.station("pit-1"))
        #expect(first.parameter == Province.parameter("PM10"))
        #expect(first.unit == "µg/m³")
        #expect(first.value == 150)
        #expect(first.limit == 100)
        #expect(first.sinceMilliseconds == 1_795_420_860_000)
        #expect(first.atMilliseconds == 1_795_420_860_000)
        #expect(!first.foundLate)
        #expect(!first.isRepeat)
        #expect(all[2].value == 50)
        #expect(all[2].atMilliseconds == 1_795_420_920_000)
    }

    @Test func `no two messages share a key, however often one incident opens again`() {
        let all = self.notices("HNHNhHnHN")
        #expect(all.count == 16)
        #expect(Set(all.map(\.id)).count == all.count)
        #expect(Set(all.map(\.incident)).count == 1)
        #expect(all.allSatisfy { $0.id.utf8.allSatisfy { (0x21...0x7E).contains($0) } })
    }

    @Test func `what tells nobody makes no notice`() {
        #expect(self.notices("hhn").isEmpty)
        #expect(self.notices("HN", notify: []).isEmpty)
        #expect(self.notices("hH").map(\.foundLate) == [true, true])
    }

    @Test func `what a rule is retired from is cleared for those who were paged`() {
        #expect(self.notices("Hr", notify: ["duty"]).map(\.kind) == [.firing, .cleared])
        #expect(self.notices("hr").isEmpty)
    }
}
