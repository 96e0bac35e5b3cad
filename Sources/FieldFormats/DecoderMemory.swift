/// The memory a decoder reuses for every message; its size is fixed by `Limits`, and pages never touched cost nothing.
final class DecoderMemory {
    /// The state of one parameter of the station within the current sample.
    struct Slot {
        /// The sample in which the parameter last had a value, and where that value is.
        var valueGeneration: UInt64
        var valueIndex: Int
        /// The sample in which it last had a status.
        var statusGeneration: UInt64
    }

    let values = UnsafeMutablePointer<DecodedValue>.allocate(capacity: Limits.membersMax)
    let samples = UnsafeMutablePointer<DecodedSample>.allocate(capacity: Limits.samplesMax)
    /// A stack of tape indices of keys that must differ from each other.
    let keys = UnsafeMutablePointer<Int32>.allocate(capacity: Limits.membersMax)
    private(set) var slots = UnsafeMutablePointer<Slot>.allocate(capacity: 0)
    private(set) var slotCapacity = 0
    /// Grows by one per sample, so that slots never need clearing.
    var generation: UInt64 = 0

    /// Makes room for a slot per parameter.
    ///
    /// The number is that of our own registry, not of a message.
    func reserveSlots(_ count: Int) {
        self.slots.deallocate()
        self.slots = .allocate(capacity: count)
        self.slots.initialize(repeating: Slot(valueGeneration: 0, valueIndex: 0, statusGeneration: 0), count: count)
        self.slotCapacity = count
    }

    deinit {
        self.values.deallocate()
        self.samples.deallocate()
        self.keys.deallocate()
        self.slots.deallocate()
    }
}
