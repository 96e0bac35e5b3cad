import Monitoring

/// No key may come twice in any object, and nothing may nest too deep: also where nothing is read.
extension MessageReader {
    static func duplicate(_ keyIndex: Int) -> MessageFailure {
        MessageFailure(reason: .duplicateKey, detail: "a key comes twice", keyIndex: keyIndex)
    }

    /// Puts a key on the stack of those that must differ.
    mutating func push(_ keyIndex: Int) {
        precondition(self.keyCount < Limits.membersMax, "the shortest member is longer than assumed")
        (self.keys + self.keyCount).initialize(to: Int32(truncatingIfNeeded: keyIndex))
        self.keyCount += 1
    }

    /// Checks everything inside an array or object that is not read: depth and duplicate keys.
    mutating func check(_ container: Int, depth: Int) throws(MessageFailure) {
        guard depth <= Limits.nestingMax else {
            throw MessageFailure(reason: .tooDeep, detail: "arrays and objects nest deeper than 8")
        }
        let isObject = self.tape.type(at: container) == TapeType.object
        let base = self.keyCount
        let close = self.tape.close(of: container)
        var index = container + 1
        while index < close {
            if isObject {
                self.push(index)
                index += 1
            }
            if self.tape.isContainer(at: index) { try self.check(index, depth: depth + 1) }
            index = self.tape.next(after: index)
        }
        try self.requireDistinct(from: base)
        self.keyCount = base
    }

    /// Checks that the keys pushed since `base` differ.
    ///
    /// Many are sorted (and stay so): a message must not cost its square.
    @inline(__always)
    func requireDistinct(from base: Int) throws(MessageFailure) {
        if self.keyCount - base > 1 { try self.requireDistinct(base..<self.keyCount) }
    }

    private func requireDistinct(_ range: Range<Int>) throws(MessageFailure) {
        let isSorted = range.count > Limits.pairwiseKeysMax
        if isSorted {
            var keys = UnsafeMutableBufferPointer(start: self.keys + range.lowerBound, count: range.count)
            keys.sort { Name.precedes(self.tape.name(at: Int($0)), self.tape.name(at: Int($1))) }
        }
        for position in range.dropFirst() {
            let name = self.tape.name(at: Int(self.keys[position]))
            for other in (isSorted ? position - 1 : range.lowerBound)..<position
            where self.tape.name(at: Int(self.keys[other])) == name {
                throw Self.duplicate(Int(self.keys[position]))
            }
        }
    }

    /// The value of an unknown parameter, among those whose keys `requireDistinct` left in `unknown`.
    func value(named name: Name, unknown: Range<Int>, firstValue: Int) -> Int? {
        var low = unknown.lowerBound
        if unknown.count > Limits.pairwiseKeysMax {
            var high = unknown.upperBound
            while low < high {
                let middle = (low + high) / 2
                let isBefore = Name.precedes(self.tape.name(at: Int(self.keys[middle])), name)
                if isBefore { low = middle + 1 } else { high = middle }
            }
            guard low < unknown.upperBound, self.tape.name(at: Int(self.keys[low])) == name else { return nil }
        } else {
            while low < unknown.upperBound, !(self.tape.name(at: Int(self.keys[low])) == name) { low += 1 }
            guard low < unknown.upperBound else { return nil }
        }
        // The values of a sample are in the order of the tape.
        let keyIndex = self.keys[low]
        var first = firstValue
        var last = self.valueCount
        while first < last {
            let middle = (first + last) / 2
            if self.values[middle].nameIndex < keyIndex { first = middle + 1 } else { last = middle }
        }
        return first < self.valueCount ? first : nil
    }
}
