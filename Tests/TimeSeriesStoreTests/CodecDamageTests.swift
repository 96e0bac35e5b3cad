import Monitoring
import Testing
import TimeSeriesStore

/// Damaged chunks are refused, and never crash.
@Suite struct CodecDamageTests {
    private static func chunks() -> (readings: [UInt8], rollups: [UInt8]) {
        var random = CodecRandom(seed: CodecSeed.value)
        let codec = ChunkCodec()
        let columns = RawColumns(shape: .mixed, times: .gaps, count: 300, random: &random)
        return (codec.encode(columns), codec.encode(columns.rollups(widthMilliseconds: 600_000, method: .plain)))
    }

    @Test func `every flipped bit is found`() {
        let codec = ChunkCodec()
        let chunks = Self.chunks()
        for index in chunks.readings.indices {
            for bit in 0..<8 {
                var damaged = chunks.readings
                damaged[index] ^= 1 << UInt8(bit)
                #expect(throws: ChunkError.self) { try codec.decoded(damaged) }
            }
        }
        for index in chunks.rollups.indices {
            var damaged = chunks.rollups
            damaged[index] ^= 0xFF
            #expect(throws: ChunkError.self) { try codec.decodedRollups(damaged) }
        }
    }

    @Test func `every truncation is found`() {
        let codec = ChunkCodec()
        let chunks = Self.chunks()
        for count in chunks.readings.indices {
            #expect(throws: ChunkError.self) { try codec.decoded(Array(chunks.readings.prefix(count))) }
        }
        for count in chunks.rollups.indices {
            #expect(throws: ChunkError.self) { try codec.decodedRollups(Array(chunks.rollups.prefix(count))) }
        }
    }

    @Test func `a chunk of one kind is not read as the other`() {
        let codec = ChunkCodec()
        let chunks = Self.chunks()
        #expect(throws: ChunkError.unknownFormat(0x11)) { try codec.decodedRollups(chunks.readings) }
        #expect(throws: ChunkError.unknownFormat(0x12)) { try codec.decoded(chunks.rollups) }
        #expect(throws: ChunkError.truncated(reading: "format")) { try codec.decoded([]) }
    }

    @Test(arguments: 0..<10)
    func `damage under a matching checksum never crashes`(round: UInt64) throws {
        let seed = CodecSeed.value &+ round
        var random = CodecRandom(seed: seed)
        let codec = ChunkCodec()
        for shape in CodecSeriesShape.allCases {
            let columns = RawColumns(shape: shape, times: .gaps, count: 100, random: &random)
            let readings = codec.encode(columns)
            let rollups = codec.encode(columns.rollups(widthMilliseconds: 60_000, method: .direction))
            for _ in 0..<30 {
                // What comes out does not matter, only that something does.
                _ = try? codec.decoded(forged(readings, random: &random))
                _ = try? codec.decodedRollups(forged(rollups, random: &random))
            }
            #expect(try codec.decoded(readings).exactBits == columns.exactBits, "seed \(seed)")
        }
    }

    /// The chunk with a few bytes behind its format changed, and the checksum that fits.
    private func forged(_ chunk: [UInt8], random: inout CodecRandom) -> [UInt8] {
        var body = Array(chunk.dropLast(8))
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            body[Int.random(in: 1..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if Bool.random(using: &random) { body.removeLast(Int.random(in: 0..<body.count - 1, using: &random)) }
        let sum = body.withUnsafeBytes { checksum($0) }
        return body + (0..<8).map { UInt8(truncatingIfNeeded: sum >> UInt64($0 * 8)) }
    }

    @Test func `the checksum is told apart by every bit, the length, and the place`() {
        var random = CodecRandom(seed: CodecSeed.value)
        for count in 0..<100 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let sum = bytes.withUnsafeBytes { checksum($0) }
            for bit in 0..<count * 8 {
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(flipped.withUnsafeBytes { checksum($0) } != sum)
            }
            #expect((bytes + [0]).withUnsafeBytes { checksum($0) } != sum)
            // Wherever in memory the bytes lie.
            #expect(([0] + bytes).withUnsafeBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[1...])) } == sum)
        }
    }

    @Test func `the checksum never changes`() {
        let bytes = (0..<200).map { UInt8($0) }
        #expect(bytes.withUnsafeBytes { checksum($0) } == 7_776_893_991_118_956_818)
        #expect([UInt8]().withUnsafeBytes { checksum($0) } == 13_942_423_603_420_947_006)
    }
}
