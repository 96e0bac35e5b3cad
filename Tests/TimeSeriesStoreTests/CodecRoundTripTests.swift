import Monitoring
import Testing
import TimeSeriesStore

/// Whatever goes into a chunk comes out of it, bit for bit.
@Suite struct CodecRoundTripTests {
    @Test func `an empty chunk is empty again`() throws {
        let codec = ChunkCodec()
        #expect(try codec.decoded(codec.encode(RawColumns())).isEmpty)
        #expect(try codec.decodedRollups(codec.encode([])).isEmpty)
    }

    @Test func `a single reading costs little and comes back`() throws {
        let codec = ChunkCodec()
        var columns = RawColumns()
        columns.append(time: 1_795_420_800_000, value: 31.4, status: Status.measuring.packed, received: 0)
        let bytes = codec.encode(columns)
        #expect(bytes.count <= 32)
        #expect(try codec.decoded(bytes).exactBits == columns.exactBits)
    }

    @Test(arguments: 0..<15)
    func `random series of every shape come back bit for bit`(round: UInt64) throws {
        let seed = CodecSeed.value &+ round
        var random = CodecRandom(seed: seed)
        let codec = ChunkCodec()
        for shape in CodecSeriesShape.allCases {
            for times in CodecTimeShape.allCases {
                let columns = RawColumns(shape: shape, times: times, random: &random)
                let bytes = codec.encode(columns)
                let decoded = try codec.decoded(bytes)
                #expect(decoded.exactBits == columns.exactBits, "\(shape) \(times) seed \(seed)")
            }
        }
    }

    @Test(arguments: 0..<15)
    func `random rollups come back bit for bit`(round: UInt64) throws {
        let seed = CodecSeed.value &+ round
        var random = CodecRandom(seed: seed)
        let codec = ChunkCodec()
        for shape in CodecSeriesShape.allCases {
            for method in [Rollup.Method.plain, .counter, .direction] {
                let columns = RawColumns(shape: shape, times: .jittered, random: &random)
                let rollups = columns.rollups(widthMilliseconds: 600_000, method: method)
                let decoded = try codec.decodedRollups(codec.encode(rollups))
                #expect(decoded.map(\.exactBits) == rollups.map(\.exactBits), "\(shape) \(method) seed \(seed)")
            }
        }
    }

    @Test func `rollups of arbitrary fields come back bit for bit`() throws {
        let seed = CodecSeed.value
        var random = CodecRandom(seed: seed)
        let codec = ChunkCodec()
        for count in [1, 2, 3, 100] {
            let rollups = (0..<count).map { _ in RollupEntry(arbitrary: &random) }
            let decoded = try codec.decodedRollups(codec.encode(rollups))
            #expect(decoded.map(\.exactBits) == rollups.map(\.exactBits), "seed \(seed)")
        }
    }

    @Test func `extremes come back bit for bit`() throws {
        let codec = ChunkCodec()
        let extremes: [Double] = [
            -0.0, 0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
            -.greatestFiniteMagnitude, 0.1 + 0.2, 1.0 / 3, .pi, 1e300, 9_007_199_254_740_991, -9_007_199_254_740_992,
            2_251_799_813_685_247, 2_251_799_813_685_248, 4.9e-12, 1e-15, 123456.789012345, 31.399999618530273,
            .ulpOfOne,
        ]
        for count in 1...extremes.count {
            var columns = RawColumns()
            for (index, value) in extremes.prefix(count).enumerated() {
                columns.append(time: Int64(index), value: value, status: UInt64.max, received: UInt32.max)
            }
            #expect(try codec.decoded(codec.encode(columns)).exactBits == columns.exactBits)
        }
        var times = RawColumns()
        for time in [Int64.min, Int64.min + 1, -1001, -1000, -999, -1, 0, 1, 999, 1 << 42, 1 << 61, Int64.max] {
            times.append(time: time, value: 1, status: 0, received: time > 0 ? 7 : 0)
        }
        #expect(try codec.decoded(codec.encode(times)).exactBits == times.exactBits)
    }

