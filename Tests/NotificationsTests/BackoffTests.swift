import Testing

@testable import Notifications

struct BackoffTests {
    @Test func `waiting doubles from one second to five minutes, a little less by message`() {
        for attempt in 1...40 {
            let whole = min(Int64(1_000) << min(attempt - 1, 16), 300_000)
            for id in Int64(1)...200 {
                let delay = Backoff.delayMilliseconds(attempt: attempt, id: id)
                #expect(delay <= whole && delay >= whole - whole / 4)
                #expect(delay == Backoff.delayMilliseconds(attempt: attempt, id: id))
            }
        }
    }

    @Test func `messages that failed together are not tried together`() {
        let delays = Set((Int64(1)...100).map { Backoff.delayMilliseconds(attempt: 8, id: $0) })
        #expect(delays.count > 90)
    }
}
