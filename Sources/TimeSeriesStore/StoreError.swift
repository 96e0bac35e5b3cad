/// What the store can fail with, apart from SQLite's own errors.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    /// One of a fixed, small set of words: safe as a metric label.
    package enum Code: String, Sendable {
        /// Another process writes to this store.
        case locked
        /// Written by a newer program.
        case tooNew = "too-new"
        /// Bytes that do not fit their checksum.
        case damaged
        /// The file is not a store, or not the one it should be.
        case wrongFile = "wrong-file"
        /// Asked for something impossible; the text says what is allowed.
        case refused
        /// The disk has less room than the reserve.
        case diskReserve = "disk-reserve"
        /// Our clock is behind what the store has seen.
        case clock
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { self.detail }
}
