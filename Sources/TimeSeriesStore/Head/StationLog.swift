import Monitoring

/// The unmerged samples of one station, one message after another as they stand in their frames: about 9 bytes a
/// reading, appended in one piece.
///
/// Grouped by station and not by series, because a message holds all parameters of a station: appending each reading to
/// an array of its series missed the cache twice a reading (measured: a quarter of the ingest's time).
///
/// A message is: receipt time (8 bytes, ms since 1970), number of samples (4 bytes), and its samples as in
/// `FrameLayout`.
struct StationLog: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Samples with at least one reading.
    private(set) var sampleCount = 0
    private(set) var readingCount = 0

    private static let headerBytes = 12

    var isEmpty: Bool { self.bytes.isEmpty }

    /// - Parameters:
    ///   - samples: the bytes of a message's samples.
    ///   - sampleCount: how many those are.
    mutating func append(
        _ samples: UnsafeRawBufferPointer, sampleCount: Int, receivedMilliseconds: Int64, filledSamples: Int,
        readings: Int
    ) {
        let needed = self.bytes.count + Self.headerBytes + samples.count
        // Growing by half: doubling would leave a third of the head's memory empty.
        if needed > self.bytes.capacity { self.bytes.reserveCapacity(max(needed + needed / 2, 256)) }
        withUnsafeBytes(of: receivedMilliseconds.littleEndian) { self.bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(sampleCount).littleEndian) { self.bytes.append(contentsOf: $0) }
        self.bytes.append(contentsOf: samples)
        self.sampleCount += filledSamples
        self.readingCount += readings
    }

    /// Hands over the readings in order of arrival; `sample` before those of each sample.
    func forEach(
        sample: (_ timeMilliseconds: Int64, _ receivedSeconds: UInt32) -> Void,
        reading: (_ series: Int32, _ reading: Reading) -> Void
    ) {
        self.bytes.withUnsafeBytes { bytes in
            // The frame was walked whole before it was appended: this cannot fail.
            try? Self.walk(bytes, sample: sample, reading: reading)
        }
    }

    private static func walk(
        _ bytes: UnsafeRawBufferPointer, sample: (Int64, UInt32) -> Void, reading: (Int32, Reading) -> Void
    ) throws(FrameError) {
        var reader = SampleReader(bytes, position: 0, sequence: 0)
        while !reader.isAtEnd {
            let header = try reader.take(self.headerBytes)
            reader.receivedMilliseconds = Int64(littleEndian: header.loadUnaligned(as: Int64.self))
            let received = UInt32(clamping: Civil.floorDivide(reader.receivedMilliseconds, 1_000))
            let sampleCount = UInt32(littleEndian: header.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
            reader.beginMessage()
            for _ in 0..<sampleCount {
                let item = try reader.nextSample()
                if item.readingCount > 0 { sample(item.timeMilliseconds, received) }
                for _ in 0..<item.readingCount {
                    let next = try reader.nextReading()
                    reading(
                        next.series,
                        Reading(
                            timeMilliseconds: item.timeMilliseconds, value: next.value, status: next.status,
                            receivedSeconds: received))
                }
            }
        }
    }

    /// The receipt time of a sample as a reading of the station's receipt series; see `Receipts`.
    static func receipt(_ timeMilliseconds: Int64, _ receivedSeconds: UInt32) -> Reading {
        Reading(
            timeMilliseconds: timeMilliseconds,
            value: Receipts.value(receivedSeconds: receivedSeconds, timeMilliseconds: timeMilliseconds),
            status: .measuring, receivedSeconds: 0)
    }

    /// The readings of one series, and the station's receipt times, in order of arrival.
    func readings(of series: Int32) -> (readings: [Reading], receipts: [Reading]) {
        var readings: [Reading] = []
        var receipts: [Reading] = []
        receipts.reserveCapacity(self.sampleCount)
        self.forEach {
            receipts.append(Self.receipt($0, $1))
        } reading: { number, reading in
            if number == series { readings.append(reading) }
        }
        return (readings, receipts)
    }

    /// The readings of every series, by number, and the station's receipt times, in order of arrival.
    func bySeries() -> (readings: [(series: Int32, readings: [Reading])], receipts: [Reading]) {
        var readings: [(series: Int32, readings: [Reading])] = []
        var receipts: [Reading] = []
        receipts.reserveCapacity(self.sampleCount)
        // A message names the series in the order of the one before it, so that the next place is nearly always right.
        var places: [Int32: Int] = [:]
        var next = 0
        self.forEach {
            receipts.append(Self.receipt($0, $1))
            next = 0
        } reading: { number, reading in
            if next >= readings.count || readings[next].series != number {
                if let place = places[number] {
                    next = place
                } else {
                    next = readings.count
                    places[number] = next
                    readings.append((series: number, readings: []))
                }
            }
            readings[next].readings.append(reading)
            next += 1
        }
        return (readings.sorted { $0.series < $1.series }, receipts)
    }
}
