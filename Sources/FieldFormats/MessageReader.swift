import Monitoring

/// Why a parsed document is not a message.
struct MessageFailure: Error {
    let reason: DeadLetterReason
    let detail: StaticString
    /// The key it is about, on the tape; 0 for none.
    var keyIndex = 0
}

/// Reads one parsed document into the decoder's memory.
///
/// Lives on the stack for the length of one message.
///
/// Depths are counted as everybody does: the message itself is 1.
struct MessageReader {
    let tape: Tape
    let parameters: StationDirectory.ParameterTable
    let values: UnsafeMutablePointer<DecodedValue>
    let samples: UnsafeMutablePointer<DecodedSample>
    let slots: UnsafeMutablePointer<DecoderMemory.Slot>
    /// A stack of keys that must differ from each other, and how many are on it.
    let keys: UnsafeMutablePointer<Int32>
    var keyCount = 0
    var generation: UInt64
    var valueCount = 0
    var sampleCount = 0

    init(tape: Tape, parameters: StationDirectory.ParameterTable, memory: DecoderMemory) {
        self.tape = tape
        self.parameters = parameters
        self.values = memory.values
        self.samples = memory.samples
        self.slots = memory.slots
        self.keys = memory.keys
        self.generation = memory.generation
    }

    /// Where the members that mean something are; 0 for those that are absent.
    struct Members {
        var sequence = 0
        var boot = 0
        var time = 0
        var values = 0
        var samples = 0
        var status = 0
    }

    /// The members of the message, once its outermost object is known to be in order.
    mutating func members() throws(MessageFailure) -> Members {
        guard self.tape.type(at: Tape.root) == TapeType.object else {
            throw MessageFailure(reason: .badShape, detail: "the message is not an object")
        }
        return try self.scan(Tape.root, depth: 1)
    }

    /// Reads the samples of a message whose members are known.
    mutating func readSamples(_ members: Members) throws(MessageFailure) {
        guard members.samples != 0 else {
            return try self.readSample(members, depth: 1)
        }
        guard members.values == 0 else {
            throw MessageFailure(reason: .badShape, detail: "`values` beside `samples`")
        }
        guard members.status == 0 else {
            throw MessageFailure(reason: .badShape, detail: "`status` beside `samples`: it belongs into each sample")
        }
        guard self.tape.type(at: members.samples) == TapeType.array else {
            throw MessageFailure(reason: .badShape, detail: "`samples` is not an array")
        }
        // A `ts` of the whole message means nothing here, but what is inside it must still be in order.
        if members.time != 0, self.tape.isContainer(at: members.time) { try self.check(members.time, depth: 2) }
        let close = self.tape.close(of: members.samples)
        var index = members.samples + 1
        guard index < close else { throw MessageFailure(reason: .empty, detail: "`samples` is empty") }
        while index < close {
            guard self.tape.type(at: index) == TapeType.object else {
                throw MessageFailure(reason: .badShape, detail: "a sample is not an object")
            }
            try self.readSample(try self.scan(index, depth: 3), depth: 3)
            index = self.tape.next(after: index)
        }
    }

    // MARK: Objects

    /// Finds the members of a message or sample, and checks that no key comes twice and that ignored ones are in order.
    private mutating func scan(_ object: Int, depth: Int) throws(MessageFailure) -> Members {
        var members = Members()
        let base = self.keyCount
        let close = self.tape.close(of: object)
        var index = object + 1
        while index < close {
            let value = index + 1
            let name = self.tape.name(at: index)
            var isNew = true
            // The first 8 bytes of the key, as the little-endian number that simdjson's memory holds.
            switch (name.count, name.head) {
            case (2, 0x7374): (isNew, members.time) = (members.time == 0, value)  // ts
            case (6, 0x7365_756C_6176): (isNew, members.values) = (members.values == 0, value)  // values
            case (6, 0x7375_7461_7473): (isNew, members.status) = (members.status == 0, value)  // status
            case (3, 0x71_6573) where depth == 1: (isNew, members.sequence) = (members.sequence == 0, value)  // seq
            case (4, 0x746F_6F62) where depth == 1: (isNew, members.boot) = (members.boot == 0, value)  // boot
            case (7, 0x73_656C_706D_6173) where depth == 1:  // samples
                (isNew, members.samples) = (members.samples == 0, value)
            default:
                self.push(index)
                if self.tape.isContainer(at: value) { try self.check(value, depth: depth + 1) }
            }
            guard isNew else { throw Self.duplicate(index) }
            index = self.tape.next(after: value)
        }
        try self.requireDistinct(from: base)
        self.keyCount = base
        return members
    }

    /// Reads one sample: `ts`, `values`, `status`.
    private mutating func readSample(_ members: Members, depth: Int) throws(MessageFailure) {
        if members.values != 0, self.tape.type(at: members.values) != TapeType.object {
            throw MessageFailure(reason: .badShape, detail: "`values` is not an object")
        }
        if members.status != 0, self.tape.type(at: members.status) != TapeType.object {
            throw MessageFailure(reason: .badShape, detail: "`status` is not an object")
        }
        guard members.time != 0 else { throw MessageFailure(reason: .noTime, detail: "there is no `ts`") }
        guard let time = self.time(at: members.time) else {
            throw MessageFailure(reason: .badTime, detail: "`ts` is no time", keyIndex: members.time)
        }
        guard members.values != 0 else { throw MessageFailure(reason: .empty, detail: "there are no `values`") }
        guard members.values + 1 < self.tape.close(of: members.values) else {
            throw MessageFailure(reason: .empty, detail: "`values` is empty")
        }
        let start = self.valueCount
        let base = self.keyCount
        self.generation += 1
        try self.readValues(members.values, depth: depth + 1)
        if members.status != 0 {
            try self.readStatuses(members.status, depth: depth + 1, firstValue: start, unknown: base..<self.keyCount)
        }
        self.keyCount = base
        precondition(self.sampleCount < Limits.samplesMax, "the shortest sample is longer than assumed")
        (self.samples + self.sampleCount).initialize(
            to: DecodedSample(
                timeMilliseconds: time, valueStart: Int32(truncatingIfNeeded: start),
                valueEnd: Int32(truncatingIfNeeded: self.valueCount)))
        self.sampleCount += 1
    }

