/// Numbers of any width from 0 to 64 bits, lowest bit first, being written behind the bytes of a sink.
struct BitWriter: ~Copyable {
    private var target: UnsafeMutablePointer<UInt8>
    private let start: UnsafeMutablePointer<UInt8>
    private var pending: UInt64 = 0
    private var pendingBits: UInt64 = 0

    /// Writes unchecked: 8 bytes more than the bits need must be reserved.
    init(_ target: UnsafeMutablePointer<UInt8>) {
        self.start = target
        self.target = target
    }

    /// At most 56 bits; those above `width` must be 0.
    @inline(__always)
    mutating func append(_ bits: UInt64, width: UInt64) {
        self.pending |= bits &<< self.pendingBits
        self.pendingBits &+= width
        UnsafeMutableRawPointer(self.target).storeBytes(of: self.pending.littleEndian, as: UInt64.self)
        let whole = self.pendingBits &>> 3
        self.target += Int(whole)
        // A shift by 64 would be one by 0: there are at most 7 whole bytes.
        self.pending &>>= whole &<< 3
        self.pendingBits &= 7
    }

    /// Up to 64 bits.
    @inline(__always)
    mutating func append(wide bits: UInt64, width: UInt64) {
        guard width > 56 else { return self.append(bits, width: width) }
        self.append(bits & 0xFFFF_FFFF, width: 32)
        self.append(bits &>> 32, width: width &- 32)
    }

    /// The number of bytes written, the last one filled with zeros.
    consuming func finish() -> Int { self.target - self.start + (self.pendingBits > 0 ? 1 : 0) }
}

/// What a ``BitWriter`` wrote, being read.
///
/// Behind the end there are zeros; whether reading went there is to be asked at the end.
struct BitReader {
    private let base: UnsafeRawPointer
    private let bitCount: Int
    private(set) var position = 0

    /// Reads unchecked up to 8 bytes behind the last: they must exist.
    init(_ padded: UnsafeRawPointer, byteCount: Int) {
        self.base = padded
        self.bitCount = byteCount &* 8
    }

    /// Whether more was read than there is.
    var isOverrun: Bool { self.position > self.bitCount }

    /// The next bits, 57 at least, without taking them; 0 behind the end.
    @inline(__always)
    func peek() -> UInt64 {
        guard self.position <= self.bitCount else { return 0 }
        let word = UInt64(
            littleEndian: self.base.loadUnaligned(fromByteOffset: self.position &>> 3, as: UInt64.self)
        )
        return word &>> UInt64(self.position & 7)
    }

    /// At most 56 bits.
    @inline(__always)
    mutating func read(_ width: Int) -> UInt64 {
        let bits = self.peek()
        self.position &+= width
        return bits & (1 &<< UInt64(width) &- 1)
    }

    /// Up to 64 bits.
    @inline(__always)
    mutating func read(wide width: Int) -> UInt64 {
        guard width > 56 else { return self.read(width) }
        let low = self.read(32)
        return low | self.read(width &- 32) &<< 32
    }
}
