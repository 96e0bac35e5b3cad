import Alerting
import CMosquitto
import FieldFormats
import FoundationEssentials
import Monitoring
import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Device times that are believed (invariant I6).
package struct DeviceTimeBounds: Sendable {
    package var oldestMilliseconds: Int64
    package var newestMilliseconds: Int64

    package init(oldestDays: Int64, newestSeconds: Int64) {
        self.oldestMilliseconds = oldestDays * Civil.millisecondsPerDay
        self.newestMilliseconds = newestSeconds * Civil.millisecondsPerSecond
    }

    /// Why a claimed time is not believed at a receipt time; nil when it is.
    func reason(_ timeMilliseconds: Int64, receivedMilliseconds: Int64) -> QuarantineReason? {
        if timeMilliseconds > receivedMilliseconds &+ self.newestMilliseconds
            || timeMilliseconds >= TimeBounds.endMilliseconds - 1
        {
            return .tooNew
        }
        if timeMilliseconds < receivedMilliseconds &- self.oldestMilliseconds
            || timeMilliseconds < TimeBounds.earliestMilliseconds
        {
            return .tooOld
        }
        return nil
    }
}

/// A message that is no reading, as it came.
struct DeviceMessage: Equatable {
    let station: Int32
    let payload: [UInt8]
}

/// Turns the messages of a batch into one frame and the rows that go with it.
///
/// On the good path a message costs no allocation: the decoder and the frame keep their buffers, and what needs text
/// (dead letters, quarantine, transitions) is the exception.
final class BatchBuilder {
    let frame = FrameWriter()
    private(set) var effects = BatchEffects()
    /// Stations whose numbered messages are in this batch: their `…/stored` is due after the commit.
    private(set) var numberedStations: Set<Int32> = []
    /// When the newest of our own markers in this batch was sent; nil when there was none.
    private(set) var markerMilliseconds: Int64?
    /// What devices said to commands; looked at when the batch is durable.
    private(set) var responses: [DeviceMessage] = []
    /// The rules' states; staged until the batch is durable.
    var alerts: AlertBook
    private let topics: TopicParser
    private let markerStation: [UInt8]
    private let bounds: DeviceTimeBounds
    private let decoder = TelemetryDecoder()
    private(set) var directory: StationDirectory
    /// Whether any rule watches any series; asked of the book once a batch, because the answer copies it.
    private var hasRules = false
    private var raised: [AlertBook.Raised] = []
    private var receivedMilliseconds: Int64 = 0
    private var outage: Outage?
    /// By station index: whether an incident says that its clock is off.
    private var clockIsOff: [Bool] = []
    private var clockChanges: [Int: Bool] = [:]
    /// Whether all of a station comes late; staged until the batch is durable.
    var latenessBook = LatenessBook.none
    let reserveIncident: () -> Int64

    init(
        topicPrefix: String, markerStation: String, bounds: DeviceTimeBounds, directory: StationDirectory,
        alerts: AlertBook, stationsWithClockOff: Set<Int32>, reserveIncident: @escaping () -> Int64
    ) {
        self.topics = TopicParser(prefix: topicPrefix)
        self.markerStation = Array(markerStation.utf8)
        self.bounds = bounds
        self.directory = directory
        self.alerts = alerts
        self.reserveIncident = reserveIncident
        self.clockIsOff = directory.registry.stations.map { stationsWithClockOff.contains($0.number) }
    }

    /// Takes a changed registry; between batches.
    func adopt(_ directory: StationDirectory) {
        let off = Set(
            self.directory.registry.stations.enumerated().filter { self.clockIsOff[$0.offset] }.map(\.element.number))
        self.directory = directory
        self.clockIsOff = directory.registry.stations.map { off.contains($0.number) }
        self.latenessBook = self.latenessBook.adopted(directory.registry)
    }

    /// Starts a batch.
    func begin(receivedMilliseconds: Int64, outage: Outage?) {
        self.receivedMilliseconds = receivedMilliseconds
        self.outage = outage
        self.hasRules = self.alerts.bindings.slotCount > 0
        self.frame.begin(receivedMilliseconds: receivedMilliseconds)
        if !self.effects.isEmpty { self.effects = BatchEffects() }
        if !self.numberedStations.isEmpty { self.numberedStations.removeAll(keepingCapacity: true) }
        self.markerMilliseconds = nil
        if !self.responses.isEmpty { self.responses.removeAll(keepingCapacity: true) }
    }

