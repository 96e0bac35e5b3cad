/// Every bound of decoding.
///
/// Names end in their unit, then min or max.
enum Limits {
    /// A longer payload is a dead letter before anything looks at it.
    static let payloadBytesMax = 256 << 10
    /// How deep arrays and objects of a message may nest; the message itself is 1.
    static let nestingMax = 8
    /// How deep we parse: deeper than allowed, so that the sequence number of a message that is too deep can be read.
    static let parsedNestingMax = 64
    /// Characters (Unicode scalars) of a boot id.
    static let bootScalarsMax = 32
    /// The largest sequence number: the integers that a double holds exactly.
    static let sequenceMax: Int64 = 1 << 53
    /// Claimed times beyond it are not kept, so that adding an offset to a claimed time can never overflow.
    static let timeMillisecondsMax: Int64 = 1 << 62

    /// `"":0,` is the shortest member of an object.
    static let memberBytesMin = 5
    /// Keys, and so values, that one payload can hold.
    static let membersMax = payloadBytesMax / memberBytesMin + 1
    /// `{"ts":0,"values":{"":0}}` is the shortest sample.
    static let sampleBytesMin = 24
    /// Samples that one payload can hold.
    static let samplesMax = payloadBytesMax / sampleBytesMin + 1

    /// Up to so many unknown keys are compared pair by pair; more are sorted first.
    static let pairwiseKeysMax = 16
    /// Bytes of a device's text that are quoted in a quarantine row.
    static let quotedBytesMax = 256
}
