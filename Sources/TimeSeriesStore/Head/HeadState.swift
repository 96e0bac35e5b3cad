import Monitoring

/// What is in the journal and not yet merged, folded or forgotten: exactly what replaying the journal gives.
///
/// A value behind `Head`'s lock. Arrays are indexed by station or series number, because every reading looks one up.
struct HeadState {
    /// What is unmerged of one station.
    struct StationPart {
        var receiptSeries: Int32
        var zone: Zone
        /// Frames up to this one are merged; only of interest to a replay.
        var mergedThrough: Int64
        /// The first frame with something unmerged, and when it was received; nil when all is merged.
        var oldestSequence: Int64?
        var oldestReceivedMilliseconds: Int64 = 0
        var readings = 0
        /// The largest number of unmerged readings of one series.
        var fullestSeries = 0
        /// Readings that were newer than everything before them: known to be stored when they were committed.
        var freshReadings = 0
        var touchedSeries: [Int32] = []
        var lastReceivedMilliseconds: Int64 = 0
        /// Accounts of numbered messages, the newest boot last.
        var accounts: [SequenceAccount] = []
        var accountsChanged = false

        /// False for a number that no station has.
        var isKnown: Bool { self.receiptSeries != 0 }
    }

    /// By station number; `isKnown` is false for a number not in use.
    var stations: [StationPart] = []
    /// Unmerged readings by series number, in order of arrival.
    var series: [[Reading]] = []
    /// Newest device time ever stored, by series number; -1 for none.
    var newest: [Int64] = []
    /// Unmerged readings, without the receipt times.
    var readings = 0
    /// All that is held: readings and receipt times.
    var entries = 0
    /// Counts since the ledger was last folded.
    var ledger: [LedgerKey: LedgerCounts] = [:]
    var ledgerThrough: Int64 = 0
    /// The last frame applied.
    var sequence: Int64 = 0

    /// What a frame added, for counters.
    struct Applied {
        var messages = 0
        var qos0 = 0
        var deadLetters = 0
        var readings = 0
        var fresh = 0
        var quarantined = 0
    }

    /// Makes room for what a registry names; nothing is forgotten.
    mutating func adopt(_ registry: Registry, receiptSeries: [Int32: Int32]) {
        let largestSeries = max(
            registry.series.map(\.number).max() ?? 0, receiptSeries.values.max() ?? 0)
        while self.series.count <= Int(largestSeries) {
            self.series.append([])
            self.newest.append(-1)
        }
        for station in registry.stations {
            let zone = registry.site(of: station).zone
            while self.stations.count <= Int(station.number) {
                self.stations.append(StationPart(receiptSeries: 0, zone: zone, mergedThrough: 0))
            }
            self.stations[Int(station.number)].zone = zone
            self.stations[Int(station.number)].receiptSeries = receiptSeries[station.number] ?? 0
        }
    }

    /// Takes a committed frame.
    mutating func apply(_ reader: consuming FrameReader, sequence: Int64) throws(FrameError) -> Applied {
        var reader = reader
        var applied = Applied()
        let received = reader.header.receivedMilliseconds
        let receivedSeconds = UInt32(clamping: Civil.floorDivide(received, 1_000))
        let countsToLedger = sequence > self.ledgerThrough
        while let message = try reader.nextMessage() {
            applied.messages += 1
            if message.flags.contains(.qos0) { applied.qos0 += 1 }
            if message.flags.contains(.deadLetter) { applied.deadLetters += 1 }
            applied.quarantined += message.quarantinedCount
            let station = Int(message.station)
            let isKnown = station < self.stations.count && self.stations[station].isKnown
            var counts = LedgerCounts()
            counts.received = 1
            counts.qos0 = message.flags.contains(.qos0) ? 1 : 0
            counts.quarantined = message.quarantinedCount
            var isRepeated = false
            if isKnown, countsToLedger, let number = message.sequence {
                isRepeated = !self.stations[station].receive(number, boot: message.boot)
            }
            if message.flags.contains(.deadLetter) {
                counts.deadLettered = 1
            } else if isRepeated {
                counts.repeated = 1
            } else {
                counts.decoded = 1
            }
            if isKnown {
                self.stations[station].lastReceivedMilliseconds = received
                let mergeable = sequence > self.stations[station].mergedThrough
                let before = applied.readings
                try self.takeSamples(
                    of: message, from: &reader, station: station, isUnmerged: mergeable,
                    receivedSeconds: receivedSeconds, sequence: sequence, into: &applied)
                counts.readings = applied.readings - before
            } else {
                try Self.skipSamples(of: message, in: &reader)
            }
            if countsToLedger {
                let day = isKnown ? self.stations[station].zone.localDay(at: received) : received / 86_400_000
                self.ledger[LedgerKey(station: isKnown ? message.station : 0, day: day), default: .init()] += counts
            }
        }
        self.sequence = sequence
        return applied
    }