    var isEmpty: Bool { self.frame.isEmpty && self.effects.isEmpty }
    var isFull: Bool {
        self.frame.messageCount >= IngestLimits.batchMessagesMax || self.frame.byteCount >= IngestLimits.batchBytesMax
    }

    var header: FrameHeader {
        FrameHeader(
            kind: .messages, receivedMilliseconds: self.receivedMilliseconds,
            outageFromMilliseconds: self.outage?.fromMilliseconds ?? 0,
            outageToMilliseconds: self.outage?.toMilliseconds ?? 0, messageCount: self.frame.messageCount)
    }

    // MARK: Messages

    /// Takes a message of the broker.
    func take(_ message: mosquitto_message) {
        guard let topic = message.topic else { return }
        let payload = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
        let length = strlen(topic)
        topic.withMemoryRebound(to: UInt8.self, capacity: length) { bytes in
            self.take(
                topic: UnsafeBufferPointer(start: bytes, count: length), payload: payload, isQoS0: message.qos == 0,
                flags: [])
        }
    }

    /// Takes a message from wherever it comes.
    func take(
        topic: UnsafeBufferPointer<UInt8>, payload: UnsafeRawBufferPointer, isQoS0: Bool, flags extra: MessageFlags
    ) {
        var flags = extra
        if isQoS0 { flags.insert(.qos0) }
        guard let parsed = self.topics.parse(topic) else {
            return self.deadLetter(
                .unknownTopic, "no topic of ours", topic, payload, station: 0, name: nil, flags: flags)
        }
        if parsed.station.first == UInt8(ascii: "_") {
            guard parsed.station.elementsEqual(self.markerStation) else { return }
            // What is said there about the session is no number, and no marker.
            if let sent = Int64(String(decoding: payload.prefix(20), as: UTF8.self)) { self.markerMilliseconds = sent }
            return
        }
        guard let index = self.directory.stationIndex(of: parsed.station) else {
            if parsed.kind == .status || parsed.kind == .response { return }
            let name = String(decoding: parsed.station, as: UTF8.self)
            return self.deadLetter(
                .unknownStation, "station \(name) is not in the registry; add it with `quantrac station import`", topic,
                payload, station: 0, name: name, flags: flags)
        }
        switch parsed.kind {
        case .telemetry: self.telemetry(topic, payload, station: index, flags: flags)
        case .history: self.telemetry(topic, payload, station: index, flags: flags.union(.history))
        case .status: self.presence(payload, station: index)
        case .event: self.event(topic, payload, station: index, flags: flags)
        case .response: self.response(payload, station: index)
        }
    }

    private func telemetry(
        _ topic: UnsafeBufferPointer<UInt8>, _ payload: UnsafeRawBufferPointer, station index: Int, flags: MessageFlags
    ) {
        let station = self.directory.registry.stations[index].number
        let outcome = self.decoder.decode(payload, stationIndex: index, directory: self.directory)
        if self.decoder.sequence != nil { self.numberedStations.insert(station) }
        if case .deadLetter(let reason, let detail) = outcome {
            return self.deadLetter(
                reason, detail, topic, payload, station: station,
                name: self.directory.registry.stations[index].id.text, flags: flags)
        }
        let samples = self.decoder.samples
        let values = self.decoder.values
        var quarantinedCount = 0
        for sample in samples {
            let timeReason = self.timeReason(sample.timeMilliseconds, station: index)
            for position in Int(sample.valueStart)..<Int(sample.valueEnd)
            where timeReason != nil || values[position].reason != 0 {
                quarantinedCount += 1
                self.quarantine(values[position], of: sample, station: index, timeReason: timeReason)
            }
            self.noteClock(
                station: index, isOff: timeReason != nil && timeReason != .sealed, claimed: sample.timeMilliseconds)
        }
        self.frame.beginMessage(
            station: station, flags: flags, quarantinedCount: quarantinedCount, sequence: self.decoder.sequence,
            boot: self.decoder.boot)
        self.frame.beginSamples(count: samples.count)
        var newest = Int64.min
        for sample in samples where self.write(sample, values, station: index, mayAlert: flags.mayAlert) {
            newest = max(newest, sample.timeMilliseconds)
        }
        guard newest > .min, flags.mayAlert else { return }
        if let change = self.latenessBook.observe(
            station: index, timeMilliseconds: newest, receivedMilliseconds: self.receivedMilliseconds,
            outage: self.outage)
        {
            self.note(change, station: index, receivedMilliseconds: self.receivedMilliseconds)
        }
    }

