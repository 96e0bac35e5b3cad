import Monitoring

/// Every bound of the store (invariant I12).
///
/// Names end in their unit, then min or max.
package enum StoreLimits {
    /// Readings of a full chunk; fewer compress worse, more make late data dearer (measured: see ARCHITECTURE.md).
    static let chunkReadings = 1_024
    /// A closed chunk that late data grow beyond this is split.
    static let chunkReadingsMax = 2 * chunkReadings
    /// Hourly rollups of a full chunk: four days.
    static let hourChunkEntries = 96
    /// The open hours keep at least a local day of 25 hours, so that the day is folded without another read.
    static let openHoursKept = 26
    static let dayChunkEntries = 64
    static let openDaysKept = 2
    /// A station is merged when one of its series has this many unmerged readings.
    ///
    /// A merge encodes the open end anew: with twice as many readings it costs a third less a reading.
    static let unmergedReadingsMax = 1_000
    /// How long a merge transaction may hold the writer.
    static let sliceMillisecondsMax = 15
    /// Above this the station with the oldest unmerged reading is merged, whatever its age, so that the journal can be
    /// trimmed.
    static let journalBytesMax = 256 << 20
    /// Journal rows deleted in one go: a long delete would hold up the socket.
    static let trimRowsMax = 2_000
    static let frameBytesMax = 32 << 20
    /// Series numbers share a chunk's key with the level (2 bits) and the start (42 bits).
    static let seriesNumberMax: Int32 = (1 << 19) - 1
    static let deadLetterPayloadBytesMax = 64 << 10
    static let deadLettersPerTopicAndDayMax = 1_000
    /// Of all dead letters together, with what a row costs beside its payload.
    static let deadLetterBytesMax: Int64 = 1 << 30
    static let deadLetterRowBytes = 256
    /// How often a total that says "full" is summed up again: it reads every row.
    static let deadLetterSumMilliseconds: Int64 = 3_600_000
    /// Topics whose count of dead letters is remembered.
    static let topicsRememberedMax = 10_000
    static let quarantineRowsPerStationAndDayMax = 100_000
    /// Receipt accounts kept per station: the last boots.
    static let bootsKeptMax = 4
    static let gapsPublishedMax = 32
    /// Ranges of lost numbers remembered per boot; of older ones only the count is kept.
    static let lostRangesKeptMax = 256
    /// Requests for what is missing that are remembered per station.
    static let backfillRowsPerStationMax = 1_000
    /// Gaps remembered per boot; beyond it the oldest are declared lost.
    static let gapsKeptMax = 1_024
    /// Holes that left the accounts of a station, between two folds and on disk; beyond it they are only counted.
    static let holesUnfoldedMax = 1_024
    static let holesKeptMax = 10_000
    /// Outages of ours that are remembered: a broker that comes and goes every 2 s fills this in two days.
    static let outageRowsMax = 100_000
    /// Gaps listed of a series and day, and refused values looked at; what is beyond is counted.
    static let gapsPerSeriesAndDayMax = 1_000
    static let refusalsPerDayMax = 20_000
    /// Readings looked at to see how many a station sends in one message.
    static let readingsSampled = 2_000
    /// A sequence number this far below the start of its account is a restart that forgot its `boot`, not a late
    /// message.
    static let sequenceReorderingMax: Int64 = 4_096
    /// Chunks, and other rows, that one step of retention deletes at most.
    static let retentionChunksMax = 64
    static let retentionRowsMax = 500
    /// Free pages are kept for what is written next: so many, or this share of the file; twice that is given back.
    static let freePagesKept = 4_096
    static let freePagesKeptShare = 8
    /// Pages given back in one transaction.
    static let freePagesGivenBackMax = 256
    /// Days looked at to see how fast the file grows.
    static let fileSizeDays = 31
    static let ballastBytes = 64 << 20
    /// Passive checkpoints run when the log has grown by this much, or after a second.
    static let walBytesRestart = 32 << 20
    /// Corrections of one series in force at once: each is looked at for every reading of its time.
    static let correctionsPerSeriesMax = 1_000
    static let correctionTextBytesMax = 4_096
    /// Corrected rollups kept in memory: two years of hours of eight series.
    static let correctedRollupBytesMax = 32 << 20
    /// Readings folded anew for corrected rollups in one read transaction: about a quarter of a second.
    package static let correctedReadingsMax = 1_000_000
    /// Buckets folded anew in one go: bounds what is held of them beside the answer.
    static let correctedRunBuckets = 1_024
    /// Rows of one page of a query or an export: keeps every read transaction far below a second.
    package static let pageRowsMax = 50_000

    static let checked: Void = {
        precondition(openHoursKept < hourChunkEntries && unmergedReadingsMax < chunkReadings)
    }()
}
