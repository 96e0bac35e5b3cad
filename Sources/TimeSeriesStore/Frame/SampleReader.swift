import Monitoring

/// Walks the samples of messages: in a frame, and in what a station's part of the head keeps of them.
struct SampleReader {
    /// What the samples' times are relative to.
    var receivedMilliseconds: Int64 = 0
    private(set) var position: Int
    private let bytes: UnsafeRawBufferPointer
    /// Of the frame, for errors.
    private let sequence: Int64
    private var previousSeries: Int64 = 0
    private var allMeasuring = true

    init(_ bytes: UnsafeRawBufferPointer, position: Int, sequence: Int64) {
        self.bytes = bytes
        self.position = position
        self.sequence = sequence
    }

    var isAtEnd: Bool { self.position == self.bytes.count }

    /// Starts with a message's first sample.
    mutating func beginMessage() { self.previousSeries = 0 }

    @inline(__always)
    mutating func nextSample() throws(FrameError) -> FrameSample {
        let time = unzigzag(try self.varint()) &+ self.receivedMilliseconds
        let packed = try self.varint()
        self.allMeasuring = packed & 1 == 1
        return FrameSample(timeMilliseconds: time, readingCount: Int(packed >> 1))
    }

    @inline(__always)
    mutating func nextReading() throws(FrameError) -> FrameReading {
        self.previousSeries += unzigzag(try self.varint())
        try self.need(8)
        let bits = UInt64(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.position, as: UInt64.self))
        self.position += 8
        let status = self.allMeasuring ? Status.measuring : Status(packed: try self.varint())
        return FrameReading(
            series: Int32(truncatingIfNeeded: self.previousSeries), value: Double(bitPattern: bits), status: status)
    }

    @inline(__always)
    mutating func byte() throws(FrameError) -> UInt8 {
        guard self.position < self.bytes.count else { throw self.tornError() }
        defer { self.position += 1 }
        return self.bytes[self.position]
    }

    @inline(__always)
    mutating func varint() throws(FrameError) -> UInt64 {
        // Most numbers take one byte.
        let first = try self.byte()
        if first < 0x80 { return UInt64(first) }
        return try self.restOfVarint(UInt64(first & 0x7f))
    }

    private mutating func restOfVarint(_ low: UInt64) throws(FrameError) -> UInt64 {
        var number = low
        var shift: UInt64 = 7
        while true {
            let byte = try self.byte()
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
            if shift > 63 { throw self.tornError() }
        }
    }

    /// The next bytes as they are.
    mutating func take(_ count: Int) throws(FrameError) -> UnsafeRawBufferPointer {
        try self.need(count)
        defer { self.position += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.position..<(self.position + count)])
    }

    func bytes(since start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.position])
    }

    @inline(__always)
    private func need(_ count: Int) throws(FrameError) {
        if self.position + count > self.bytes.count { throw self.tornError() }
    }

    private func tornError() -> FrameError {
        FrameError(sequence: self.sequence, detail: "ends in the middle of a message")
    }
}
