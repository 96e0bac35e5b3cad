/// Columns of doubles as bytes: a form, the column of integers, and what restores the values that the integers do not
/// give.
final class ValueCodec {
    private let integerCodec: IntegerCodec
    private var integers = ScratchIntegers()
    private var fine = FineValues()
    private var odd = OddValues()

    init(integerCodec: IntegerCodec) { self.integerCodec = integerCodec }

    /// Appends a column.
    func encode(_ values: UnsafeBufferPointer<Double>, into sink: inout ByteSink) {
        let integers = self.integers.take(values.count)
        self.split(values, into: integers, sink: &sink)
        self.integerCodec.encode(integers, into: &sink)
    }

    /// Appends the form and the exceptions; leaves the integers for the caller to predict and write.
    @discardableResult
    func split(
        _ values: UnsafeBufferPointer<Double>,
        into integers: UnsafeMutableBufferPointer<Int64>,
        sink: inout ByteSink
    ) -> DecimalForm {
        let form = DecimalForm.best(for: values)
        self.fine.removeAll()
        self.odd.removeAll()
        form.integers(of: values, into: integers) { index in
            if let distance = form.fineDistance(of: values[index], from: integers[index]) {
                self.fine.append(index, distance)
            } else {
                self.odd.append(index, values[index].bitPattern)
            }
        }
        // An odd value stands outside the column: the number before, repeated, costs least there.
        for index in self.odd.indices where index > 0 { integers[index] = integers[index - 1] }
        sink.append(UInt8(form.scale) | (form.isSingle ? 0x20 : 0))
        sink.append(
            UInt8(form.fineScale) | (self.fine.indices.isEmpty ? 0 : 0x40) | (self.odd.indices.isEmpty ? 0 : 0x80)
        )
        if !self.fine.indices.isEmpty { self.fine.encode(self.integerCodec, into: &sink) }
        if !self.odd.indices.isEmpty { self.odd.encode(self.integerCodec, into: &sink) }
        return form
    }

    /// Reads a column of as many values as the buffer has.
    func decode(from source: inout ByteSource, into values: UnsafeMutableBufferPointer<Double>) throws(ChunkError) {
        let form = try self.decodeForm(from: &source, count: values.count)
        let integers = self.integers.take(values.count)
        try self.integerCodec.decode(from: &source, into: integers)
        self.join(form, integers, into: values)
    }

    /// Reads the form, and the exceptions for ``join(_:_:into:)``.
    func decodeForm(from source: inout ByteSource, count: Int) throws(ChunkError) -> DecimalForm {
        let head = try source.byte("form of values")
        let fineHead = try source.byte("fine form of values")
        let form = DecimalForm(
            scale: Int(head & 0x1F),
            fineScale: Int(fineHead & 0x1F),
            isSingle: head & 0x20 != 0
        )
        guard form == .bits || form.scale <= form.fineScale && form.fineScale <= DecimalForm.scaleMax else {
            throw .badFormat("form of values \(head) \(fineHead)")
        }
        self.fine.removeAll()
        self.odd.removeAll()
        if fineHead & 0x40 != 0 { try self.fine.decode(self.integerCodec, &source, columnCount: count) }
        if fineHead & 0x80 != 0 { try self.odd.decode(self.integerCodec, &source, columnCount: count) }
        return form
    }

    /// The values of a column whose form was read last.
    func join(
        _ form: DecimalForm,
        _ integers: UnsafeMutableBufferPointer<Int64>,
        into values: UnsafeMutableBufferPointer<Double>
    ) {
        form.values(of: integers, into: values)
        for (index, distance) in zip(self.fine.indices, self.fine.distances) {
            values[index] = form.value(fineDistance: distance, from: integers[index])
        }
        for (index, bits) in zip(self.odd.indices, self.odd.bits) { values[index] = Double(bitPattern: bits) }
    }
}

/// Memory for integers that grows and is used again.
struct ScratchIntegers: ~Copyable {
    private var base: UnsafeMutableBufferPointer<Int64>

    init(count: Int = 0) { self.base = .allocate(capacity: Swift.max(count, 1)) }

    deinit { self.base.deallocate() }

    /// All that was asked for at first.
    var all: UnsafeMutableBufferPointer<Int64> { self.base }

    /// Uninitialized memory for `count` integers, valid until the next call.
    mutating func take(_ count: Int) -> UnsafeMutableBufferPointer<Int64> {
        if count > self.base.count {
            self.base.deallocate()
            self.base = .allocate(capacity: Swift.max(count, self.base.count * 2))
        }
        return UnsafeMutableBufferPointer(rebasing: self.base[..<count])
    }
}
