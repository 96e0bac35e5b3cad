import Dispatch
import Foundation
import Synchronization
import TimeSeriesStore

/// A writer on a thread of its own, reached through a mailbox as in the service: for a verb whose work is asynchronous.
final class WriterThread: Sendable {
    let mailbox: WriterMailbox
    let reader: StoreReader
    private let work: DispatchSemaphore
    private let finished = DispatchSemaphore(value: 0)
    private let isStopping = Atomic(false)

    init(_ writer: sending StoreWriter) {
        let work = DispatchSemaphore(value: 0)
        self.work = work
        self.mailbox = WriterMailbox { work.signal() }
        self.reader = writer.reader
        let box = Handover(writer: writer)
        Thread.detachNewThread { self.run(box) }
    }

    private func run(_ box: consuming Handover) {
        while !self.isStopping.load(ordering: .acquiring) {
            self.work.wait()
            self.mailbox.run(on: box.writer)
        }
        self.mailbox.close()
        self.finished.signal()
    }

    /// Does what was left and ends the thread.
    func stop() {
        self.isStopping.store(true, ordering: .releasing)
        self.work.signal()
        self.finished.wait()
        self.finished.signal()
    }
}

/// Carries the writer to its thread; nobody else touches it afterwards.
private struct Handover: @unchecked Sendable {
    let writer: StoreWriter
}
