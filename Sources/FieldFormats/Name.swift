#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A name as bytes in somebody else's memory, with its first and last 8 bytes at hand for comparing and hashing.
struct Name {
    let bytes: UnsafePointer<UInt8>
    let count: Int
    /// The first 8 bytes, the first one lowest; 0 where there are fewer.
    let head: UInt64
    /// The last 8 bytes of a longer name, else 0.
    let tail: UInt64

    /// A name after which at least 8 bytes can be read, as in simdjson's strings.
    @inline(__always)
    init(padded bytes: UnsafePointer<UInt8>, count: Int) {
        let raw = UnsafeRawPointer(bytes)
        let head = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
        self.bytes = bytes
        self.count = count
        if count >= 8 {
            self.head = head
            self.tail = count > 8 ? raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) : 0
        } else {
            self.head = head & ((1 << UInt64(count * 8)) - 1)
            self.tail = 0
        }
    }

    /// A name in memory that ends with it.
    init(exact bytes: UnsafePointer<UInt8>, count: Int) {
        let raw = UnsafeRawPointer(bytes)
        self.bytes = bytes
        self.count = count
        if count >= 8 {
            self.head = UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
            self.tail = count > 8 ? raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self) : 0
        } else {
            var head: UInt64 = 0
            for index in 0..<count { head |= UInt64(bytes[index]) << UInt64(index * 8) }
            self.head = head
            self.tail = 0
        }
    }

    @inline(__always)
    static func == (lhs: Name, rhs: Name) -> Bool {
        guard lhs.head == rhs.head, lhs.count == rhs.count, lhs.tail == rhs.tail else { return false }
        return lhs.count <= 16 || memcmp(lhs.bytes, rhs.bytes, lhs.count) == 0
    }

    /// An order that is quick to compute: by length, then by bytes.
    static func precedes(_ lhs: Name, _ rhs: Name) -> Bool {
        if lhs.count != rhs.count { return lhs.count < rhs.count }
        return memcmp(lhs.bytes, rhs.bytes, lhs.count) < 0
    }

    /// Spreads names over a table; not meant to resist an adversary, as the table's contents are our own.
    ///
    /// Names often differ in their last character only, the highest byte of a word: that needs the product's high half.
    @inline(__always)
    var hash: Int {
        let product = (self.head ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(
            by: self.tail ^ UInt64(truncatingIfNeeded: self.count) ^ 0xD6E8_FEB8_6659_FD93)
        return Int(truncatingIfNeeded: product.high ^ product.low)
    }
}

/// A fixed set of names → their positions: open addressing over bytes, built once, read by many threads.
///
/// Its memory is freed by `deallocate()`; whoever makes a table owns it.
struct NameTable {
    private let names: UnsafeMutablePointer<Name>
    private let bytes: UnsafeMutablePointer<UInt8>
    private let slots: UnsafeMutablePointer<Int32>
    private let mask: Int
    let count: Int

    /// Of equal names the first one is found.
    init(_ texts: [String]) {
        let count = texts.count
        let slotCount = 1 << (Int.bitWidth - max(1, count * 2 - 1).leadingZeroBitCount)
        self.count = count
        self.mask = slotCount - 1
        self.names = .allocate(capacity: max(1, count))
        self.bytes = .allocate(capacity: max(1, texts.reduce(0) { $0 + $1.utf8.count }))
        self.slots = .allocate(capacity: slotCount)
        self.slots.initialize(repeating: -1, count: slotCount)
        var used = 0
        for (position, text) in texts.enumerated() {
            let start = self.bytes + used
            var length = 0
            for byte in text.utf8 {
                (start + length).initialize(to: byte)
                length += 1
            }
            used += length
            let name = Name(exact: start, count: length)
            (self.names + position).initialize(to: name)
            guard self.find(name) < 0 else { continue }
            var slot = name.hash & self.mask
            while self.slots[slot] >= 0 { slot = (slot + 1) & self.mask }
            self.slots[slot] = Int32(position)
        }
    }

    /// The position of a name, or -1.
    ///
    /// The table is at most half full, so the loop ends.
    @inline(__always)
    func find(_ name: Name) -> Int {
        var slot = name.hash & self.mask
        while true {
            let position = Int(self.slots[slot])
            if position < 0 || self.names[position] == name { return position }
            slot = (slot + 1) & self.mask
        }
    }

    /// The same, trying first the position where the name is expected: messages of a device repeat their order.
    @inline(__always)
    func find(_ name: Name, expecting position: Int) -> Int {
        if position < self.count, self.names[position] == name { return position }
        return self.find(name)
    }

    func deallocate() {
        self.names.deallocate()
        self.bytes.deallocate()
        self.slots.deallocate()
    }
}