    /// Reads `values`; leaves the keys that are no parameter of the station on the stack of keys.
    private mutating func readValues(_ object: Int, depth: Int) throws(MessageFailure) {
        let base = self.keyCount
        let close = self.tape.close(of: object)
        var index = object + 1
        var expected = 0
        while index < close {
            let local = self.parameters.names.find(self.tape.name(at: index), expecting: expected)
            var decoded = DecodedValue(
                value: .nan, status: .measuring, seriesIndex: -1, nameIndex: Int32(truncatingIfNeeded: index),
                statusIndex: 0, reason: 0)
            try self.readValue(at: index + 1, into: &decoded, depth: depth)
            if local >= 0 {
                let slot = self.slots + local
                guard slot.pointee.valueGeneration != self.generation else { throw Self.duplicate(index) }
                slot.pointee.valueGeneration = self.generation
                slot.pointee.valueIndex = self.valueCount
                decoded.seriesIndex = self.parameters.seriesIndices[local]
                expected = local + 1
            } else {
                self.push(index)
                decoded.reason = QuarantineReason.unknownParameter.rawValue
            }
            precondition(self.valueCount < Limits.membersMax, "the shortest member is longer than assumed")
            (self.values + self.valueCount).initialize(to: decoded)
            self.valueCount += 1
            index = self.tape.next(after: index + 1)
        }
        try self.requireDistinct(from: base)
    }

    @inline(__always)
    private mutating func readValue(
        at index: Int, into decoded: inout DecodedValue, depth: Int
    ) throws(MessageFailure) {
        if let number = self.tape.number(at: index) {
            decoded.value = number
            if !number.isFinite { decoded.reason = QuarantineReason.notFinite.rawValue }
        } else if self.tape.type(at: index) == TapeType.null {
            decoded.reason = QuarantineReason.null.rawValue
        } else {
            decoded.reason = QuarantineReason.notANumber.rawValue
            if self.tape.isContainer(at: index) { try self.check(index, depth: depth + 1) }
        }
    }

    /// Reads `status`; a status of a parameter without a value is ignored.
    private mutating func readStatuses(
        _ object: Int, depth: Int, firstValue: Int, unknown: Range<Int>
    ) throws(MessageFailure) {
        let base = self.keyCount
        let close = self.tape.close(of: object)
        var index = object + 1
        var expected = 0
        while index < close {
            let name = self.tape.name(at: index)
            let local = self.parameters.names.find(name, expecting: expected)
            if local >= 0 {
                let slot = self.slots + local
                guard slot.pointee.statusGeneration != self.generation else { throw Self.duplicate(index) }
                slot.pointee.statusGeneration = self.generation
                if slot.pointee.valueGeneration == self.generation {
                    self.setStatus(at: index + 1, of: slot.pointee.valueIndex)
                }
                expected = local + 1
            } else {
                self.push(index)
                if let value = self.value(named: name, unknown: unknown, firstValue: firstValue) {
                    self.setStatus(at: index + 1, of: value)
                }
            }
            if self.tape.isContainer(at: index + 1) { try self.check(index + 1, depth: depth + 1) }
            index = self.tape.next(after: index + 1)
        }
        try self.requireDistinct(from: base)
    }

    private func setStatus(at index: Int, of value: Int) {
        let value = self.values + value
        if self.tape.type(at: index) == TapeType.text, let status = Status(ascii: self.tape.text(at: index)) {
            value.pointee.status = status
            return
        }
        value.pointee.status = DecodedValue.none
        value.pointee.statusIndex = Int32(truncatingIfNeeded: index)
        if value.pointee.reason == 0 { value.pointee.reason = QuarantineReason.badStatus.rawValue }
    }

    // MARK: Times

    /// Milliseconds of a `ts`; nil for anything that is no time.
    private func time(at index: Int) -> Int64? {
        switch self.tape.type(at: index) {
        case TapeType.signed:
            let number = Int64(bitPattern: self.tape.numberBits(at: index))
            if number >= 100_000_000_000 { return number <= Limits.timeMillisecondsMax ? number : nil }
            let (milliseconds, overflow) = number.multipliedReportingOverflow(by: 1_000)
            return overflow || milliseconds < -Limits.timeMillisecondsMax ? nil : milliseconds
        case TapeType.double:
            let number = Double(bitPattern: self.tape.numberBits(at: index))
            let milliseconds = (number >= 1e11 ? number : number * 1_000).rounded()
            return abs(milliseconds) <= Double(Limits.timeMillisecondsMax) ? Int64(milliseconds) : nil
        case TapeType.text: return Civil.parseRFC3339(self.tape.text(at: index))
        default: return nil
        }
    }
}
