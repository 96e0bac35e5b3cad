package import Monitoring

/// Writes the truth file: one line of JSON per value sent, saying what must have become of it.
package struct TruthFormat: Sendable {
    /// `{"station":"…","parameter":"…` per parameter, the last entry for undeclared ones, and one without a parameter.
    private let heads: [[UInt8]]
    private let undeclared: [UInt8]
    private let nothing: [UInt8]

    package init(station: StationID, parameters: [ParameterPlan]) {
        let head = "{\"station\":\"\(station.text)\",\"parameter\":"
        self.heads = parameters.map { Array("\(head)\"\($0.id.text)\"".utf8) }
        self.undeclared = Array("\(head)\"\(MessageFormat.undeclaredParameter)\"".utf8)
        self.nothing = Array("\(head)null".utf8)
    }

    /// Appends a line without its end, which says whether the message was acknowledged.
    package func append(
        _ value: SampleValue, timeMilliseconds: Int64, fate: ExpectedFate, message: Int, to bytes: inout [UInt8]
    ) {
        let isDeclared = self.heads.indices.contains(value.parameterIndex)
        bytes.append(contentsOf: isDeclared ? self.heads[value.parameterIndex] : self.undeclared)
        self.appendTime(timeMilliseconds, to: &bytes)
        if case .literal(let text) = value.quantity, value.quantity.number == nil, text != "null", !text.hasPrefix("\"")
        {
            // 1e999 stands in quotes here, for readers that take it for infinity or an error.
            bytes.append(contentsOf: "\"\(text)\"".utf8)
        } else {
            value.quantity.append(to: &bytes)
        }
        self.appendFate(fate, status: value.status.text, message: message, to: &bytes)
    }

    /// Appends a line for a message that carried no value at all.
    package func appendEmpty(timeMilliseconds: Int64?, fate: ExpectedFate, message: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: self.nothing)
        self.appendTime(timeMilliseconds, to: &bytes)
        bytes.append(contentsOf: "null".utf8)
        self.appendFate(fate, status: nil, message: message, to: &bytes)
    }

    private func appendTime(_ timeMilliseconds: Int64?, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: ",\"ts\":".utf8)
        if let timeMilliseconds {
            appendInteger(timeMilliseconds, to: &bytes)
        } else {
            bytes.append(contentsOf: "null".utf8)
        }
        bytes.append(contentsOf: ",\"value\":".utf8)
    }

    private func appendFate(_ fate: ExpectedFate, status: String?, message: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: ",\"status\":".utf8)
        bytes.append(contentsOf: (status.map { "\"\($0)\"" } ?? "null").utf8)
        bytes.append(contentsOf: ",\"fate\":\"\(fate.word)\"".utf8)
        if let reason = fate.reason { bytes.append(contentsOf: ",\"reason\":\"\(reason)\"".utf8) }
        bytes.append(contentsOf: ",\"message\":".utf8)
        appendInteger(Int64(message), to: &bytes)
        bytes.append(0)
    }

    /// Finishes the lines begun for one message: acknowledged or not.
    package static func finish(_ lines: [UInt8], acknowledged: Bool, to bytes: inout [UInt8]) {
        let end = acknowledged ? ",\"acked\":true}\n" : ",\"acked\":false}\n"
        for byte in lines {
            if byte == 0 { bytes.append(contentsOf: end.utf8) } else { bytes.append(byte) }
        }
    }
}
