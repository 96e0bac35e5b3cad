package import Monitoring

/// A message of a frame, before its samples.
package struct FrameMessage {
    /// 0 for a station we do not know.
    package var station: Int32
    package var flags: MessageFlags
    package var quarantinedCount: Int
    package var sequence: Int64?
    /// Valid as long as the frame's bytes are.
    package var boot: UnsafeRawBufferPointer
    package var sampleCount: Int
}

/// A sample of a message, before its readings.
package struct FrameSample {
    package var timeMilliseconds: Int64
    package var readingCount: Int
    fileprivate var allMeasuring: Bool
}

/// One reading of a sample.
package struct FrameReading {
    package var series: Int32
    package var value: Double
    package var status: Status
}

/// Walks a frame in the order it was written.
///
/// The live path and the replay after a crash both read frames with this and
/// nothing else, so that they cannot differ.
package struct FrameReader {
    package let header: FrameHeader
    private let bytes: UnsafeRawBufferPointer
    private let sequence: Int64
    private var position = FrameLayout.headerBytes
    private var previousSeries: Int64 = 0
    private var messagesLeft: Int
    private var allMeasuring = true

    /// - Parameter verify: whether to compute the checksum; the bytes just written need no check.
    package init(_ bytes: UnsafeRawBufferPointer, sequence: Int64, verify: Bool = true) throws(FrameError) {
        guard bytes.count >= FrameLayout.headerBytes else {
            throw FrameError(sequence: sequence, detail: "only \(bytes.count) bytes")
        }
        if verify {
            let stored = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            guard checksum(UnsafeRawBufferPointer(rebasing: bytes[FrameLayout.checksumBytes...])) == stored else {
                throw FrameError(sequence: sequence, detail: "its checksum does not fit its \(bytes.count) bytes")
            }
        }
        guard bytes[FrameLayout.versionOffset] == FrameLayout.version else {
            throw FrameError(
                sequence: sequence, detail: "version \(bytes[FrameLayout.versionOffset]), this program reads 1")
        }
        guard let kind = FrameKind(rawValue: bytes[FrameLayout.kindOffset]) else {
            throw FrameError(sequence: sequence, detail: "unknown kind \(bytes[FrameLayout.kindOffset])")
        }
        func load(_ offset: Int) -> Int64 {
            Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
        }
        self.messagesLeft = Int(
            UInt32(
                littleEndian: bytes.loadUnaligned(
                    fromByteOffset: FrameLayout.messageCountOffset, as: UInt32.self)))
        self.header = FrameHeader(
            kind: kind, receivedMilliseconds: load(FrameLayout.receivedOffset),
            outageFromMilliseconds: load(FrameLayout.outageFromOffset),
            outageToMilliseconds: load(FrameLayout.outageToOffset), messageCount: self.messagesLeft)
        self.bytes = bytes
        self.sequence = sequence
    }

    /// The next message, or nil at the end.
    ///
    /// All samples and readings of the one before must have been taken.
    package mutating func nextMessage() throws(FrameError) -> FrameMessage? {
        guard self.messagesLeft > 0 else { return nil }
        self.messagesLeft -= 1
        self.previousSeries = 0
        let station = Int32(truncatingIfNeeded: try self.varint())
        let flags = MessageFlags(rawValue: try self.byte())
        let quarantined = Int(try self.varint())
        var message = FrameMessage(
            station: station, flags: flags, quarantinedCount: quarantined, sequence: nil,
            boot: UnsafeRawBufferPointer(start: nil, count: 0), sampleCount: 0)
        if flags.contains(.numbered) {
            message.sequence = Int64(bitPattern: try self.varint())
            let length = Int(try self.byte())
            try self.need(length)
            message.boot = UnsafeRawBufferPointer(rebasing: self.bytes[self.position..<(self.position + length)])
            self.position += length
        }
        if !flags.contains(.deadLetter) { message.sampleCount = Int(try self.varint()) }
        return message
    }

    package mutating func nextSample() throws(FrameError) -> FrameSample {
        let time = unzigzag(try self.varint()) &+ self.header.receivedMilliseconds
        let packed = try self.varint()
        self.allMeasuring = packed & 1 == 1
        return FrameSample(
            timeMilliseconds: time, readingCount: Int(packed >> 1), allMeasuring: self.allMeasuring)
    }

    @inline(__always)
    package mutating func nextReading() throws(FrameError) -> FrameReading {
        self.previousSeries += unzigzag(try self.varint())
        try self.need(8)
        let bits = UInt64(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.position, as: UInt64.self))
        self.position += 8
        let status = self.allMeasuring ? Status.measuring : Status(packed: try self.varint())
        return FrameReading(
            series: Int32(truncatingIfNeeded: self.previousSeries), value: Double(bitPattern: bits), status: status)
    }

    @inline(__always)
    private func need(_ count: Int) throws(FrameError) {
        if self.position + count > self.bytes.count { throw self.tornError() }
    }

    private func tornError() -> FrameError {
        FrameError(sequence: self.sequence, detail: "ends in the middle of a message")
    }

    @inline(__always)
    private mutating func byte() throws(FrameError) -> UInt8 {
        guard self.position < self.bytes.count else { throw self.tornError() }
        defer { self.position += 1 }
        return self.bytes[self.position]
    }

    @inline(__always)
    private mutating func varint() throws(FrameError) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try self.byte()
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
            if shift > 63 { throw self.tornError() }
        }
    }
}
