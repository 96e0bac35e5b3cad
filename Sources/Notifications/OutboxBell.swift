/// Wakes the delivery of messages: rung after a commit that wrote to the outbox.
///
/// Ringing twice before anybody listens is one ring; it never blocks, so that the ingest thread may do it.
package final class OutboxBell: Sendable {
    let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (self.rings, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func ring() { self.continuation.yield() }
}
