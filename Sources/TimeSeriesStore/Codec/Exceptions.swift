/// The values of a column that have more decimals than the rest.
struct FineValues {
    private(set) var indices: [Int] = []
    /// How far each is from the column's integer, at the fine scale.
    private(set) var distances: [Int64] = []

    mutating func removeAll() {
        self.indices.removeAll(keepingCapacity: true)
        self.distances.removeAll(keepingCapacity: true)
    }

    mutating func append(_ index: Int, _ distance: Int64) {
        self.indices.append(index)
        self.distances.append(distance)
    }

    /// Appends them; they are used up.
    mutating func encode(_ integerCodec: IntegerCodec, into sink: inout ByteSink) {
        encodePlaces(self.indices, integerCodec, into: &sink)
        self.distances.withUnsafeMutableBufferPointer { integerCodec.encode($0, into: &sink) }
    }

    mutating func decode(
        _ integerCodec: IntegerCodec,
        _ source: inout ByteSource,
        columnCount: Int
    ) throws(ChunkError) {
        self.indices = try decodePlaces(integerCodec, &source, columnCount: columnCount)
        self.distances = try integerCodec.decodeArray(from: &source, count: self.indices.count)
    }
}

/// The values of a column that are no short decimals: their bits, each different one once, for sensors repeat them.
struct OddValues {
    private(set) var indices: [Int] = []
    private(set) var bits: [UInt64] = []

    /// A value is looked for among so many before it; farther back costs bytes, never correctness.
    private static let window = 32

    mutating func removeAll() {
        self.indices.removeAll(keepingCapacity: true)
        self.bits.removeAll(keepingCapacity: true)
    }

    mutating func append(_ index: Int, _ bits: UInt64) {
        self.indices.append(index)
        self.bits.append(bits)
    }

    func encode(_ integerCodec: IntegerCodec, into sink: inout ByteSink) {
        var distinct: [UInt64] = []
        var references: [Int64] = []
        references.reserveCapacity(self.bits.count)
        for bits in self.bits {
            if let known = distinct.suffix(Self.window).lastIndex(of: bits) {
                references.append(Int64(distinct.count - known))
            } else {
                distinct.append(bits)
                references.append(0)
            }
        }
        encodePlaces(self.indices, integerCodec, into: &sink)
        references.withUnsafeMutableBufferPointer { integerCodec.encode($0, into: &sink) }
        for bits in distinct { sink.append(fixed: bits) }
    }

    mutating func decode(
        _ integerCodec: IntegerCodec,
        _ source: inout ByteSource,
        columnCount: Int
    ) throws(ChunkError) {
        self.indices = try decodePlaces(integerCodec, &source, columnCount: columnCount)
        let references = try integerCodec.decodeArray(from: &source, count: self.indices.count)
        var distinct: [UInt64] = []
        for reference in references {
            if reference == 0 { distinct.append(try source.fixed("odd value")) }
            guard reference >= 0, reference <= Int64(distinct.count) else {
                throw .badFormat("odd value \(reference) back of \(distinct.count)")
            }
            self.bits.append(0)
        }
        // References count back from those known by then, so they are followed in order, once all are there.
        var known = 0
        for (place, reference) in references.enumerated() {
            if reference == 0 { known += 1 }
            self.bits[place] = distinct[reference == 0 ? known - 1 : known - Int(reference)]
        }
    }
}

/// Appends ascending places in a column, as their number and the distances between them.
private func encodePlaces(_ places: [Int], _ integerCodec: IntegerCodec, into sink: inout ByteSink) {
    var next = 0
    var distances: [Int64] = []
    distances.reserveCapacity(places.count)
    for place in places {
        distances.append(Int64(place - next))
        next = place + 1
    }
    sink.append(varint: UInt64(places.count))
    distances.withUnsafeMutableBufferPointer { integerCodec.encode($0, into: &sink) }
}

private func decodePlaces(
    _ integerCodec: IntegerCodec,
    _ source: inout ByteSource,
    columnCount: Int
) throws(ChunkError) -> [Int] {
    let count = try source.count("number of exceptions", atMost: columnCount)
    var next = 0
    var places: [Int] = []
    places.reserveCapacity(count)
    for distance in try integerCodec.decodeArray(from: &source, count: count) {
        guard distance >= 0, distance < Int64(columnCount - next) else {
            throw .badFormat("exception behind the end of its column")
        }
        places.append(next + Int(distance))
        next += Int(distance) + 1
    }
    return places
}
