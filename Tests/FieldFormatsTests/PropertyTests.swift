import FieldFormats
import Foundation
import Monitoring
import Testing

@Suite struct PropertyTests {
    private static var oracle: NaiveDecoder {
        NaiveDecoder(
            parameters: Dictionary(
                uniqueKeysWithValues: Bench.parameters.enumerated().map { ($1, Int32($0)) }))
    }

    @Test(arguments: [0.0, 0.02, 0.2])
    func `the decoder and a naive one agree on every fate`(oddity: Double) throws {
        let seed = RandomRun.seed
        var generator = PayloadGenerator(seed: seed, oddity: oddity)
        let bench = try Bench()
        var reasons: [DeadLetterReason?: Int] = [:]
        for round in 0..<RandomRun.rounds(4_000) {
            let payload = generator.payload()
            let decoded = bench.decode(payload)
            reasons[decoded.reason, default: 0] += 1
            let expected = Self.oracle.decode(payload)
            try #require(
                decoded.withoutNaNs == expected.withoutNaNs,
                "seed \(seed), round \(round): \(String(decoding: payload, as: UTF8.self))")
        }
        // The generator must not degenerate: messages, and with oddities most kinds of dead letters.
        #expect((reasons[nil] ?? 0) > 0, "seed \(seed)")
        if oddity == 0.2, RandomRun.rounds(4_000) >= 4_000 { #expect(reasons.count >= 8, "seed \(seed): \(reasons)") }
    }

    @Test func `the decoder and a naive one agree on damaged payloads`() throws {
        let seed = RandomRun.seed
        var generator = PayloadGenerator(seed: seed, oddity: 0.02)
        let bench = try Bench()
        for round in 0..<RandomRun.rounds(8_000) {
            let payload = generator.damaged(generator.payload())
            let decoded = bench.decode(payload)
            let expected = Self.oracle.decode(payload)
            try #require(
                decoded.withoutNaNs == expected.withoutNaNs,
                "seed \(seed), round \(round): \(payload) \(String(decoding: payload, as: UTF8.self))")
        }
    }

    @Test func `any bytes at all have a fate`() throws {
        let seed = RandomRun.seed
        var random = SeededGenerator(seed: seed)
        let bench = try Bench()
        let alphabet = Array("{}[]\",:\\u0123456789eE+-. ntfvalues\u{0}é".utf8) + [0xFF, 0xC3]
        for round in 0..<RandomRun.rounds(8_000) {
            let payload = (0..<Int.random(in: 0...200, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            #expect(bench.decode(payload) == Self.oracle.decode(payload), "seed \(seed), round \(round): \(payload)")
        }
    }

    /// The oracle's parser has an oracle of its own.
    @Test func `the naive parser and Foundation agree on what is JSON`() throws {
        let seed = RandomRun.seed
        var generator = PayloadGenerator(seed: seed, oddity: 0.05)
        for round in 0..<RandomRun.rounds(4_000) {
            var payload = generator.payload()
            if round % 2 == 1 { payload = generator.damaged(payload) }
            guard String(validating: payload, as: UTF8.self) != nil, !payload.contains(0) else { continue }
            let text = String(decoding: payload, as: UTF8.self)
            let naive = try? NaiveJSON(payload)
            // Foundation refuses numbers beyond its range.
            if let naive, !naive.isFinite { continue }
            let foundation = try? JSONSerialization.jsonObject(with: Data(payload), options: .fragmentsAllowed)
            guard let naive else {
                // Foundation tolerates a comma before a closing bracket; JSON does not.
                let strict = text.replacing(/,([ \t\r\n]*[}\]])/) { $0.1 }
                let isTolerance = strict != text && (try? NaiveJSON(Array(strict.utf8))) != nil
                try #require(foundation == nil || isTolerance, "seed \(seed), round \(round): \(text)")
                continue
            }
            let found = try #require(foundation, "seed \(seed), round \(round): \(text)")
            guard !naive.hasDuplicateKey else { continue }
            try #require(naive.equals(found), "seed \(seed), round \(round): \(text)")
        }
    }
}

extension Decoded {
    /// NaNs of different bits mean the same: no number.
    fileprivate var withoutNaNs: Decoded {
        var copy = self
        for sample in copy.samples.indices {
            for value in copy.samples[sample].values.indices
            where Double(bitPattern: copy.samples[sample].values[value].bits).isNaN {
                copy.samples[sample].values[value].bits = 0x7FF8_0000_0000_0000
            }
        }
        return copy
    }
}

extension NaiveJSON {
    /// Whether a double can hold every number in it.
    fileprivate var isFinite: Bool {
        switch self {
        case .number(let text): Double(text)?.isFinite ?? false
        case .array(let elements): elements.allSatisfy(\.isFinite)
        case .object(let members): members.allSatisfy(\.value.isFinite)
        default: true
        }
    }

    /// Whether Foundation read the same values.
    fileprivate func equals(_ other: Any) -> Bool {
        switch self {
        case .null: other is NSNull
        case .bool(let bool): (other as? Bool) == bool
        case .number(let text): (other as? NSNumber).map { isNear($0.doubleValue, Double(text) ?? .nan) } ?? false
        case .text(let bytes): (other as? String).map { Array($0.utf8) } == bytes
        case .array(let elements):
            (other as? [Any]).map { $0.count == elements.count && zip(elements, $0).allSatisfy { $0.equals($1) } }
                ?? false
        case .object(let members):
            (other as? [String: Any]).map { dictionary in
                dictionary.count == members.count
                    && members.allSatisfy { key, value in
                        dictionary[String(decoding: key, as: UTF8.self)].map(value.equals) ?? false
                    }
            } ?? false
        }
    }
}

/// Foundation reads some numbers by way of `Decimal` and is off by a bit or two then.
private func isNear(_ found: Double, _ expected: Double) -> Bool {
    found == expected || abs(found - expected) <= abs(expected) * 1e-14
}
