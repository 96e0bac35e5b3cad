import Alerting
import FieldFormats
import Monitoring
package import TimeSeriesStore

/// What bringing things back did.
package struct ReleaseReport: Sendable, Hashable {
    /// Dead letters or values that were taken up.
    package var taken = 0
    /// Readings that went into the journal.
    package var readings = 0
    /// Those that are still what they were; they stay where they are.
    package var refused = 0

    package init() {}
}

/// Brings dead letters and quarantined values back, after a station was added or a clock mended.
///
/// They go through the same decoder and the same journal as what arrives, in one transaction with their removal from
/// where they lay. No alert is judged by them.
package struct Release {
    private let writer: StoreWriter
    private let topicPrefix: String
    private let bounds: DeviceTimeBounds
    private let nowMilliseconds: Int64

    /// - Parameter bounds: device times that are believed; the claimed times are held against now.
    package init(writer: StoreWriter, topicPrefix: String, bounds: DeviceTimeBounds, nowMilliseconds: Int64) {
        self.writer = writer
        self.topicPrefix = topicPrefix
        self.bounds = bounds
        self.nowMilliseconds = nowMilliseconds
    }

    /// Decodes dead letters again; what still cannot be read stays a dead letter.
    package func deadLetters(_ letters: [DeadLetterRow]) throws -> ReleaseReport {
        var report = ReleaseReport()
        let builder = BatchBuilder(
            topicPrefix: self.topicPrefix, markerStation: "", bounds: self.bounds,
            directory: StationDirectory(registry: self.writer.registry), alerts: .empty, stationsWithClockOff: [],
            reserveIncident: self.writer.reserveIncident)
        for letter in letters {
            guard letter.sha256 == nil else {
                report.refused += 1
                continue
            }
            builder.begin(receivedMilliseconds: self.nowMilliseconds, outage: nil)
            var topic = letter.topic
            topic.withUTF8 { topic in
                letter.payload.withUnsafeBytes { payload in
                    builder.take(topic: topic, payload: payload, isQoS0: false, flags: .released)
                }
            }
            guard builder.effects.deadLetters.isEmpty, !builder.isEmpty else {
                report.refused += 1
                continue
            }
            builder.finish()
            let committed = try self.writer.commitReleased(
                builder.frame, builder.header, builder.effects, deadLetters: [letter.id], quarantined: [])
            builder.commit()
            report.taken += 1
            report.readings += committed.readings
        }
        return report
    }

    /// Stores quarantined values, with their device times shifted; what still has no series or time stays.
    ///
    /// - Parameter shiftMilliseconds: added to the claimed time, for a clock that was off.
    package func quarantined(_ values: [QuarantineRow], shiftMilliseconds: Int64) throws -> ReleaseReport {
        var report = ReleaseReport()
        let registry = self.writer.registry
        let frame = FrameWriter()
        frame.begin(receivedMilliseconds: self.nowMilliseconds)
        var released: [Int64] = []
        for row in values {
            let time = row.timeMilliseconds + shiftMilliseconds
            guard let value = row.value, value.isFinite, let status = Status(row.status),
                let station = StationID(row.station), let parameter = ParameterID(row.parameter),
                let series = registry.series(station, parameter),
                time >= registry.station(of: series).sealedBeforeMilliseconds,
                self.bounds.reason(time, receivedMilliseconds: self.nowMilliseconds) == nil
            else {
                report.refused += 1
                continue
            }
            frame.beginMessage(
                station: registry.station(of: series).number, flags: .released, quarantinedCount: 0, sequence: nil,
                boot: UnsafeBufferPointer(start: nil, count: 0))
            frame.beginSamples(count: 1)
            frame.beginSample(timeMilliseconds: time, readingCount: 1, allMeasuring: status == .measuring)
            frame.addReading(series: series.number, value: value, status: status)
            released.append(row.id)
        }
        guard !released.isEmpty else { return report }
        let committed = try self.writer.commitReleased(
            frame, FrameHeader(kind: .messages, receivedMilliseconds: self.nowMilliseconds), BatchEffects(),
            deadLetters: [], quarantined: released)
        report.taken = released.count
        report.readings = committed.readings
        return report
    }
}
