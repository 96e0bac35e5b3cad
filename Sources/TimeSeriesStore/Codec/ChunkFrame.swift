/// What chunks of readings and of rollups share: the header, the times, the checksum.
extension ChunkCodec {
    /// A chunk whose header was read and whose checksum holds.
    struct Opened {
        var source: ByteSource
        let count: Int
        let firstMilliseconds: Int64
    }

    func begin(_ format: Format, count: Int, firstMilliseconds: Int64) {
        self.sink.removeAll()
        self.sink.append(format.rawValue)
        self.sink.append(varint: UInt64(count))
        self.sink.append(varint: zigzag(firstMilliseconds))
    }

    func finish() -> [UInt8] {
        self.sink.append(fixed: checksum(self.sink.bytes))
        return [UInt8](self.sink.bytes)
    }

    static func open(_ bytes: UnsafeRawBufferPointer, _ expected: Format) throws(ChunkError) -> Opened {
        var whole = ByteSource(bytes)
        let format = try whole.byte("format")
        guard format == expected.rawValue else { throw .unknownFormat(format) }
        guard whole.remaining >= Self.checksumBytes else { throw .truncated(reading: "checksum") }
        let checked = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count - Self.checksumBytes)])
        _ = try whole.bytes(checked.count - 1, "columns")
        let stored = try whole.fixed("checksum")
        let computed = checksum(checked)
        guard stored == computed else { throw .badChecksum(stored: stored, computed: computed) }
        var source = ByteSource(UnsafeRawBufferPointer(rebasing: checked[1...]))
        let count = try source.count("number of entries", atMost: ChunkLimits.entriesMax)
        let firstMilliseconds = unzigzag(try source.varint("first time"))
        return Opened(source: source, count: count, firstMilliseconds: firstMilliseconds)
    }

    /// Times as distances from the first.
    func encodeTimes(_ times: UnsafeBufferPointer<Int64>) {
        guard let first = times.first else { return }
        let integers = self.integers.take(times.count)
        for index in times.indices { integers[index] = times[index] &- first }
        self.integerCodec.encode(integers, into: &self.sink)
    }

    func decodeTimes(_ opened: inout Opened) throws(ChunkError) -> [Int64] {
        let first = opened.firstMilliseconds
        return try Self.array(opened.count, filler: 0) { times throws(ChunkError) in
            try self.integerCodec.decode(from: &opened.source, into: times)
            for index in times.indices { times[index] = times[index] &+ first }
        }
    }

    /// An array whose memory `fill` writes; all of it is initialized when `fill` throws, too.
    static func array<Element: BitwiseCopyable>(
        _ count: Int,
        filler: Element,
        fill: (UnsafeMutableBufferPointer<Element>) throws(ChunkError) -> Void
    ) throws(ChunkError) -> [Element] {
        var failure: ChunkError?
        let elements = [Element](unsafeUninitializedCapacity: count) { memory, initialized in
            let buffer = UnsafeMutableBufferPointer(rebasing: memory[..<count])
            do throws(ChunkError) { try fill(buffer) } catch {
                failure = error
                buffer.initialize(repeating: filler)
            }
            initialized = count
        }
        if let failure { throw failure }
        return elements
    }
}
