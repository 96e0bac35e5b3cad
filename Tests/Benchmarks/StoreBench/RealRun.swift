import Foundation
import Monitoring

/// Hourly air quality of real stations, one message an hour and station, received up to 5 s later.
///
/// Merged once a day: chunks are cut at the same readings however often the open end is merged.
enum RealRun {
    private static let parameters = [
        "PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM",
    ]
    /// 2013-03-01T00:00 at UTC+8, where the files begin; a row is an hour.
    private static let firstMilliseconds: Int64 = 1_362_067_200_000

    static func run(path: String, files: [String]) throws -> [String: Double] {
        let store = try BenchStore(
            path: path, stationCount: files.count, parameters: self.parameters, intervalSeconds: 3_600)
        let tables = try files.map { try self.rows(of: $0) }
        var jitter = Walk(seed: 7)
        for hour in 0..<(tables.map(\.count).max() ?? 0) {
            let time = self.firstMilliseconds + Int64(hour) * 3_600_000
            for (station, rows) in tables.enumerated() where hour < rows.count {
                let received = time + Int64(jitter.uniform() * 5_000)
                store.begin(receivedMilliseconds: received)
                store.add(station: station, timeMilliseconds: time, sequence: nil, values: rows[hour])
                try store.commit(receivedMilliseconds: received)
            }
            if hour % 24 == 23 {
                try store.merge(nowMilliseconds: time + 3_600_000)
                try store.foldAndTrim()
            }
        }
        try store.finish(nowMilliseconds: self.firstMilliseconds)
        return try StoreBench.sizes(store)
    }

    /// The columns of every hour; an empty field or `NA` is a gap.
    private static func rows(of file: String) throws -> [[Double?]] {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        var lines = text.utf8.split(separator: UInt8(ascii: "\n")).makeIterator()
        let names = self.fields(lines.next() ?? "".utf8[...])
        let places = self.parameters.compactMap { names.firstIndex(of: $0) }
        var rows: [[Double?]] = []
        while let line = lines.next() {
            let fields = self.fields(line)
            rows.append(places.map { $0 < fields.count ? Double(fields[$0]) : nil })
        }
        return rows
    }

    private static func fields(_ line: Substring.UTF8View) -> [String] {
        line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }
}
