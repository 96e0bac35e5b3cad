package import Monitoring

/// Builds one frame in a buffer that is kept from batch to batch: nothing is allocated per message or reading.
///
/// Not `Sendable`: it belongs to the thread that reads the socket.
package final class FrameWriter {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var count = FrameLayout.headerBytes
    private var previousSeries: Int64 = 0
    private var receivedMilliseconds: Int64 = 0
    private var allMeasuring = true
    /// Messages written since `begin`.
    package private(set) var messageCount = 0
    /// Readings written since `begin`.
    package private(set) var readingCount = 0

    package init() {
        self.capacity = 1 << 20
        self.bytes = .allocate(capacity: self.capacity)
    }

    deinit { self.bytes.deallocate() }

    /// Bytes so far; a caller ends its batch before `StoreLimits.frameBytesMax`.
    package var byteCount: Int { self.count }
    package var isEmpty: Bool { self.messageCount == 0 }

    /// Starts a new frame, dropping what was written.
    package func begin(receivedMilliseconds: Int64) {
        self.count = FrameLayout.headerBytes
        self.messageCount = 0
        self.readingCount = 0
        self.receivedMilliseconds = receivedMilliseconds
    }

    /// Starts a message; `station` 0 stands for one we do not know.
    package func beginMessage(
        station: Int32, flags: MessageFlags, quarantinedCount: Int, sequence: Int64?,
        boot: UnsafeBufferPointer<UInt8>
    ) {
        self.reserve(64 + boot.count)
        self.messageCount += 1
        self.previousSeries = 0
        self.putVarint(UInt64(UInt32(bitPattern: station)))
        self.putByte((sequence == nil ? flags.subtracting(.numbered) : flags.union(.numbered)).rawValue)
        self.putVarint(UInt64(quarantinedCount))
        guard let sequence else { return }
        self.putVarint(UInt64(sequence))
        self.putByte(UInt8(boot.count))
        if let source = boot.baseAddress { (self.bytes + self.count).update(from: source, count: boot.count) }
        self.count += boot.count
    }

    /// Says how many samples follow; every message but a dead letter needs it.
    package func beginSamples(count: Int) {
        self.reserve(16)
        self.putVarint(UInt64(count))
    }

    /// Starts a sample of `readingCount` readings, all of status 00 or not.
    package func beginSample(timeMilliseconds: Int64, readingCount: Int, allMeasuring: Bool) {
        self.reserve(24 + readingCount * 26)
        self.allMeasuring = allMeasuring
        self.putVarint(zigzag(timeMilliseconds &- self.receivedMilliseconds))
        self.putVarint(UInt64(readingCount) << 1 | (allMeasuring ? 1 : 0))
    }

    /// Adds a reading; room was reserved by `beginSample`.
    @inline(__always)
    package func addReading(series: Int32, value: Double, status: Status) {
        self.putVarint(zigzag(Int64(series) - self.previousSeries))
        self.previousSeries = Int64(series)
        UnsafeMutableRawPointer(self.bytes + self.count)
            .storeBytes(of: value.bitPattern.littleEndian, as: UInt64.self)
        self.count += 8
        if !self.allMeasuring { self.putVarint(status.packed) }
        self.readingCount += 1
    }

    /// Fills in the header and lends the finished frame.
    package func withFrame<Value>(
        _ header: FrameHeader, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) rethrows -> Value {
        let base = UnsafeMutableRawPointer(self.bytes)
        base.storeBytes(of: FrameLayout.version, toByteOffset: FrameLayout.versionOffset, as: UInt8.self)
        base.storeBytes(of: header.kind.rawValue, toByteOffset: FrameLayout.kindOffset, as: UInt8.self)
        base.storeBytes(of: 0, toByteOffset: FrameLayout.kindOffset + 1, as: UInt16.self)
        base.storeBytes(
            of: UInt32(self.messageCount).littleEndian, toByteOffset: FrameLayout.messageCountOffset,
            as: UInt32.self)
        base.storeBytes(
            of: self.receivedMilliseconds.littleEndian, toByteOffset: FrameLayout.receivedOffset, as: Int64.self)
        base.storeBytes(
            of: header.outageFromMilliseconds.littleEndian, toByteOffset: FrameLayout.outageFromOffset,
            as: Int64.self)
        base.storeBytes(
            of: header.outageToMilliseconds.littleEndian, toByteOffset: FrameLayout.outageToOffset, as: Int64.self)
        let frame = UnsafeRawBufferPointer(start: base, count: self.count)
        let sum = checksum(UnsafeRawBufferPointer(rebasing: frame[FrameLayout.checksumBytes...]))
        base.storeBytes(of: sum.littleEndian, as: UInt64.self)
        return try body(frame)
    }

    private func reserve(_ more: Int) {
        guard self.count + more > self.capacity else { return }
        let larger = max(self.capacity * 2, self.count + more)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: self.bytes, count: self.count)
        self.bytes.deallocate()
        self.bytes = moved
        self.capacity = larger
    }

    @inline(__always)
    private func putByte(_ byte: UInt8) {
        self.bytes[self.count] = byte
        self.count += 1
    }

    @inline(__always)
    private func putVarint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            self.bytes[self.count] = UInt8(truncatingIfNeeded: rest) | 0x80
            self.count += 1
            rest >>= 7
        }
        self.bytes[self.count] = UInt8(truncatingIfNeeded: rest)
        self.count += 1
    }
}
