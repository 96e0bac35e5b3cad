import Alerting
import Testing

@Suite struct StationLatenessTests {
    private let minute: Int64 = 60_000

    /// Messages as minutes of receipt and of lateness; late is more than ten minutes.
    private func run(_ messages: [(received: Int64, lateness: Int64)], isOpen: Bool = false) -> [String] {
        var station = StationLateness(isOpen: isOpen)
        return messages.compactMap { message in
            let change = station.observe(
                receivedMilliseconds: message.received * self.minute,
                latenessMilliseconds: message.lateness * self.minute, lateAfterMilliseconds: 10 * self.minute)
            switch change {
            case .opened(let since, let lateness):
                return "\(message.received): all late since \(since / self.minute), by \(lateness / self.minute)"
            case .cleared: return "\(message.received): cleared"
            case nil: return nil
            }
        }
    }

    @Test func `a clock eleven minutes slow is told after an hour, once, until it is mended`() {
        let slow = (100..<300).map { (received: Int64($0), lateness: Int64(11)) }
        #expect(
            self.run(slow + [(300, 0), (301, 0)]) == ["160: all late since 100, by 11", "300: cleared"])
        #expect(self.run((100..<300).map { (received: Int64($0), lateness: Int64(10)) }).isEmpty)
    }

    @Test func `one reading on time begins the hour again`() {
        let slow = (100..<159).map { (received: Int64($0), lateness: Int64(20)) }
        #expect(self.run(slow + [(159, 0)] + slow.map { ($0.received + 60, $0.lateness) }).isEmpty)
    }

    @Test func `a backlog delivered within the hour is none`() {
        let backlog = (0..<5_000).map { (received: Int64(100) + Int64($0) / 100, lateness: 5_000 - Int64($0)) }
        #expect(self.run(backlog + [(151, 0)]).isEmpty)
    }

    @Test func `two messages are too few to say`() {
        #expect(self.run([(100, 20), (200, 20)]).isEmpty)
        #expect(self.run([(100, 20), (200, 20), (300, 20)]) == ["300: all late since 100, by 20"])
    }

    @Test func `after a restart an open incident stays open, and clears once`() {
        #expect(self.run((0..<200).map { (received: Int64($0), lateness: Int64(20)) }, isOpen: true).isEmpty)
        #expect(self.run([(0, 20), (1, 0), (2, 0)], isOpen: true) == ["1: cleared"])
    }
}
