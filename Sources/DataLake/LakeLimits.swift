import Monitoring
import TimeSeriesStore

/// Every bound of the lake (invariant I12).
///
/// Names end in their unit, then min or max.
enum LakeLimits {
    /// Readings of one series read in one transaction.
    static let pageRows = StoreLimits.pageRowsMax
    /// Rows are handed to DuckDB in pieces of about this size.
    static let pieceBytes = 256 << 10
    /// A day is published this long after it ended, so that what was on its way has arrived.
    static let settleMilliseconds: Int64 = 30 * Civil.millisecondsPerMinute
    /// A published day that changed is restated at most this often.
    static let restateMilliseconds: Int64 = 6 * Civil.millisecondsPerHour
    /// After a run that failed.
    static let retryMilliseconds: Int64 = 10 * Civil.millisecondsPerMinute
    /// After the start of the service: let it catch up first.
    static let startMilliseconds: Int64 = Civil.millisecondsPerMinute
    /// Rows of a Parquet row group, a multiple of DuckDB's vector of 2,048.
    static let rowGroupRows = 122_880
    static let duckdbMemoryMebibytesMax = 512
    /// Of what DuckDB says when it fails.
    static let errorBytesMax = 16 << 10
    static let manifestBytesMax = 4 << 20

    static let checked: Void = precondition(rowGroupRows % 2_048 == 0 && settleMilliseconds < restateMilliseconds)
}
