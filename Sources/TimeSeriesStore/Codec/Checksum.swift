/// A 64-bit checksum of bytes, not cryptographic: of chunks on disk and of journal frames.
///
/// Every step maps the lane's state one-to-one for a given word, and one-to-one for a given state as the word
/// changes; lanes are folded the same way. Hence any damage confined to one aligned 8-byte word (so any single bit
/// flip) *always* changes the result; anything else goes unnoticed once in 2^64. The result is the same on every
/// machine.
package func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    let count = bytes.count
    var folded = mix(0x9E37_79B9_7F4A_7C15, UInt64(count))
    guard count > 0, let base = bytes.baseAddress else { return avalanche(folded) }
    var offset = 0
    if count >= 32 {
        // Four lanes, because one is bound by the latency of its multiplication.
        var lane0 = folded
        var lane1 = folded ^ 0xA076_1D64_78BD_642F
        var lane2 = folded ^ 0xE703_7ED1_A0B4_28DB
        var lane3 = folded ^ 0x8EBC_6AF0_9C88_C6E3
        while offset &+ 32 <= count {
            lane0 = mix(lane0, word(base, offset))
            lane1 = mix(lane1, word(base, offset &+ 8))
            lane2 = mix(lane2, word(base, offset &+ 16))
            lane3 = mix(lane3, word(base, offset &+ 24))
            offset &+= 32
        }
        folded = mix(mix(mix(lane0, lane1), lane2), lane3)
    }
    while offset &+ 8 <= count {
        folded = mix(folded, word(base, offset))
        offset &+= 8
    }
    if offset < count {
        var last: UInt64 = 0
        var shift: UInt64 = 0
        while offset < count {
            last |= UInt64(base.load(fromByteOffset: offset, as: UInt8.self)) &<< shift
            shift &+= 8
            offset &+= 1
        }
        folded = mix(folded, last)
    }
    return avalanche(folded)
}

/// One-to-one in each argument while the other stands: xor, multiplication by an odd number, rotation.
@inline(__always)
private func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
    let product = (state ^ word) &* 0x9FB2_1C65_1E98_DF25
    return (product &<< 29) | (product &>> 35)
}

/// Spreads the last words over all bits; one-to-one.
@inline(__always)
private func avalanche(_ state: UInt64) -> UInt64 {
    var bits = state
    bits ^= bits &>> 32
    bits = bits &* 0xD6E8_FEB8_6659_FD93
    bits ^= bits &>> 29
    bits = bits &* 0xC2B2_AE3D_27D4_EB4F
    return bits ^ (bits &>> 32)
}

@inline(__always)
private func word(_ base: UnsafeRawPointer, _ offset: Int) -> UInt64 {
    UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
}
