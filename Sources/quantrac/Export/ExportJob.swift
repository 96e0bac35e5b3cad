import Crypto
import Monitoring
import TimeSeriesStore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads spans page by page and writes their rows: memory does not grow with the export.
struct ExportJob {
    let reader: StoreReader
    let level: Level
    let revisions: Bool
    let view: ServedView
    /// Only what was known then; nil for everything.
    let asOf: ExportTime?
    var row: RowBuilder
    private(set) var rows = 0

    init(
        reader: StoreReader, level: Level, revisions: Bool, view: ServedView = .corrected, asOf: ExportTime? = nil,
        row: RowBuilder
    ) {
        self.reader = reader
        self.level = level
        self.revisions = revisions
        self.view = view
        self.asOf = asOf
        self.row = row
    }

    /// Bytes gathered before they are written out.
    static let bufferBytes = 256 << 10

    /// Writes the header and every span.
    ///
    /// - Parameters:
    ///   - spans: In the order of the output.
    ///   - sink: Where the bytes go.
    ///   - progress: Told how many series are done, of how many, and how many rows that made.
    /// - Throws: What the store or the sink fails with.
    mutating func run(
        _ spans: [ExportSelection.Span], into sink: ExportSink, progress: (Double, Double, Int) -> Void
    ) throws {
        self.row.header(ExportRows.columns(level: self.level, revisions: self.revisions))
        for (index, span) in spans.enumerated() {
            let series = ExportSeries(span.series, registry: self.reader.registry)
            var from = span.fromMilliseconds
            while let next = try self.page(span, series, from: from, into: sink) {
                from = next
                let share = Double(from - span.fromMilliseconds) / Double(span.toMilliseconds - span.fromMilliseconds)
                progress(Double(index) + share, Double(spans.count), self.rows)
            }
            progress(Double(index + 1), Double(spans.count), self.rows)
        }
        try sink.write(&self.row.bytes)
    }

    /// Writes one page; returns where the next begins, or nil when the span is done.
    private mutating func page(
        _ span: ExportSelection.Span, _ series: ExportSeries, from: Int64, into sink: ExportSink
    ) throws -> Int64? {
        guard from < span.toMilliseconds else { return nil }
        let limit = StoreLimits.pageRowsMax
        let asOf = self.asOf?.milliseconds(zone: series.zone)
        switch (self.level, self.revisions) {
        case (.raw, false):
            let page = try self.reader.readingPage(
                of: span.series, from: from, to: span.toMilliseconds, limit: limit, view: self.view,
                asOfMilliseconds: asOf)
            for reading in page.rows {
                series.append(reading, to: &self.row)
                try self.rowDone(into: sink)
            }
            return page.next
        case (.raw, true):
            let page = try self.reader.versionPage(
                of: span.series, from: from, to: span.toMilliseconds, limit: limit, view: self.view,
                asOfMilliseconds: asOf)
            for version in page.rows {
                series.append(version.reading, version: version.version, to: &self.row)
                try self.rowDone(into: sink)
            }
            return page.next
        default:
            let page = try self.reader.rollups(
                of: span.series, level: self.level, from: from, to: span.toMilliseconds, limit: limit, view: self.view)
            for bucket in page {
                series.append(bucket.bucket, bucket.rollup, total: bucket.total, to: &self.row)
                try self.rowDone(into: sink)
            }
            return page.last?.bucket.endMilliseconds
        }
    }

    private mutating func rowDone(into sink: ExportSink) throws {
        self.rows += 1
        if self.row.bytes.count >= Self.bufferBytes { try sink.write(&self.row.bytes) }
    }
}

/// Where an export goes: standard output, or a file that appears when it is whole.
///
/// Hashes what passes.
final class ExportSink {
    private var file: NewFile?
    private let descriptor: Int32
    private let name: String
    private var hash = SHA256()

    init(path: String?) throws(VerbFailure) {
        guard let path else {
            self.file = nil
            self.descriptor = STDOUT_FILENO
            self.name = "standard output"
            return
        }
        let file = try NewFile(path: path, mode: 0o644)
        self.descriptor = file.descriptor
        self.name = file.temporaryPath
        self.file = consume file
    }

    /// Writes bytes out and empties the buffer.
    func write(_ bytes: inout [UInt8]) throws(VerbFailure) {
        bytes.withUnsafeBytes { self.hash.update(bufferPointer: $0) }
        try FileDescriptorWriter.write(bytes, to: self.descriptor, name: self.name)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Gives the file its name; returns the SHA-256 of everything written, in hexadecimal.
    func finish() throws(VerbFailure) -> String {
        if let file = self.file.take() { try file.finish() }
        return self.hash.finalize().map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0\(text)" : text
        }.joined()
    }
}
