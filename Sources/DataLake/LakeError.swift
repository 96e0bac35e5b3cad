/// What publishing can fail with, in words that say what to do.
package struct LakeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One of a fixed, small set of words: safe as a metric label.
    package enum Code: String, Sendable {
        /// DuckDB's program is not there.
        case duckdbMissing = "duckdb-missing"
        /// DuckDB's program said no.
        case duckdbFailed = "duckdb-failed"
        /// What was read back is not what was written.
        case mismatch
        /// The destination cannot be written to, or holds what it should not.
        case destination
        /// The service stops.
        case stopping
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { self.detail }
}
