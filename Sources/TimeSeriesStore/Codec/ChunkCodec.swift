import Monitoring

/// Chunks of readings and of rollups as bytes and back, bit for bit.
///
/// A chunk is a format byte, the number of entries, the first time, columns, and a checksum over all of that.
/// NOT for two threads at once: it owns zstd contexts and scratch memory, which it uses again for every chunk.
package final class ChunkCodec {
    /// The first byte of a chunk: the version of the format and what is in it.
    enum Format: UInt8 {
        case readings1 = 0x11
        case rollups1 = 0x12
    }

    static let checksumBytes = 8

    /// Measured: with tokens, 3 is larger and slower; 19 saves 1 % at four times the time.
    private static let zstdLevel: Int32 = 1

    let integerCodec: IntegerCodec
    let valueCodec: ValueCodec
    var sink = ByteSink(capacity: 4096)
    var integers = ScratchIntegers()

    package init() {
        let integerCodec = IntegerCodec(zstd: Zstd(level: Self.zstdLevel))
        self.integerCodec = integerCodec
        self.valueCodec = ValueCodec(integerCodec: integerCodec)
    }

    // MARK: - Readings

    /// The bytes of a chunk of readings; at most ``ChunkLimits/entriesMax`` of them.
    package func encode(_ columns: RawColumns) -> [UInt8] {
        precondition(columns.count <= ChunkLimits.entriesMax)
        self.begin(.readings1, count: columns.count, firstMilliseconds: columns.times.first ?? 0)
        columns.times.withUnsafeBufferPointer { self.encodeTimes($0) }
        columns.statuses.withUnsafeBufferPointer { self.encodeStatuses($0) }
        self.encodeReceived(columns)
        columns.values.withUnsafeBufferPointer { self.valueCodec.encode($0, into: &self.sink) }
        return self.finish()
    }

    /// The readings of a chunk.
    package func decode(_ bytes: UnsafeRawBufferPointer) throws(ChunkError) -> RawColumns {
        var opened = try Self.open(bytes, .readings1)
        var columns = RawColumns()
        let count = opened.count
        columns.times = try self.decodeTimes(&opened)
        columns.statuses = try self.decodeStatuses(&opened.source, count: count)
        columns.received = try self.decodeReceived(&opened.source, times: columns.times)
        columns.values = try Self.array(count, filler: 0) { values throws(ChunkError) in
            try self.valueCodec.decode(from: &opened.source, into: values)
        }
        guard opened.source.remaining == 0 else { throw .badFormat("bytes behind the last column") }
        return columns
    }

    private func encodeReceived(_ columns: RawColumns) {
        guard columns.received.contains(where: { $0 != 0 }) else {
            self.sink.append(0)
            return
        }
        self.sink.append(1)
        let integers = self.integers.take(columns.count)
        for index in integers.indices {
            let received = Int64(columns.received[index])
            // 0 stays 0; any other is told by how far it is from the device's time.
            let distance = received &- flooredSeconds(columns.times[index])
            integers[index] = received == 0 ? 0 : Int64(bitPattern: zigzag(distance) &+ 1)
        }
        self.integerCodec.encode(integers, into: &self.sink)
    }

    private func decodeReceived(_ source: inout ByteSource, times: [Int64]) throws(ChunkError) -> [UInt32] {
        let head = try source.byte("received head")
        guard head == 1 else {
            guard head == 0 else { throw .badFormat("received head \(head)") }
            return [UInt32](repeating: 0, count: times.count)
        }
        let integers = self.integers.take(times.count)
        try self.integerCodec.decode(from: &source, into: integers)
        var received: [UInt32] = []
        received.reserveCapacity(times.count)
        for index in integers.indices {
            let code = UInt64(bitPattern: integers[index])
            let second = code == 0 ? 0 : flooredSeconds(times[index]) &+ unzigzag(code &- 1)
            received.append(UInt32(truncatingIfNeeded: second))
        }
        return received
    }

    private func encodeStatuses(_ statuses: UnsafeBufferPointer<UInt64>) {
        var distinct: [UInt64] = []
        let integers = self.integers.take(statuses.count)
        for index in statuses.indices {
            let status = statuses[index]
            if index > 0, status == statuses[index &- 1] {
                integers[index] = integers[index &- 1]
            } else if let known = distinct.firstIndex(of: status) {
                integers[index] = Int64(known)
            } else {
                guard distinct.count < 255 else { return self.encodeManyStatuses(statuses) }
                integers[index] = Int64(distinct.count)
                distinct.append(status)
            }
        }
        if distinct.isEmpty || distinct == [Status.measuring.packed] { return self.sink.append(0) }
        self.sink.append(UInt8(distinct.count))
        for status in distinct { self.sink.append(varint: status) }
        if distinct.count > 1 { self.integerCodec.encode(integers, into: &self.sink) }
    }

    /// More different statuses than any device has: written as they are.
    private func encodeManyStatuses(_ statuses: UnsafeBufferPointer<UInt64>) {
        let integers = self.integers.take(statuses.count)
        for index in statuses.indices { integers[index] = Int64(bitPattern: statuses[index]) }
        self.sink.append(255)
        self.integerCodec.encode(integers, into: &self.sink)
    }

    private func decodeStatuses(_ source: inout ByteSource, count: Int) throws(ChunkError) -> [UInt64] {
        let head = try source.byte("status head")
        guard head > 0 else { return [UInt64](repeating: Status.measuring.packed, count: count) }
        var distinct: [UInt64] = []
        if head < 255 {
            for _ in 0..<head { distinct.append(try source.varint("status")) }
            if head == 1 { return [UInt64](repeating: distinct[0], count: count) }
        }
        let integers = self.integers.take(count)
        try self.integerCodec.decode(from: &source, into: integers)
        var statuses: [UInt64] = []
        statuses.reserveCapacity(count)
        for integer in integers {
            if head == 255 {
                statuses.append(UInt64(bitPattern: integer))
            } else {
                guard distinct.indices.contains(Int(integer)) else { throw .badFormat("status \(integer) of \(head)") }
                statuses.append(distinct[Int(integer)])
            }
        }
        return statuses
    }
}

/// The whole second in which a time lies.
@inline(__always)
private func flooredSeconds(_ milliseconds: Int64) -> Int64 {
    let seconds = milliseconds / 1000
    return milliseconds < 0 && seconds &* 1000 != milliseconds ? seconds &- 1 : seconds
}