    /// Steps over what a station we do not know sent, to the next message.
    private static func skipSamples(of message: FrameMessage, in reader: inout FrameReader) throws(FrameError) {
        for _ in 0..<message.sampleCount {
            let sample = try reader.nextSample()
            for _ in 0..<sample.readingCount { _ = try reader.nextReading() }
        }
    }

    private mutating func takeSamples(
        of message: FrameMessage, from reader: inout FrameReader, station: Int, isUnmerged: Bool,
        receivedSeconds: UInt32, sequence: Int64, into applied: inout Applied
    ) throws(FrameError) {
        for _ in 0..<message.sampleCount {
            let sample = try reader.nextSample()
            guard sample.readingCount > 0 else { continue }
            if isUnmerged {
                let receipts = Int(self.stations[station].receiptSeries)
                self.series[receipts].append(
                    Reading(
                        timeMilliseconds: sample.timeMilliseconds,
                        value: Receipts.value(
                            receivedSeconds: receivedSeconds, timeMilliseconds: sample.timeMilliseconds),
                        status: .measuring, receivedSeconds: 0))
            }
            for _ in 0..<sample.readingCount {
                let reading = try reader.nextReading()
                let number = Int(reading.series)
                applied.readings += 1
                guard isUnmerged, number < self.series.count else { continue }
                if self.series[number].isEmpty { self.stations[station].touchedSeries.append(reading.series) }
                self.series[number].append(
                    Reading(
                        timeMilliseconds: sample.timeMilliseconds, value: reading.value, status: reading.status,
                        receivedSeconds: receivedSeconds))
                if sample.timeMilliseconds > self.newest[number] {
                    self.newest[number] = sample.timeMilliseconds
                    applied.fresh += 1
                    self.stations[station].freshReadings += 1
                }
                let unmerged = self.series[number].count
                if unmerged > self.stations[station].fullestSeries {
                    self.stations[station].fullestSeries = unmerged
                }
            }
            if isUnmerged {
                self.readings += sample.readingCount
                self.entries += sample.readingCount + 1
                self.stations[station].readings += sample.readingCount
                if self.stations[station].oldestSequence == nil {
                    self.stations[station].oldestSequence = sequence
                    self.stations[station].oldestReceivedMilliseconds = Int64(receivedSeconds) * 1_000
                }
            }
        }
    }

    /// Forgets what was merged of a station through a frame.
    mutating func didMerge(station number: Int32, through sequence: Int64) {
        var part = self.stations[Int(number)]
        self.readings -= part.readings
        self.entries -= part.readings + self.series[Int(part.receiptSeries)].count
        for series in part.touchedSeries { self.series[Int(series)] = [] }
        self.series[Int(part.receiptSeries)] = []
        part.touchedSeries = []
        part.mergedThrough = sequence
        part.oldestSequence = nil
        part.readings = 0
        part.fullestSeries = 0
        part.freshReadings = 0
        self.stations[Int(number)] = part
    }
}

extension HeadState.StationPart {
    /// Enters a numbered message into the account of its boot; says whether the number is new.
    fileprivate mutating func receive(_ sequence: Int64, boot: UnsafeRawBufferPointer) -> Bool {
        self.accountsChanged = true
        if let index = self.accounts.lastIndex(where: { $0.boot.elementsEqual(boot) }) {
            return self.accounts[index].receive(sequence)
        }
        let opened = (self.accounts.map(\.opened).max() ?? 0) + 1
        self.accounts.append(SequenceAccount(boot: Array(boot), opened: opened, firstSequence: sequence))
        if self.accounts.count > StoreLimits.bootsKeptMax { self.accounts.removeFirst() }
        return true
    }
}
