/// Bytes being written: memory that grows by doubling and is used again for the next chunk.
struct ByteSink: ~Copyable {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.base = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    deinit { self.base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.base, count: self.count) }

    mutating func removeAll() { self.count = 0 }

    /// Makes room for `additional` more bytes, so that the unchecked ways to write may be used.
    mutating func reserve(_ additional: Int) {
        guard self.count + additional > self.capacity else { return }
        let larger = Swift.max(self.capacity * 2, self.count + additional)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        moved.update(from: self.base, count: self.count)
        self.base.deallocate()
        self.base = moved
        self.capacity = larger
    }

    /// Says that `additional` bytes were written behind the last one, within what was reserved.
    mutating func advance(_ additional: Int) { self.count += additional }

    /// Forgets the bytes from `count` on.
    mutating func rewind(to count: Int) {
        precondition(count <= self.count)
        self.count = count
    }

    mutating func append(_ byte: UInt8) {
        self.reserve(1)
        self.base[self.count] = byte
        self.count += 1
    }

    /// Little-endian base 128.
    mutating func append(varint: UInt64) {
        self.reserve(10)
        self.appendReserved(varint: varint)
    }

    /// The same where ten bytes are reserved.
    @inline(__always)
    mutating func appendReserved(varint: UInt64) {
        var rest = varint
        var end = self.count
        while rest >= 0x80 {
            self.base[end] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest &>>= 7
            end &+= 1
        }
        self.base[end] = UInt8(truncatingIfNeeded: rest)
        self.count = end &+ 1
    }

    mutating func append(fixed: UInt64) {
        self.reserve(8)
        UnsafeMutableRawPointer(self.base).storeBytes(of: fixed.littleEndian, toByteOffset: self.count, as: UInt64.self)
        self.count += 8
    }

    mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
        self.reserve(bytes.count)
        guard let source = bytes.baseAddress else { return }
        UnsafeMutableRawPointer(self.base + self.count).copyMemory(from: source, byteCount: bytes.count)
        self.count += bytes.count
    }
}

/// Bytes being read; never beyond their end.
struct ByteSource {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var remaining: Int { self.bytes.count - self.offset }

    mutating func byte(_ what: StaticString) throws(ChunkError) -> UInt8 {
        guard self.offset < self.bytes.count else { throw .truncated(reading: what.description) }
        defer { self.offset += 1 }
        return self.bytes[self.offset]
    }

    mutating func fixed(_ what: StaticString) throws(ChunkError) -> UInt64 {
        guard self.remaining >= 8 else { throw .truncated(reading: what.description) }
        defer { self.offset += 8 }
        return UInt64(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.offset, as: UInt64.self))
    }

    @inline(__always)
    mutating func varint(_ what: StaticString) throws(ChunkError) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while self.offset < self.bytes.count {
            let byte = self.bytes[self.offset]
            self.offset &+= 1
            result |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return result }
            shift &+= 7
            guard shift < 70 else { throw .badFormat("\(what): a number of more than 64 bits") }
        }
        throw .truncated(reading: what.description)
    }

    /// A varint that must not exceed `limit`.
    mutating func count(_ what: StaticString, atMost limit: Int) throws(ChunkError) -> Int {
        let number = try self.varint(what)
        guard number <= UInt64(limit) else { throw .badFormat("\(what): \(number) exceeds \(limit)") }
        return Int(number)
    }

    mutating func bytes(_ count: Int, _ what: StaticString) throws(ChunkError) -> UnsafeRawBufferPointer {
        guard count <= self.remaining else { throw .truncated(reading: what.description) }
        defer { self.offset += count }
        return UnsafeRawBufferPointer(rebasing: self.bytes[self.offset..<self.offset + count])
    }
}

/// Small numbers of either sign as small numbers.
@inline(__always)
func zigzag(_ number: Int64) -> UInt64 { UInt64(bitPattern: (number &<< 1) ^ (number &>> 63)) }

@inline(__always)
func unzigzag(_ code: UInt64) -> Int64 { Int64(bitPattern: code &>> 1) ^ (0 &- Int64(bitPattern: code & 1)) }
