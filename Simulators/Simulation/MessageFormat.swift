import Monitoring

/// Writes a station's messages, byte for byte, with the station's names rendered once.
package struct MessageFormat: Sendable {
    /// `"PM2.5":` per parameter.
    private let keys: [[UInt8]]
    /// `{"boot":"b1","ts":` without its seq; the seq goes before.
    private let boot: [UInt8]

    /// What an undeclared parameter is called.
    package static let undeclaredParameter = "Undeclared"

    package init(parameters: [ParameterPlan], boot: String) {
        self.keys = parameters.map { Array("\"\($0.id.text)\":".utf8) }
        self.boot = boot.isEmpty ? [] : Array(",\"boot\":\"\(boot)\"".utf8)
    }

    /// Appends `{"seq":1,"boot":"b1","ts":…,"values":{…},"status":{…}}`.
    package func appendLive(_ sample: Sample, seq: Int64?, to bytes: inout [UInt8]) {
        self.appendHead(seq: seq, to: &bytes)
        self.appendBody(sample, to: &bytes)
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends `{"seq":1,"boot":"b1","samples":[{"ts":…,"values":{…}},…]}`.
    package func appendSamples(_ samples: some Collection<Sample>, seq: Int64?, to bytes: inout [UInt8]) {
        self.appendHead(seq: seq, to: &bytes)
        append("\"samples\":[", to: &bytes)
        var isFirst = true
        for sample in samples {
            append(isFirst ? "{" : ",{", to: &bytes)
            isFirst = false
            self.appendBody(sample, to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
        append("]}", to: &bytes)
    }

    private func appendHead(seq: Int64?, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        guard let seq else { return }
        append("\"seq\":", to: &bytes)
        appendInteger(seq, to: &bytes)
        bytes.append(contentsOf: self.boot)
        bytes.append(UInt8(ascii: ","))
    }

    private func appendBody(_ sample: Sample, to bytes: inout [UInt8]) {
        append("\"ts\":", to: &bytes)
        appendInteger(sample.timeMilliseconds, to: &bytes)
        append(",\"values\":{", to: &bytes)
        var isFirst = true
        var hasStatus = false
        for value in sample.values {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            self.appendKey(value, to: &bytes)
            value.quantity.append(to: &bytes)
            if value.status != .measuring { hasStatus = true }
        }
        bytes.append(UInt8(ascii: "}"))
        if hasStatus { self.appendStatus(sample, to: &bytes) }
    }

    private func appendStatus(_ sample: Sample, to bytes: inout [UInt8]) {
        append(",\"status\":{", to: &bytes)
        var isFirst = true
        for value in sample.values where value.status != .measuring {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            self.appendKey(value, to: &bytes)
            append("\"\(value.status.text)\"", to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private func appendKey(_ value: SampleValue, to bytes: inout [UInt8]) {
        if self.keys.indices.contains(value.parameterIndex) {
            bytes.append(contentsOf: self.keys[value.parameterIndex])
        } else {
            append("\"\(Self.undeclaredParameter)\":", to: &bytes)
        }
    }
}

private func append(_ text: StaticString, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
}

private func append(_ text: String, to bytes: inout [UInt8]) { bytes.append(contentsOf: text.utf8) }
