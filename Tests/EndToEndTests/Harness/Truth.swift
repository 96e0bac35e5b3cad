import Foundation
import Monitoring
import Testing

/// What the simulator's truth file says must become of what it sent.
struct Truth {
    /// The served `value,status` by `station,parameter,milliseconds`.
    private(set) var values: [String: String] = [:]
    /// How many values must be in quarantine, by `station,parameter,reason`.
    private(set) var quarantined: [String: Int] = [:]
    /// How many messages must be dead letters, by `station,reason`.
    private(set) var deadLetters: [String: Int] = [:]
    private(set) var revisedCount = 0
    /// By station, how many different messages were sent.
    private(set) var messages: [String: Int] = [:]
    /// Values that were never acknowledged; they may be stored or not.
    private var optional: [String: String] = [:]

    init(file: String) throws {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        var seen: [String: Set<Int>] = [:]
        var unreadable: [Int: String] = [:]
        // The message whose version is served so far: lines come in the order of PUBACKs.
        var servedMessage: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let station = object["station"] as? String, let fate = object["fate"] as? String,
                let message = object["message"] as? Int, let isAcknowledged = object["acked"] as? Bool
            else { throw Trouble("not a line of truth: \(line)") }
            let parameter = object["parameter"] as? String ?? ""
            let reason = object["reason"] as? String ?? ""
            switch fate {
            case "dead-letter": unreadable[message] = "\(station),\(reason)"
            case "quarantined": self.quarantined["\(station),\(parameter),\(reason)", default: 0] += 1
            case "stored", "revised":
                guard let time = object["ts"] as? Int, let value = object["value"] as? Double,
                    let status = object["status"] as? String
                else { throw Trouble("not a line of truth: \(line)") }
                seen[station, default: []].insert(message)
                let key = "\(station),\(parameter),\(time)"
                if fate == "revised" { self.revisedCount += 1 }
                guard isAcknowledged else {
                    self.optional[key] = "\(value),\(status)"
                    continue
                }
                // One message may hold a sample and its correction, in this order.
                guard message >= servedMessage[key] ?? 0 else { continue }
                servedMessage[key] = message
                self.values[key] = "\(value),\(status)"
            default: break
            }
        }
        self.messages = seen.mapValues(\.count)
        for place in unreadable.values { self.deadLetters[place, default: 0] += 1 }
    }

    /// Every acknowledged value is there exactly once, and nothing that was not sent.
    func check(exported rows: [[String]], sourceLocation: SourceLocation = #_sourceLocation) throws {
        var found: Set<String> = []
        var wrong: [String] = []
        for row in rows {
            guard row.count == 7, let time = Civil.parseRFC3339(row[3]), let value = Double(row[5]) else {
                throw Trouble("not a row of an export: \(row)")
            }
            let key = "\(row[0]),\(row[1]),\(time)"
            let expected = self.values[key] ?? self.optional[key]
            if expected != "\(value),\(row[6])" { wrong.append("\(row), sent was \(expected ?? "nothing")") }
            if !found.insert(key).inserted { wrong.append("\(row) is there twice") }
        }
        let lost = self.values.keys.filter { !found.contains($0) }
        #expect(wrong.isEmpty, "\(wrong.count) wrong: \(wrong.prefix(5))", sourceLocation: sourceLocation)
        #expect(lost.isEmpty, "\(lost.count) lost: \(lost.sorted().prefix(5))", sourceLocation: sourceLocation)
    }
}

/// SplitMix64: the same seed gives the same run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
