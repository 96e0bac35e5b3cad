/// Why a whole message could not be read (invariant I2).
///
/// The words are the `reason` of a dead letter.
package enum DeadLetterReason: String, Sendable, CaseIterable {
    case notJSON = "not-json"
    case invalidUTF8 = "invalid-utf8"
    case noTime = "no-time"
    case badTime = "bad-time"
    case unknownStation = "unknown-station"
    case tooLarge = "too-large"
    case tooDeep = "too-deep"
    case duplicateKey = "duplicate-key"
    case empty
    /// `values` beside `samples`, a `seq` out of range, a `boot` too long: JSON, but not this payload.
    case badShape = "bad-shape"
    case unknownTopic = "unknown-topic"
}

/// Why one value was set aside while the rest of its message was stored (invariant I2).
package enum QuarantineReason: UInt8, Sendable, CaseIterable {
    case unknownParameter = 1
    case null = 2
    case notFinite = 3
    case notANumber = 4
    case tooOld = 5
    case tooNew = 6
    case sealed = 7
    case badStatus = 8

    /// The word in lists, exports and metrics.
    package var label: String {
        switch self {
        case .unknownParameter: "unknown-parameter"
        case .null: "null"
        case .notFinite: "not-finite"
        case .notANumber: "not-a-number"
        case .tooOld: "too-old"
        case .tooNew: "too-new"
        case .sealed: "sealed"
        case .badStatus: "bad-status"
        }
    }
}
