extension TelemetryDecoder {
    /// The `online` of `{"online": true, …}`, a device's payload on `…/status`; nil when it says nothing of the kind.
    ///
    /// Like `decode` it invalidates what was decoded before.
    package func online(in payload: UnsafeRawBufferPointer) -> Bool? {
        self.reset()
        guard payload.count <= Limits.payloadBytesMax, case .parsed = self.parser.parse(payload) else { return nil }
        let tape = self.parser.tape
        guard tape.type(at: Tape.root) == TapeType.object else { return nil }
        var online: Bool?
        var index = Tape.root + 1
        while index < tape.close(of: Tape.root) {
            if tape.text(at: index).elementsEqual("online".utf8) {
                switch tape.type(at: index + 1) {
                case TapeType.yes: online = true
                case TapeType.no: online = false
                default: return nil
                }
            }
            index = tape.next(after: index + 1)
        }
        return online
    }
}