    @Test func `regular times and usual statuses cost next to nothing`() throws {
        let codec = ChunkCodec()
        var columns = RawColumns()
        for index in 0..<1024 {
            // A gap of an hour now and then.
            let time = 1_795_420_800_000 + Int64(index) * 60_000 + Int64(index / 300) * 3_600_000
            columns.append(time: time, value: 20, status: Status.measuring.packed, received: 0)
        }
        let bytes = codec.encode(columns)
        #expect(bytes.count <= 48)
        #expect(try codec.decoded(bytes).exactBits == columns.exactBits)
    }

    @Test func `receipt seconds of a station cost little more than their spread`() throws {
        let codec = ChunkCodec()
        var random = CodecRandom(seed: CodecSeed.ofSizes)
        var columns = RawColumns()
        for index in 0..<1024 {
            let time = 1_795_420_800_000 + Int64(index) * 60_000
            let seconds = Double(Int.random(in: 0...5, using: &random))
            columns.append(time: time, value: seconds, status: Status.measuring.packed, received: 0)
        }
        let bytes = codec.encode(columns)
        // log2(6) bits are 331 bytes.
        #expect(bytes.count <= 430, "seed \(CodecSeed.ofSizes)")
        #expect(try codec.decoded(bytes).exactBits == columns.exactBits)
    }

    @Test func `an hour of minutes costs few bytes as a rollup`() throws {
        let codec = ChunkCodec()
        var random = CodecRandom(seed: CodecSeed.ofSizes)
        var columns = RawColumns()
        var level = 0.0
        for index in 0..<60 * 24 * 14 {
            level = level * 0.9 + random.noise() / 2
            let value = ((30 + level) * 10).rounded() / 10
            let time = 1_795_420_800_000 + Int64(index) * 60_000
            columns.append(time: time, value: value, status: Status.measuring.packed, received: 0)
        }
        let hours = columns.rollups(widthMilliseconds: 3_600_000, method: .plain)
        let bytes = codec.encode(hours)
        #expect(bytes.count <= hours.count * 10, "seed \(CodecSeed.ofSizes)")
        #expect(try codec.decodedRollups(bytes).map(\.exactBits) == hours.map(\.exactBits))
    }

    @Test func `the largest chunk comes back`() throws {
        let codec = ChunkCodec()
        let count = ChunkLimits.entriesMax
        let columns = RawColumns(
            times: (0..<count).map { Int64($0) * 1000 },
            values: (0..<count).map { Double($0 % 977) / 10 },
            statuses: .init(repeating: 0x3030, count: count),
            received: .init(repeating: 0, count: count)
        )
        #expect(try codec.decoded(codec.encode(columns)).exactBits == columns.exactBits)
    }

    @Test func `a few values with more decimals cost their decimals only`() throws {
        let codec = ChunkCodec()
        var random = CodecRandom(seed: CodecSeed.ofSizes)
        var columns = RawColumns(shape: .oneDecimal, times: .regular, count: 1000, random: &random)
        let usual = codec.encode(columns).count
        for index in stride(from: 5, to: 1000, by: 20) {
            columns.values[index] = Double(Int.random(in: 0..<1_000_000, using: &random)) / 10_000
        }
        let bytes = codec.encode(columns)
        #expect(try codec.decoded(bytes).exactBits == columns.exactBits)
        // 50 of them, each also far from its neighbours.
        #expect(bytes.count < usual + 50 * 5, "seed \(CodecSeed.ofSizes)")
    }

    @Test func `one odd value among short decimals costs little`() throws {
        let codec = ChunkCodec()
        var random = CodecRandom(seed: CodecSeed.ofSizes)
        var columns = RawColumns(shape: .oneDecimal, times: .regular, count: 1000, random: &random)
        let usual = codec.encode(columns).count
        columns.values[500] = 985.7142857142856
        let bytes = codec.encode(columns)
        #expect(try codec.decoded(bytes).exactBits == columns.exactBits)
        #expect(bytes.count < usual + 40, "seed \(CodecSeed.ofSizes)")
    }
}
