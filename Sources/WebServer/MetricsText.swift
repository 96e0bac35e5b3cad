import Monitoring

/// Renders the metrics as Prometheus text, version 0.0.4.
enum MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func render(_ metrics: ServiceMetrics) -> String {
        var text = ""
        text.reserveCapacity(4_096)
        metrics.forEachCounter { name, help, value in
            self.appendHead(name, help, "counter", to: &text)
            text += "\(name) \(value)\n"
        }
        metrics.forEachGauge { name, help, value in
            self.appendHead(name, help, "gauge", to: &text)
            text += "\(name) \(value)\n"
        }
        self.append(metrics.commitSeconds.snapshot, to: &text)
        return text
    }

    private static func append(_ snapshot: DurationHistogram.Snapshot, to text: inout String) {
        let name: StaticString = "quantrac_commit_seconds"
        self.appendHead(name, "Duration of commits, fsync included.", "histogram", to: &text)
        for (bound, count) in zip(DurationHistogram.boundsMicroseconds, snapshot.cumulative) {
            text += "\(name)_bucket{le=\"\(Double(bound) / 1e6)\"} \(count)\n"
        }
        text += "\(name)_bucket{le=\"+Inf\"} \(snapshot.count)\n"
        text += "\(name)_sum \(Double(snapshot.sumNanoseconds) / 1e9)\n"
        text += "\(name)_count \(snapshot.count)\n"
    }

    private static func appendHead(
        _ name: StaticString, _ help: StaticString, _ kind: StaticString, to text: inout String
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
    }
}
