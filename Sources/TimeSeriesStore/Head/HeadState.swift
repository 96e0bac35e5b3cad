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
        var log = StationLog()
        /// The largest number of unmerged readings of one series.
        var fullestSeries = 0
        /// Readings that were newer than everything before them: known to be stored when they were committed.
        var freshReadings = 0
        var touchedSeries: [Int32] = []
        var lastReceivedMilliseconds: Int64 = 0
        /// The same as it is in the store.
        var heardFolded: Int64 = 0
        /// Accounts of numbered messages, the newest boot last.
        var accounts: [SequenceAccount] = []
        var accountsChanged = false
        /// Holes that left the accounts since the last fold.
        var holesGivenUp: [SequenceHole] = []

        /// Notes that the station itself sent something.
        mutating func heard(_ receivedMilliseconds: Int64) {
            self.lastReceivedMilliseconds = max(self.lastReceivedMilliseconds, receivedMilliseconds)
        }

        /// False for a number that no station has.
        var isKnown: Bool { self.receiptSeries != 0 }
    }

    /// By station number; `isKnown` is false for a number not in use.
    var stations: [StationPart] = []
    /// What is looked up for every reading; the series of a station lie beside each other.
    struct SeriesPart {
        /// Newest device time ever stored; -1 for none.
        var newest: Int64 = -1
        var unmergedCount = 0
    }

    /// By series number.
    var series: [SeriesPart] = []
    /// Unmerged readings of all stations.
    var readings = 0
    /// Bytes of all stations' logs.
    var bytes = 0
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
        while self.series.count <= Int(largestSeries) { self.series.append(SeriesPart()) }
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
            var times: ClosedRange<Int64>?
            if isKnown {
                if !message.flags.contains(.released) { self.stations[station].heard(received) }
                let mergeable = sequence > self.stations[station].mergedThrough
                let before = applied.readings
                times = try self.takeSamples(
                    of: message, from: &reader, station: station, isUnmerged: mergeable,
                    received: received, sequence: sequence, into: &applied)
                counts.readings = applied.readings - before
            } else {
                _ = try Self.skipSamples(of: message, in: &reader)
            }
            var isRepeated = false
            if isKnown, countsToLedger, let number = message.sequence {
                // What has no reading, such as a dead letter, stands at the time it came.
                isRepeated = !self.stations[station].receive(
                    number, boot: message.boot, times: times ?? received...received)
            }
            if message.flags.contains(.deadLetter) {
                counts.deadLettered = 1
            } else if isRepeated {
                counts.repeated = 1
            } else {
                counts.decoded = 1
            }
            if countsToLedger {
                let day = isKnown ? self.stations[station].zone.localDay(at: received) : received / 86_400_000
                self.ledger[LedgerKey(station: isKnown ? message.station : 0, day: day), default: .init()] += counts
            }
        }
        self.sequence = sequence
        return applied
    }

    /// Steps over what is merged, or of a station we do not know, to the next message; returns how many readings, and
    /// their times.
    private static func skipSamples(
        of message: FrameMessage, in reader: inout FrameReader
    ) throws(FrameError) -> (readings: Int, times: ClosedRange<Int64>?) {
        var readings = 0
        var times = SampleTimes()
        for _ in 0..<message.sampleCount {
            let sample = try reader.nextSample()
            readings += sample.readingCount
            if sample.readingCount > 0 { times.take(sample.timeMilliseconds) }
            for _ in 0..<sample.readingCount { _ = try reader.nextReading() }
        }
        return (readings, times.range)
    }

    /// The device times of a message.
    private struct SampleTimes {
        var earliest = Int64.max
        var latest = Int64.min

        mutating func take(_ milliseconds: Int64) {
            self.earliest = min(self.earliest, milliseconds)
            self.latest = max(self.latest, milliseconds)
        }

        var range: ClosedRange<Int64>? { self.earliest <= self.latest ? self.earliest...self.latest : nil }
    }

    /// Takes the samples of a message; returns the times of those with readings, nil when there are none.
    private mutating func takeSamples(
        of message: FrameMessage, from reader: inout FrameReader, station: Int, isUnmerged: Bool,
        received: Int64, sequence: Int64, into applied: inout Applied
    ) throws(FrameError) -> ClosedRange<Int64>? {
        guard message.sampleCount > 0 else { return nil }
        guard isUnmerged else {
            let skipped = try Self.skipSamples(of: message, in: &reader)
            applied.readings += skipped.readings
            return skipped.times
        }
        var times = SampleTimes()
        let start = reader.position
        var filledSamples = 0
        var readings = 0
        var fresh = 0
        var fullest = self.stations[station].fullestSeries
        for _ in 0..<message.sampleCount {
            let sample = try reader.nextSample()
            if sample.readingCount > 0 {
                filledSamples += 1
                times.take(sample.timeMilliseconds)
            }
            readings += sample.readingCount
            for _ in 0..<sample.readingCount {
                let number = Int(try reader.nextReading().series)
                guard number < self.series.count else { continue }
                let unmerged = self.series[number].unmergedCount + 1
                self.series[number].unmergedCount = unmerged
                if unmerged == 1 { self.stations[station].touchedSeries.append(Int32(number)) }
                if unmerged > fullest { fullest = unmerged }
                if sample.timeMilliseconds > self.series[number].newest {
                    self.series[number].newest = sample.timeMilliseconds
                    fresh += 1
                }
            }
        }
        guard readings > 0 else { return nil }
        applied.readings += readings
        applied.fresh += fresh
        self.stations[station].fullestSeries = fullest
        self.stations[station].freshReadings += fresh
        self.readings += readings
        self.bytes -= self.stations[station].log.bytes.count
        self.stations[station].log.append(
            reader.bytes(since: start), sampleCount: message.sampleCount, receivedMilliseconds: received,
            filledSamples: filledSamples, readings: readings)
        self.bytes += self.stations[station].log.bytes.count
        if self.stations[station].oldestSequence == nil {
            self.stations[station].oldestSequence = sequence
            self.stations[station].oldestReceivedMilliseconds = Civil.floorDivide(received, 1_000) * 1_000
        }
        return times.range
    }

    /// Forgets what was merged of a station through a frame.
    mutating func didMerge(station number: Int32, through sequence: Int64) {
        var part = self.stations[Int(number)]
        self.readings -= part.log.readingCount
        self.bytes -= part.log.bytes.count
        for series in part.touchedSeries { self.series[Int(series)].unmergedCount = 0 }
        part.touchedSeries = []
        part.log = StationLog()
        part.mergedThrough = sequence
        part.oldestSequence = nil
        part.fullestSeries = 0
        part.freshReadings = 0
        self.stations[Int(number)] = part
    }
}

extension HeadState.StationPart {
    /// Enters a numbered message into the account of its boot; says whether the number is new.
    fileprivate mutating func receive(
        _ sequence: Int64, boot: UnsafeRawBufferPointer, times: ClosedRange<Int64>
    ) -> Bool {
        self.accountsChanged = true
        if let index = self.accounts.lastIndex(where: { $0.boot.elementsEqual(boot) }) {
            let receipt = self.accounts[index].receive(sequence, timesMilliseconds: times)
            if let hole = receipt.givenUp { self.giveUp([hole]) }
            return receipt.isNew
        }
        let opened = (self.accounts.map(\.opened).max() ?? 0) + 1
        self.accounts.append(
            SequenceAccount(boot: Array(boot), opened: opened, firstSequence: sequence, timesMilliseconds: times))
        if self.accounts.count > StoreLimits.bootsKeptMax { self.giveUp(self.accounts.removeFirst().holes) }
        return true
    }

    /// Puts holes aside that no account remembers any more; beyond the bound they are only in the counts.
    mutating func giveUp(_ holes: [SequenceHole]) {
        let room = StoreLimits.holesUnfoldedMax - self.holesGivenUp.count
        if room > 0 { self.holesGivenUp += holes.prefix(room) }
    }
}
