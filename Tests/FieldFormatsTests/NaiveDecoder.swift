import FieldFormats
import Foundation
import Monitoring

/// The fates as the surface words them, over a tree; the oracle of the random tests.
struct NaiveDecoder {
    /// Positions in the registry of the station's parameters.
    let parameters: [String: Int32]

    private struct Failure: Error {
        let reason: DeadLetterReason
    }

    func decode(_ payload: [UInt8]) -> Decoded {
        var decoded = Decoded()
        do {
            guard payload.count <= 262_144 else { throw Failure(reason: .tooLarge) }
            guard String(validating: payload, as: UTF8.self) != nil else { throw Failure(reason: .invalidUTF8) }
            guard let message = try? NaiveJSON(payload) else { throw Failure(reason: .notJSON) }
            let hasIdentity = self.readIdentity(message, into: &decoded)
            guard message.depth <= 8 else { throw Failure(reason: .tooDeep) }
            guard !message.hasDuplicateKey else { throw Failure(reason: .duplicateKey) }
            guard case .object = message, hasIdentity else { throw Failure(reason: .badShape) }
            decoded.samples = try self.samples(of: message)
        } catch {
            decoded.reason = (error as? Failure)?.reason
        }
        return decoded
    }

    /// Reads `seq` and `boot` when both can be read without doubt; false when one of them is wrong.
    private func readIdentity(_ message: NaiveJSON, into decoded: inout Decoded) -> Bool {
        guard case .object(let members) = message else { return false }
        let sequences = members.filter { $0.key == Array("seq".utf8) }
        let boots = members.filter { $0.key == Array("boot".utf8) }
        guard sequences.count < 2, boots.count < 2 else { return false }
        var sequence: Int64?
        var boot: [UInt8] = []
        if let member = sequences.first {
            guard case .number(let text) = member.value else { return false }
            // As a decimal number, so that 2^53 + 1 is not taken for 2^53.
            guard
                let exact = Int64(text)
                    ?? Double(text).flatMap({ text.contains { ".eE".contains($0) } ? Int64(exactly: $0) : nil }),
                exact >= 0, exact <= 9_007_199_254_740_992
            else { return false }
            sequence = exact
        }
        if let member = boots.first {
            guard case .text(let bytes) = member.value else { return false }
            guard String(decoding: bytes, as: UTF8.self).unicodeScalars.count <= 32 else { return false }
            boot = bytes
        }
        decoded.sequence = sequence
        decoded.boot = boot
        return true
    }

    private func samples(of message: NaiveJSON) throws -> [Decoded.Sample] {
        guard let samples = message["samples"] else { return [try self.sample(message)] }
        guard message["values"] == nil, message["status"] == nil, case .array(let elements) = samples else {
            throw Failure(reason: .badShape)
        }
        guard !elements.isEmpty else { throw Failure(reason: .empty) }
        return try elements.map { element in
            guard case .object = element else { throw Failure(reason: .badShape) }
            return try self.sample(element)
        }
    }

    private func sample(_ object: NaiveJSON) throws -> Decoded.Sample {
        var members: [(key: [UInt8], value: NaiveJSON)] = []
        if let values = object["values"] {
            guard case .object(let found) = values else { throw Failure(reason: .badShape) }
            members = found
        }
        if let status = object["status"] {
            guard case .object = status else { throw Failure(reason: .badShape) }
        }
        guard let ts = object["ts"] else { throw Failure(reason: .noTime) }
        guard let time = self.time(ts) else { throw Failure(reason: .badTime) }
        guard !members.isEmpty else { throw Failure(reason: .empty) }
        return Decoded.Sample(
            timeMilliseconds: time,
            values: members.map { key, value in self.value(key, value, status: object["status"]?.member(key)) })
    }

    private func value(_ key: [UInt8], _ json: NaiveJSON, status: NaiveJSON?) -> Decoded.Value {
        let name = String(decoding: key, as: UTF8.self)
        let series = self.parameters.first { Array($0.key.utf8) == key }?.value
        var reason: QuarantineReason?
        var number = Double.nan
        switch json {
        case .number(let text):
            number = self.double(text)
            if !number.isFinite { reason = .notFinite }
        case .null: reason = .null
        default: reason = .notANumber
        }
        if series == nil { reason = .unknownParameter }
        var known = Status.measuring
        if let status {
            if case .text(let bytes) = status, let text = Status(String(decoding: bytes, as: UTF8.self)) {
                known = text
            } else {
                known = DecodedValue.none
                reason = reason ?? .badStatus
            }
        }
        return Decoded.Value(
            name: name, bits: number.bitPattern, status: known, seriesIndex: series ?? -1,
            reason: reason?.rawValue ?? 0)
    }

    /// An integer without sign of zero, anything else as `Double` reads it.
    private func double(_ text: String) -> Double {
        if let integer = Int64(text) { return Double(integer) }
        return Double(text) ?? .nan
    }

    private func time(_ json: NaiveJSON) -> Int64? {
        switch json {
        case .number(let text):
            guard let number = Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")) else { return nil }
            guard self.double(text).isFinite, abs(self.double(text)) < 1e30 else { return nil }
            var milliseconds = self.double(text) >= 1e11 ? number : number * 1_000
            var rounded = Decimal()
            NSDecimalRound(&rounded, &milliseconds, 0, .plain)
            guard abs(rounded) <= Decimal(Int64(1) << 62) else { return nil }
            return Int64(truncating: rounded as NSDecimalNumber)
        case .text(let bytes): return bytes.withUnsafeBufferPointer { Civil.parseRFC3339($0) }
        default: return nil
        }
    }
}

extension NaiveJSON {
    fileprivate func member(_ key: [UInt8]) -> NaiveJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}
