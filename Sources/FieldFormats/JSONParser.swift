import CSimdJSON

/// JSON text → tape, reusing its memory; strict RFC 8259, UTF-8 only.
///
/// What simdjson cannot hold but JSON allows (integers beyond 64 bits, numbers beyond a double) is read all the same:
/// the integer as its nearest double, the number as an infinity.
final class JSONParser {
    /// What became of a document.
    enum Verdict {
        case parsed
        case invalidUTF8
        case notJSON
        /// Deeper than `Limits.parsedNestingMax`.
        case tooDeep
    }

    /// The last document, when it was parsed; overwritten by the next.
    let tape: Tape
    /// The numbers of the last document that simdjson could not hold.
    private(set) var oddNumbers: [OddNumber] = []
    private let handle: OpaquePointer

    init() {
        guard let handle = csimdjson_parser_create(Limits.payloadBytesMax, Limits.parsedNestingMax),
            let words = csimdjson_parser_tape(handle), let strings = csimdjson_parser_strings(handle)
        else { preconditionFailure("no memory for the JSON parser") }
        self.handle = handle
        self.tape = Tape(words: words, strings: strings)
    }

    deinit { csimdjson_parser_destroy(self.handle) }

    /// What simdjson said of the last document.
    var message: String { String(cString: csimdjson_parser_message(self.handle)) }

    /// Parses a document of at most `Limits.payloadBytesMax` bytes.
    func parse(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        if !self.oddNumbers.isEmpty { self.oddNumbers = [] }
        let code = csimdjson_parser_parse(self.handle, bytes.baseAddress, bytes.count)
        return code == 0 ? .parsed : self.explain(code: code, bytes)
    }

    /// The slow path: which of several errors simdjson reports may depend on the processor, so we look ourselves.
    private func explain(code: Int32, _ bytes: UnsafeRawBufferPointer) -> Verdict {
        guard csimdjson_is_utf8(bytes.baseAddress, bytes.count) else { return .invalidUTF8 }
        switch Int(code) {
        case Int(CSIMDJSON_NUMBER): return self.parseOddNumbers(bytes)
        case Int(CSIMDJSON_TOO_DEEP): return .tooDeep
        case Int(CSIMDJSON_NO_MEMORY): preconditionFailure("simdjson allocates nothing after its creation")
        default: return .notJSON
        }
    }

    /// Parses again with a 0 in place of every number that simdjson cannot hold, and puts them back on the tape.
    private func parseOddNumbers(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        var scan = OddNumberScan(bytes)
        scan.run()
        guard !scan.found.isEmpty else { return .notJSON }
        let code = scan.rewritten.withUnsafeBytes { csimdjson_parser_parse(self.handle, $0.baseAddress, $0.count) }
        switch Int(code) {
        case Int(CSIMDJSON_OK): break
        case Int(CSIMDJSON_TOO_DEEP): return .tooDeep
        default: return .notJSON
        }
        // Numbers are on the tape in the order of the text, so the n-th token is the n-th number.
        var pending = scan.found[...]
        var placed: [OddNumber] = []
        var ordinal = 0
        var index = Tape.root
        let end = Int(self.tape.words[0] & 0x00FF_FFFF_FFFF_FFFF) - 1
        while index < end, let next = pending.first {
            guard self.tape.number(at: index) != nil else {
                index += 1
                continue
            }
            if ordinal == next.ordinal {
                self.tape.words[index] = UInt64(TapeType.double) << 56
                self.tape.words[index + 1] = next.value.bitPattern
                placed.append(OddNumber(ordinal: ordinal, tapeIndex: index, value: next.value, text: next.text))
                pending.removeFirst()
            }
            ordinal += 1
            index += 2
        }
        self.oddNumbers = placed
        return .parsed
    }
}