    /// Why nothing of a device time is taken; nil when it is.
    private func timeReason(_ timeMilliseconds: Int64, station index: Int) -> QuarantineReason? {
        self.bounds.reason(timeMilliseconds, receivedMilliseconds: self.receivedMilliseconds)
            ?? (timeMilliseconds < self.directory.registry.stations[index].sealedBeforeMilliseconds ? .sealed : nil)
    }

    /// - Returns: whether any of its readings was taken.
    private func write(
        _ sample: DecodedSample, _ values: UnsafeBufferPointer<DecodedValue>, station index: Int, mayAlert: Bool
    ) -> Bool {
        let isBelieved = self.timeReason(sample.timeMilliseconds, station: index) == nil
        let range = Int(sample.valueStart)..<Int(sample.valueEnd)
        var readingCount = 0
        var allMeasuring = true
        if isBelieved {
            for position in range where values[position].reason == 0 {
                readingCount += 1
                if !values[position].status.isMeasuring { allMeasuring = false }
            }
        }
        self.frame.beginSample(
            timeMilliseconds: sample.timeMilliseconds, readingCount: readingCount, allMeasuring: allMeasuring)
        guard readingCount > 0 else { return false }
        let judges = mayAlert && self.hasRules
        let late =
            judges
            ? lateness(
                receivedMilliseconds: self.receivedMilliseconds, timeMilliseconds: sample.timeMilliseconds,
                outage: self.outage) : 0
        let series = self.directory.registry.series
        for position in range where values[position].reason == 0 {
            let value = values[position]
            let index = Int(value.seriesIndex)
            self.frame.addReading(series: series[index].number, value: value.value, status: value.status)
            if judges {
                self.alerts.observe(
                    seriesIndex: index, value: value.value, status: value.status,
                    timeMilliseconds: sample.timeMilliseconds, latenessMilliseconds: late, into: &self.raised)
            }
        }
        return true
    }

    // MARK: The exceptions

    func append(_ change: IncidentChange) { self.effects.incidents.append(change) }

    private func deadLetter(
        _ reason: DeadLetterReason, _ detail: String, _ topic: UnsafeBufferPointer<UInt8>,
        _ payload: UnsafeRawBufferPointer, station: Int32, name: String?, flags: MessageFlags
    ) {
        self.frame.beginMessage(
            station: station, flags: flags.union(.deadLetter), quarantinedCount: 0,
            sequence: station == 0 ? nil : self.decoder.sequence, boot: self.decoder.boot)
        let isCut = payload.count > DeadLetter.payloadBytesMax
        self.effects.deadLetters.append(
            DeadLetter(
                receivedMilliseconds: self.receivedMilliseconds, topic: String(decoding: topic, as: UTF8.self),
                station: name, reason: reason, detail: detail, byteCount: payload.count,
                payload: Array(payload.prefix(DeadLetter.payloadBytesMax)),
                sha256: isCut ? sha256Hex(payload) : nil))
    }

    private func quarantine(
        _ value: DecodedValue, of sample: DecodedSample, station index: Int, timeReason: QuarantineReason?
    ) {
        let own = QuarantineReason(rawValue: value.reason)
        guard let reason = own ?? timeReason else { return }
        self.effects.quarantined.append(
            QuarantinedValue(
                receivedMilliseconds: self.receivedMilliseconds,
                station: self.directory.registry.stations[index].id.text,
                parameter: self.decoder.parameterName(of: value), timeMilliseconds: sample.timeMilliseconds,
                value: value.value.isFinite ? value.value : nil, text: self.decoder.rawValue(of: value),
                status: self.decoder.rawStatus(of: value) ?? value.status.description, reason: reason))
    }

