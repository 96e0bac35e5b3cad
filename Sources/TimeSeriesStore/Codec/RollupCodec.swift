import Monitoring

/// Chunks of rollups: every field a column, each predicted from the fields that bound it.
extension ChunkCodec {
    /// The bytes of a chunk of rollups, ascending in start; at most ``ChunkLimits/entriesMax`` of them.
    package func encode(_ rollups: [RollupEntry]) -> [UInt8] {
        precondition(rollups.count <= ChunkLimits.entriesMax)
        self.begin(.rollups1, count: rollups.count, firstMilliseconds: rollups.first?.startMilliseconds ?? 0)
        guard let first = rollups.first else { return self.finish() }
        self.column(rollups) { $0.startMilliseconds &- first.startMilliseconds }
        self.column(rollups) { Int64($0.rollup.n) }
        self.column(rollups) { Int64($0.rollup.nCalibrating) }
        self.column(rollups) { Int64($0.rollup.nFault) }
        self.column(rollups) { Int64($0.rollup.otherStatuses) }
        // A bucket without a valid reading has nothing to say of values: its fields are 0 and not written.
        let withValues = rollups.filter { $0.rollup.nValid != 0 }
        let isRegular = rollups.allSatisfy { $0.rollup.nValid != 0 || $0.rollup.isBare }
        self.sink.append(isRegular ? 0 : 1)
        self.encodeValues(isRegular ? withValues : rollups)
        return self.finish()
    }

    /// The rollups of a chunk.
    package func decodeRollups(_ bytes: UnsafeRawBufferPointer) throws(ChunkError) -> [RollupEntry] {
        var opened = try Self.open(bytes, .rollups1)
        guard opened.count > 0 else { return [] }
        var rollups = [RollupEntry](
            repeating: RollupEntry(startMilliseconds: opened.firstMilliseconds, rollup: Rollup()),
            count: opened.count
        )
        let first = opened.firstMilliseconds
        try self.readColumn(&opened, into: &rollups) { $0.startMilliseconds = first &+ $1 }
        try self.readColumn(&opened, into: &rollups) { $0.rollup.n = Int($1) }
        try self.readColumn(&opened, into: &rollups) { $0.rollup.nCalibrating = Int($1) }
        try self.readColumn(&opened, into: &rollups) { $0.rollup.nFault = Int($1) }
        try self.readColumn(&opened, into: &rollups) { entry, other in
            let known = entry.rollup.nCalibrating &+ entry.rollup.nFault &+ Int(other)
            entry.rollup.nValid = entry.rollup.n &- known
        }
        let isRegular = try opened.source.byte("rollup head") == 0
        let filled = rollups.indices.filter { !isRegular || rollups[$0].rollup.nValid != 0 }
        var withValues = filled.map { rollups[$0] }
        try self.decodeValues(&opened, into: &withValues)
        for (index, entry) in zip(filled, withValues) { rollups[index] = entry }
        guard opened.source.remaining == 0 else { throw .badFormat("bytes behind the last column") }
        return rollups
    }

    // MARK: - Columns

    private func column(_ rollups: [RollupEntry], _ number: (RollupEntry) -> Int64) {
        let integers = self.integers.take(rollups.count)
        for index in rollups.indices { integers[index] = number(rollups[index]) }
        self.integerCodec.encode(integers, into: &self.sink)
    }

    private func readColumn(
        _ opened: inout Opened,
        into rollups: inout [RollupEntry],
        _ assign: (inout RollupEntry, Int64) -> Void
    ) throws(ChunkError) {
        let integers = self.integers.take(rollups.count)
        try self.integerCodec.decode(from: &opened.source, into: integers)
        for index in rollups.indices { assign(&rollups[index], integers[index]) }
    }

    private func encodeValues(_ rollups: [RollupEntry]) {
        guard !rollups.isEmpty else { return }
        let count = rollups.count
        // Four blocks of one scale: firsts, lasts, minima, maxima.
        let values =
            rollups.map(\.rollup.first) + rollups.map(\.rollup.last) + rollups.map(\.rollup.min)
            + rollups.map(\.rollup.max)
        let scratch = ScratchIntegers(count: count * 4)
        let integers = scratch.all
        let form = values.withUnsafeBufferPointer { self.valueCodec.split($0, into: integers, sink: &self.sink) }
        let blocks = RollupBlocks(integers, count: count)
        var sums = RollupSums(rollups, form: form, blocks: blocks)
        blocks.predict()
        for block in [blocks.first, blocks.last, blocks.min, blocks.max] {
            self.integerCodec.encode(block, into: &self.sink)
        }
        sums.encode(self.integerCodec, into: &self.sink)
        if rollups.contains(where: { $0.rollup.sumCosine.bitPattern != 0 }) {
            self.sink.append(1)
            self.column(rollups) { ordered(Int64(bitPattern: $0.rollup.sumCosine.bitPattern)) }
        } else {
            self.sink.append(0)
        }
        self.column(rollups) { $0.rollup.minAtMilliseconds &- $0.startMilliseconds }
        self.column(rollups) { $0.rollup.maxAtMilliseconds &- $0.startMilliseconds }
    }

    private func decodeValues(_ opened: inout Opened, into rollups: inout [RollupEntry]) throws(ChunkError) {
        guard !rollups.isEmpty else { return }
        let count = rollups.count
        let form = try self.valueCodec.decodeForm(from: &opened.source, count: count * 4)
        let scratch = ScratchIntegers(count: count * 4)
        let blocks = RollupBlocks(scratch.all, count: count)
        for block in [blocks.first, blocks.last, blocks.min, blocks.max] {
            try self.integerCodec.decode(from: &opened.source, into: block)
        }
        blocks.restore()
        var values = [Double](repeating: 0, count: count * 4)
        values.withUnsafeMutableBufferPointer { self.valueCodec.join(form, scratch.all, into: $0) }
        for index in 0..<count {
            rollups[index].rollup.first = values[index]
            rollups[index].rollup.last = values[count + index]
            rollups[index].rollup.min = values[count * 2 + index]
            rollups[index].rollup.max = values[count * 3 + index]
        }
        try RollupSums.decode(self.integerCodec, &opened.source, form: form, blocks: blocks, into: &rollups)
        switch try opened.source.byte("cosine head") {
        case 0: break
        case 1:
            try self.readColumn(&opened, into: &rollups) {
                $0.rollup.sumCosine = Double(bitPattern: UInt64(bitPattern: ordered($1)))
            }
        case let head: throw .badFormat("cosine head \(head)")
        }
        try self.readColumn(&opened, into: &rollups) { $0.rollup.minAtMilliseconds = $0.startMilliseconds &+ $1 }
        try self.readColumn(&opened, into: &rollups) { $0.rollup.maxAtMilliseconds = $0.startMilliseconds &+ $1 }
    }
}

extension Rollup {
    /// Readings whose status is none of the three counted apart.
    fileprivate var otherStatuses: Int { self.n &- self.nValid &- self.nCalibrating &- self.nFault }

    /// Whether everything that valid readings would fill is 0, bit for bit.
    fileprivate var isBare: Bool {
        let bits =
            self.sum.bitPattern | self.sumCosine.bitPattern | self.min.bitPattern | self.max.bitPattern
            | self.first.bitPattern | self.last.bitPattern
        return bits == 0 && self.minAtMilliseconds == 0 && self.maxAtMilliseconds == 0
    }
}
