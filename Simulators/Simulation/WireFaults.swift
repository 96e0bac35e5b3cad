/// What goes wrong between a station's logger and the broker: copies, overtaking, damage.
package struct WireFaults: Sendable {
    private let rates: FaultRates
    private var random: SeededGenerator
    private var held: [(message: OutgoingMessage, after: Int)] = []
    /// What the link lost; the station is to believe that it arrived.
    private var lost: [Int64] = []
    /// What is sent again is not lost again: a run would never end.
    private var highestSeq: Int64 = 0

    package init(rates: FaultRates, seed: UInt64) {
        self.rates = rates
        self.random = SeededGenerator(seed: seed)
    }

    /// Whether anything can go wrong here at all.
    package var isActive: Bool { !self.rates.isEmpty }

    /// Whether messages wait to be overtaken.
    package var holdsMessages: Bool { !self.held.isEmpty }

    /// What leaves instead of one message.
    package mutating func process(_ message: OutgoingMessage, format: MessageFormat) -> [OutgoingMessage] {
        guard self.isActive, case .samples(let samples) = message.body else { return [message] }
        var leaving: [OutgoingMessage] = []
        if self.random.happens(self.rates[.poison] / 2), let sample = samples.first {
            leaving.append(self.damaged(sample, seq: message.seq ?? 0, format: format))
        }
        if let seq = message.seq, seq > self.highestSeq {
            self.highestSeq = seq
            if self.random.happens(self.rates[.hole]) {
                self.lost.append(seq)
                return leaving
            }
        }
        if self.random.happens(self.rates[.reorder]) {
            self.held.append((message, Int.random(in: 1...5, using: &self.random)))
            return leaving
        }
        leaving.append(message)
        if self.random.happens(self.rates[.duplicate]), samples.allSatisfy(\.isFlawless) {
            leaving.append(OutgoingMessage(seq: message.seq, body: message.body, isCopy: true))
        }
        for position in self.held.indices { self.held[position].after -= 1 }
        leaving += self.held.filter { $0.after <= 0 }.map(\.message)
        self.held.removeAll { $0.after <= 0 }
        return leaving
    }

    /// The numbers of messages that were lost on the way since this was last asked.
    package mutating func takeLost() -> [Int64] {
        defer { self.lost = [] }
        return self.lost
    }

    /// Lets go of what is still held, at the end of a run.
    package mutating func flush() -> [OutgoingMessage] {
        defer { self.held = [] }
        return self.held.map(\.message)
    }

    /// A damaged copy of a message, one of every class of what cannot be read as a whole.
    private mutating func damaged(_ sample: Sample, seq: Int64, format: MessageFormat) -> OutgoingMessage {
        var whole: [UInt8] = []
        format.appendLive(sample, seq: nil, to: &whole)
        let values = "\"values\":{\"PM10\":31.5}"
        let time = "\"ts\":\(sample.timeMilliseconds)"
        let bytes: [UInt8]
        let reason: String
        var meant: Sample?
        switch Int.random(in: 0..<9, using: &self.random) {
        case 0:
            // The link broke in the middle: the values were meant to be said.
            bytes = Array(whole.prefix(Int.random(in: 1..<whole.count, using: &self.random)))
            reason = "not-json"
            meant = sample
        case 1:
            // A logger that writes text where the server wants JSON.
            bytes = Array("PM10\t31.5\tug/m3\t20260101000000\t00\r\n".utf8)
            reason = "not-json"
        case 2:
            bytes = Array("{\(values)}".utf8)
            reason = "no-time"
        case 3:
            bytes = Array("{\"ts\":\"2026-01-01 00:00:00\",\(values)}".utf8)
            reason = "bad-time"
        case 4:
            bytes = Array("{\(time),\"values\":{\"PM10\":31.5,\"PM10\":32.5}}".utf8)
            reason = "duplicate-key"
        case 5:
            bytes = Array("{\(time),\"values\":{}}".utf8)
            reason = "empty"
        case 6:
            bytes = Array("{\(time),\"note\":\"".utf8) + [0xC3, 0x28] + Array("\",\(values)}".utf8)
            reason = "invalid-utf8"
        case 7:
            let depth = 12
            let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            bytes = Array("{\(time),\(values),\"extra\":\(deep)}".utf8)
            reason = "too-deep"
        default:
            bytes = Array("{\(time),\(values),\"samples\":[{\(time),\(values)}]}".utf8)
            reason = "bad-shape"
        }
        return OutgoingMessage(seq: nil, body: .unreadable(bytes, meant: meant, reason: reason))
    }
}

extension Sample {
    /// Whether every value is a number of a declared parameter at the time it was taken.
    var isFlawless: Bool {
        self.timeMilliseconds == self.recordedMilliseconds
            && self.values.allSatisfy {
                $0.parameterIndex >= 0 && $0.quantity.number != nil && $0.status.isLegal
            }
    }
}

extension SampleStatus {
    /// 1–8 letters or digits.
    var isLegal: Bool {
        guard case .other(let text) = self else { return true }
        return (1...8).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: false
                }
            }
    }
}