    private func presence(_ payload: UnsafeRawBufferPointer, station index: Int) {
        guard let online = self.decoder.online(in: payload) else { return }
        self.effects.presence.append(
            (
                self.directory.registry.stations[index].number, online,
                String(decoding: payload.prefix(1_024), as: UTF8.self)
            ))
    }

    private func response(_ payload: UnsafeRawBufferPointer, station index: Int) {
        // Beyond the bounds it is as good as not sent: the device is asked again.
        guard payload.count <= IngestLimits.responseBytesMax,
            self.responses.count < IngestLimits.responsesPerBatchMax
        else { return }
        self.responses.append(
            DeviceMessage(station: self.directory.registry.stations[index].number, payload: Array(payload)))
    }

    /// What an event is kept under; weigh tickets are often numbered.
    private struct EventKey: Decodable {
        let kind: String
        let id: String?

        private enum Keys: String, CodingKey {
            case kind
            case id
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            self.kind = try container.decode(String.self, forKey: .kind)
            if let number = try? container.decode(Int64.self, forKey: .id) {
                self.id = "\(number)"
            } else {
                self.id = try container.decodeIfPresent(String.self, forKey: .id)
            }
        }
    }

    private func event(
        _ topic: UnsafeBufferPointer<UInt8>, _ payload: UnsafeRawBufferPointer, station index: Int,
        flags: MessageFlags
    ) {
        let station = self.directory.registry.stations[index]
        guard payload.count <= TelemetryDecoder.payloadBytesMax,
            let key = try? JSONDecoder().decode(EventKey.self, from: Data(payload))
        else {
            return self.deadLetter(
                payload.count > TelemetryDecoder.payloadBytesMax ? .tooLarge : .badShape,
                "an event is a JSON object with `kind` and, if it has one, `id`", topic, payload,
                station: station.number, name: station.id.text, flags: flags)
        }
        self.effects.events.append(
            (station.number, key.kind, key.id ?? sha256Hex(payload), String(decoding: payload, as: UTF8.self)))
    }

    private func noteClock(station index: Int, isOff: Bool, claimed: Int64) {
        guard (self.clockChanges[index] ?? self.clockIsOff[index]) != isOff else { return }
        self.clockChanges[index] = isOff
        let station = self.directory.registry.stations[index]
        let subject = "station:\(station.number)"
        guard isOff else {
            self.effects.incidents.append(
                .cleared(rule: "quantrac.clock", subject: subject, atMilliseconds: self.receivedMilliseconds))
            return
        }
        self.effects.incidents.append(
            .open(
                id: self.reserveIncident(), name: "quantrac.clock/\(station.id)/\(self.receivedMilliseconds)",
                rule: "quantrac.clock", subject: subject, series: nil, station: station.number, severity: "warning",
                openedMilliseconds: self.receivedMilliseconds, sinceMilliseconds: self.receivedMilliseconds,
                value: nil, bound: nil, foundLate: false,
                detail: "The clock of station \(station.id) is off: it claims "
                    + "\(Civil.formatRFC3339(milliseconds: claimed)) for what was received at "
                    + "\(Civil.formatRFC3339(milliseconds: self.receivedMilliseconds)); the values are in quarantine"))
    }

    // MARK: The end of a batch

    /// Turns the transitions of the batch into rows; call once, before the commit.
    func finish() {
        guard !self.raised.isEmpty else { return }
        AlertEffects.append(
            self.raised, of: self.alerts.bindings, to: &self.effects, nowMilliseconds: self.receivedMilliseconds,
            reserveIncident: self.reserveIncident)
        self.raised.removeAll(keepingCapacity: true)
    }

    /// The batch is durable.
    func commit() {
        self.alerts.commit()
        self.latenessBook.commit()
        for (index, isOff) in self.clockChanges { self.clockIsOff[index] = isOff }
        self.clockChanges.removeAll(keepingCapacity: true)
    }

    /// The batch is not durable: its messages will be delivered again.
    func rollBack() {
        self.alerts.rollBack()
        self.latenessBook.rollBack()
        self.raised.removeAll(keepingCapacity: true)
        self.clockChanges.removeAll(keepingCapacity: true)
    }
}
