/// Every bound of the way from the socket to the commit (invariant I12).
///
/// Names end in their unit, then min or max.
package enum IngestLimits {
    /// What shares one fsync at most: a batch ends with whatever comes first.
    static let batchMessagesMax = 10_000
    static let batchBytesMax = 4 << 20
    /// Reading is given so many times what the last commit and what is done between batches took, within these bounds:
    /// with a disk that needs 25 ms for an fsync, batches of 20 ms would spend most of the time not reading (measured).
    static let batchPerCommit = 4
    static let batchMillisecondsMin = 20
    static let batchMillisecondsMax = 100
    /// A batch of fewer messages waits so long for more when the socket is dry.
    ///
    /// A commit costs the disk about 10 kB and an fsync however little is in it; 300 stations within 2 s would
    /// otherwise be 300 commits. Fewer than the 20 messages in flight that a broker allows by default: one whose window
    /// is full has no more to send, and must not be waited for.
    static let lingerMillisecondsMax = 50
    static let lingerMessagesMax = 16
    /// How long it sleeps between two looks at the socket meanwhile.
    static let lingerNapMilliseconds: Int32 = 5
    /// How many packets are read between two looks at the clock.
    static let packetsPerClockRead = 16
    /// Back-off between two attempts to connect or to write.
    static let backOffMillisecondsMin: Int64 = 1_000
    static let backOffMillisecondsMax: Int64 = 30_000
    /// How long the loop sleeps when nothing happens.
    static let idleMillisecondsMax: Int64 = 1_000
    /// How often ledger, accounts and alert state are folded into their tables: a fold rewrites the rows of all
    /// stations that were heard, about 25 bytes a reading when each sends twelve a minute.
    static let foldMilliseconds: Int64 = 60_000
    /// Under load a fold comes earlier, because what is not folded cannot be trimmed.
    static let foldJournalBytes = 32 << 20
    /// The marker that proves that the session delivers; missing for longer than `watchdogMilliseconds` means it does
    /// not.
    static let markerMilliseconds: Int64 = 30_000
    /// Live is awake for so long after it brought something: the backlog then takes at most every other moment.
    static let liveAwakeMilliseconds = 1_000
    static let watchdogMilliseconds: Int64 = 95_000
    /// At most one `…/stored` a second and station.
    static let storedMilliseconds: Int64 = 1_000
    /// How often it is looked whether stations are alive.
    static let lifeMilliseconds: Int64 = 5_000
    /// Commands handed to the library at a time, and when one without a PUBACK is handed over again.
    static let commandsInFlightMax = 200
    static let commandUnansweredMilliseconds: Int64 = 60_000
    /// What devices answer: of one message, of one batch, and waiting to be looked at.
    static let responseBytesMax = 16 << 10
    static let responseRangesMax = 256
    static let responsesPerBatchMax = 1_000
    static let responsesWaitingMax = 4_000
    static let upkeepMilliseconds: Int64 = 1_000
    /// How old the last sign of life in the store may be: after a crash we know that much less of when it was.
    ///
    /// The only write of an idle service.
    static let aliveMilliseconds: Int64 = 60_000
    /// Stations whose ledgers are checked in one go, once a second: some milliseconds.
    static let ledgersCheckedMax = 64
    /// How long whoever left a record of itself has to answer for the session; its loop may be in a commit.
    static let claimMillisecondsMax = 3_000
    /// How long we wait when there is no record; it comes with the subscription, but not of every broker at once.
    static let claimUnansweredMilliseconds = 200
    static let claimNapMilliseconds: Int32 = 20
    /// What is said about the session is short; anything longer on our topic is not ours.
    static let claimBytesMax = 8 << 10
    /// Our clock may be behind the newest receipt time by this much before we refuse to read (I6).
    static let clockBehindMillisecondsMax: Int64 = 600_000
    /// How long the broker must have dropped nothing before that incident ends.
    static let dropQuietMilliseconds: Int64 = 3_600_000
    /// What `doctor` gives the library to read or to acknowledge over the loopback.
    static let proofMillisecondsMax = 10_000
    /// How long it waits for acknowledgements that must not come.
    static let proofRestMilliseconds: Int32 = 100
    /// Packets the outgoing client reads when its socket is ready.
    static let outgoingPacketsMax = 4
    /// Undelivered messages the outgoing client may hold; beyond it `…/stored` waits.
    static let outgoingMessagesMax = 1_000
}
