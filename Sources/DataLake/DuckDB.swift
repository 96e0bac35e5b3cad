import Foundation
import Subprocess

/// DuckDB's command-line program: writes Parquet from rows on its standard input, and reads Parquet back.
package struct DuckDB: Sendable {
    /// The program's path.
    package let program: String

    /// Finds the program: the setting, then `PATH`, then `.tools/bin` of the working directory.
    package static func find(setting: String?) throws(LakeError) -> DuckDB {
        if let setting {
            guard FileManager.default.isExecutableFile(atPath: setting) else {
                throw LakeError(.duckdbMissing, "lake.duckdb: there is no program \(setting)")
            }
            return DuckDB(program: setting)
        }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let here = FileManager.default.currentDirectoryPath
        for folder in folders + ["\(here)/.tools/bin"] {
            let program = "\(folder)/duckdb"
            if FileManager.default.isExecutableFile(atPath: program) { return DuckDB(program: program) }
        }
        throw LakeError(
            .duckdbMissing,
            "DuckDB's program `duckdb` is neither on PATH nor in .tools/bin: install it, or set lake.duckdb; "
                + "days wait until then")
    }

    /// Writes the rows to a Parquet file, in the order they come.
    ///
    /// One thread and no clock: the same rows give the same bytes.
    func writeParquet(_ path: String, rows: DayRows) async throws {
        let statement = """
            COPY (SELECT decode(unhex(site)) AS site, station, parameter, decode(unhex(unit)) AS unit,
            make_timestamp_ms("time")::TIMESTAMPTZ AS "time", make_timestamp_ms("time" + 1000 * shift) AS local_time,
            make_timestamp_ms(received * 1000)::TIMESTAMPTZ AS received, value, status
            FROM read_csv('/dev/stdin', header = false, auto_detect = false, delim = '\\t', quote = '', escape = '',
            nullstr = '', columns = {'site': 'VARCHAR', 'station': 'VARCHAR', 'parameter': 'VARCHAR',
            'unit': 'VARCHAR', 'time': 'BIGINT', 'shift': 'BIGINT', 'received': 'BIGINT', 'value': 'DOUBLE',
            'status': 'VARCHAR'}))
            TO \(Self.literal(path)) (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE \(LakeLimits.rowGroupRows))
            """
        let result = try await Subprocess.run(
            self.configuration(statement), input: .inputWriter, output: .discarded,
            error: .string(limit: LakeLimits.errorBytesMax)
        ) { execution in
            while let piece = try await rows.nextPiece() {
                // When DuckDB has gone away, what it said is worth more than that the pipe is broken.
                do { _ = try await execution.standardInputWriter.write(piece) } catch { break }
            }
            try? await execution.standardInputWriter.finish()
        }
        try self.check(result.terminationStatus, said: result.standardError, doing: "write \(path)")
    }

    /// Reads a Parquet file back from the disk and sums its rows up.
    func summarize(_ path: String) async throws -> LakeRowSummary {
        let statement = """
            COPY (SELECT hex(site), station, parameter, hex(unit), epoch_ms("time"),
            (epoch_ms(local_time) - epoch_ms("time")) // 1000, epoch_ms(received) // 1000, value::VARCHAR, status
            FROM read_parquet(\(Self.literal(path))))
            TO '/dev/stdout' (FORMAT csv, HEADER false, DELIMITER '\\t', QUOTE '', ESCAPE '')
            """
        let result = try await Subprocess.run(
            self.configuration(statement), input: .none, output: .sequence,
            error: .string(limit: LakeLimits.errorBytesMax)
        ) { execution in
            var hash = LakeRowHash()
            var lines = LineSplitter()
            for try await piece in execution.standardOutput {
                try piece.withUnsafeBytes { bytes in
                    try lines.append(bytes) { line in
                        guard let row = LakeTransfer.parse(line) else {
                            throw LakeError(.mismatch, "\(path): a row came back as something else")
                        }
                        hash.add(row)
                    }
                }
            }
            guard lines.isEmpty else { throw LakeError(.mismatch, "\(path): the last row came back incomplete") }
            return LakeRowSummary(hash)
        }
        try self.check(result.terminationStatus, said: result.standardError, doing: "read back \(path)")
        return result.closureResult
    }

    /// No file of the user's home is read, nothing is fetched from the net, nothing depends on this machine.
    private func configuration(_ statement: String) -> Configuration {
        let settings = """
            SET threads = 1; SET TimeZone = 'UTC'; SET memory_limit = '\(LakeLimits.duckdbMemoryMebibytesMax)MiB';
            SET enable_progress_bar = false; SET preserve_insertion_order = true;
            SET autoinstall_known_extensions = false; SET autoload_known_extensions = false;
            """
        // The program is looked for by name in its own folder: a path would need swift-system's type for one.
        let program = URL(fileURLWithPath: self.program)
        let path = ProcessInfo.processInfo.environment["PATH"].map { ":\($0)" } ?? ""
        return Configuration(
            executable: .name(program.lastPathComponent),
            arguments: ["-init", "/dev/null", "-batch", "-bail", "-c", "\(settings)\n\(statement)"],
            environment: .inherit.updating(["PATH": program.deletingLastPathComponent().path + path]))
    }

    private func check(_ status: TerminationStatus, said: String, doing: String) throws {
        guard !status.isSuccess else { return }
        let text = said.trimmingCharacters(in: .whitespacesAndNewlines)
        throw LakeError(.duckdbFailed, "DuckDB could not \(doing): \(text.isEmpty ? "\(status)" : text)")
    }

    private static func literal(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "''") + "'"
    }
}

/// Cuts a stream of bytes into lines.
struct LineSplitter {
    private var pending: [UInt8] = []

    /// Whether everything so far ended with a line feed.
    var isEmpty: Bool { self.pending.isEmpty }

    mutating func append(_ bytes: UnsafeRawBufferPointer, _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
        self.pending.append(contentsOf: bytes)
        var start = self.pending.startIndex
        while let end = self.pending[start...].firstIndex(of: LakeTransfer.lineFeed) {
            try body(self.pending[start..<end])
            start = end + 1
        }
        self.pending.removeSubrange(..<start)
    }
}
