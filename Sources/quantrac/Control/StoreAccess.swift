import TimeSeriesStore

/// A store that work can be done on: our own, or the running service's.
protocol StoreAccess {
    var reader: StoreReader { get }

    /// Runs a short piece of work on the thread that may write, and waits for it.
    ///
    /// Long requests come in many pieces, so that the service reads its socket in between.
    func onWriter<Value: Sendable>(_ body: @escaping @Sendable (StoreWriter) throws -> Value) throws -> Value
}

/// The store of a verb that holds the lock itself.
struct OwnStore: StoreAccess {
    let writer: StoreWriter

    var reader: StoreReader { self.writer.reader }

    func onWriter<Value: Sendable>(_ body: @escaping @Sendable (StoreWriter) throws -> Value) throws -> Value {
        try body(self.writer)
    }
}

/// The store of the running service, written through its mailbox.
///
/// Waits: never use it on the cooperative pool.
struct ServedStore: StoreAccess {
    let reader: StoreReader
    let mailbox: WriterMailbox

    func onWriter<Value: Sendable>(_ body: @escaping @Sendable (StoreWriter) throws -> Value) throws -> Value {
        try self.mailbox.submitAndWait(body)
    }
}
