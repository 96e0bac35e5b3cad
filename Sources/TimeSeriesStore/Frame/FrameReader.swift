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
    private var samples: SampleReader
    private var messagesLeft: Int

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
        self.samples = SampleReader(bytes, position: FrameLayout.headerBytes, sequence: sequence)
        self.samples.receivedMilliseconds = self.header.receivedMilliseconds
    }

    /// The next message, or nil at the end.
    ///
    /// All samples and readings of the one before must have been taken.
    package mutating func nextMessage() throws(FrameError) -> FrameMessage? {
        guard self.messagesLeft > 0 else { return nil }
        self.messagesLeft -= 1
        let station = Int32(truncatingIfNeeded: try self.samples.varint())
        let flags = MessageFlags(rawValue: try self.samples.byte())
        let quarantined = Int(try self.samples.varint())
        var message = FrameMessage(
            station: station, flags: flags, quarantinedCount: quarantined, sequence: nil,
            boot: UnsafeRawBufferPointer(start: nil, count: 0), sampleCount: 0)
        if flags.contains(.numbered) {
            message.sequence = Int64(bitPattern: try self.samples.varint())
            message.boot = try self.samples.take(Int(try self.samples.byte()))
        }
        self.samples.beginMessage()
        if !flags.contains(.deadLetter) { message.sampleCount = Int(try self.samples.varint()) }
        return message
    }

    @inline(__always)
    package mutating func nextSample() throws(FrameError) -> FrameSample { try self.samples.nextSample() }

    @inline(__always)
    package mutating func nextReading() throws(FrameError) -> FrameReading { try self.samples.nextReading() }

    /// Where the reader stands; with `bytes(since:)` what it has walked since.
    var position: Int { self.samples.position }
    func bytes(since position: Int) -> UnsafeRawBufferPointer { self.samples.bytes(since: position) }
}
