import Monitoring

/// Bytes of `…/telemetry` and `…/history` → samples and values: the payload of Quantrac's own devices.
///
/// ```json
/// {"seq": 4711, "boot": "b1", "ts": 1795420800000, "values": {"PM2.5": 31.4}, "status": {"PM2.5": "01"}}
/// {"samples": [{"ts": "2026-11-23T09:00:00+07:00", "values": {"pH": 7.2}}]}
/// ```
///
/// A message that can be read costs no allocation and no String. What is wrong with a message as a whole is told in
/// this order: too large, not UTF-8, not JSON, too deep, a duplicate key, not an object, `seq`, `boot`, then sample by
/// sample its shape, its time, and whether it is empty.
///
/// NOT for use by two threads at once.
package final class TelemetryDecoder {
    /// A longer payload is a dead letter.
    package static var payloadBytesMax: Int { Limits.payloadBytesMax }

    /// The sequence number of the last payload; nil when it has none, or when it or the boot id cannot be read.
    ///
    /// Of a dead letter, too, as far as the payload is JSON.
    package var sequence: Int64? { self.sequenceRead }
    /// The boot id of the last payload (UTF-8); empty when it has none.
    ///
    /// Valid until the next call.
    package var boot: UnsafeBufferPointer<UInt8> { self.bootRead }
    private var sequenceRead: Int64?
    private var bootRead = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private var sampleCount = 0
    private var valueCount = 0
    private let memory = DecoderMemory()
    let parser = JSONParser()

    package init() {}

    /// The samples of the last message, in its order.
    ///
    /// Valid until the next call; empty after a dead letter.
    package var samples: UnsafeBufferPointer<DecodedSample> {
        UnsafeBufferPointer(start: self.memory.samples, count: self.sampleCount)
    }

    /// The values of all samples of the last message.
    ///
    /// Valid until the next call; empty after a dead letter.
    package var values: UnsafeBufferPointer<DecodedValue> {
        UnsafeBufferPointer(start: self.memory.values, count: self.valueCount)
    }

    /// Decodes a payload of a station of the directory.
    ///
    /// Device times are not judged: the caller has the clock.
    package func decode(
        _ payload: UnsafeRawBufferPointer, stationIndex: Int, directory: StationDirectory
    ) -> DecodeOutcome {
        self.reset()
        guard payload.count <= Limits.payloadBytesMax else {
            return .deadLetter(
                .tooLarge, detail: "\(payload.count) bytes are more than \(Limits.payloadBytesMax)")
        }
        switch self.parser.parse(payload) {
        case .parsed: break
        case .invalidUTF8: return .deadLetter(.invalidUTF8, detail: "not valid UTF-8")
        case .notJSON:
            return .deadLetter(.notJSON, detail: payload.isEmpty ? "no bytes" : self.parser.message)
        case .tooDeep: return .deadLetter(.tooDeep, detail: "arrays and objects nest deeper than 8")
        }
        if directory.parametersPerStationMax > self.memory.slotCapacity {
            self.memory.reserveSlots(directory.parametersPerStationMax)
        }
        var reader = MessageReader(
            tape: self.parser.tape, parameters: directory.parameters(ofStation: stationIndex), memory: self.memory)
        do throws(MessageFailure) {
            let members = try reader.members()
            try self.readIdentity(sequence: members.sequence, boot: members.boot)
            try reader.readSamples(members)
            withExtendedLifetime(directory) {}
            self.memory.generation = reader.generation
            self.sampleCount = reader.sampleCount
            self.valueCount = reader.valueCount
            return .message
        } catch {
            self.memory.generation = reader.generation
            return self.deadLetter(of: error, directory: directory, stationIndex: stationIndex)
        }
    }

    func reset() {
        self.sequenceRead = nil
        self.bootRead = UnsafeBufferPointer(start: nil, count: 0)
        self.sampleCount = 0
        self.valueCount = 0
    }

    // MARK: Identity

    /// Reads `seq` and `boot` (tape indices, 0 for absent).
    ///
    /// Both or none are kept: a number without its boot says nothing.
    private func readIdentity(sequence: Int, boot: Int) throws(MessageFailure) {
        let tape = self.parser.tape
        var number: Int64?
        if sequence != 0 {
            number = self.sequence(at: sequence)
            guard number != nil else {
                throw MessageFailure(reason: .badShape, detail: "`seq` is no integer in 0…2^53")
            }
        }
        if boot != 0 {
            guard tape.type(at: boot) == TapeType.text else {
                throw MessageFailure(reason: .badShape, detail: "`boot` is no text")
            }
            let text = tape.text(at: boot)
            guard text.count <= Limits.bootScalarsMax || scalarCount(text) <= Limits.bootScalarsMax else {
                throw MessageFailure(reason: .badShape, detail: "`boot` has more than 32 characters")
            }
            self.bootRead = text
        }
        self.sequenceRead = number
    }

    private func sequence(at index: Int) -> Int64? {
        let number: Int64
        switch self.parser.tape.type(at: index) {
        case TapeType.signed: number = Int64(bitPattern: self.parser.tape.numberBits(at: index))
        case TapeType.double:
            // `4711.0` is an integer too: some encoders write all numbers like that.
            guard let exact = Int64(exactly: Double(bitPattern: self.parser.tape.numberBits(at: index))) else {
                return nil
            }
            number = exact
        default: return nil
        }
        return (0...Limits.sequenceMax).contains(number) ? number : nil
    }

    // MARK: Dead letters

    /// The slow path: settles which of several reasons is told, and reads the identity if reading stopped before it.
    private func deadLetter(
        of failure: MessageFailure, directory: StationDirectory, stationIndex: Int
    ) -> DecodeOutcome {
        self.readIdentityLoosely()
        let tape = self.parser.tape
        var failure = failure
        if tape.depth() > Limits.nestingMax {
            failure = MessageFailure(reason: .tooDeep, detail: "arrays and objects nest deeper than 8")
        } else if tape.isContainer(at: Tape.root) {
            var reader = MessageReader(
                tape: tape, parameters: directory.parameters(ofStation: stationIndex), memory: self.memory)
            do throws(MessageFailure) { try reader.check(Tape.root, depth: 1) } catch { failure = error }
        }
        guard failure.keyIndex != 0 else { return .deadLetter(failure.reason, detail: "\(failure.detail)") }
        return .deadLetter(failure.reason, detail: "\(failure.detail): \(self.rawText(at: failure.keyIndex))")
    }

    /// Reads `seq` and `boot` when each comes at most once, whatever else is wrong.
    private func readIdentityLoosely() {
        self.sequenceRead = nil
        self.bootRead = UnsafeBufferPointer(start: nil, count: 0)
        let tape = self.parser.tape
        guard tape.type(at: Tape.root) == TapeType.object else { return }
        var sequence = 0
        var boot = 0
        var index = Tape.root + 1
        while index < tape.close(of: Tape.root) {
            let text = tape.text(at: index)
            if text.elementsEqual("seq".utf8) {
                guard sequence == 0 else { return }
                sequence = index + 1
            } else if text.elementsEqual("boot".utf8) {
                guard boot == 0 else { return }
                boot = index + 1
            }
            index = tape.next(after: index + 1)
        }
        do throws(MessageFailure) { try self.readIdentity(sequence: sequence, boot: boot) } catch {
            self.bootRead = UnsafeBufferPointer(start: nil, count: 0)
        }
    }
}

/// Unicode scalars of valid UTF-8.
private func scalarCount(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    text.reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
}
