import Foundation
import Monitoring
import TimeSeriesStore

/// The measures of `make bench` that need years of data or a clock of their own; Tests/Benchmarks/storage.py calls it.
///
///     store-bench real PATH CSV…                              hourly files of real data, receipt up to 5 s later
///     store-bench year PATH SERIES INTERVAL_S DAYS END_MS     one station, receipt up to 5 s later
///     store-bench written PATH MINUTES                        300 stations of 12 parameters, once a minute
///     store-bench journal PATH READINGS                       fills the journal and kills itself
///
/// Prints its figures as one JSON object.
@main
enum StoreBench {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let verb = arguments.first, arguments.count >= 3 else { return self.usage() }
        let path = arguments[2]
        let numbers = arguments.dropFirst(2).compactMap { Int64($0) }
        let figures: [String: Double]
        switch (verb, numbers.count) {
        case ("real", _): figures = try RealRun.run(path: path, files: Array(arguments.dropFirst(2)))
        case ("year", 4):
            figures = try YearRun.run(
                path: path, seriesCount: Int(numbers[0]), intervalSeconds: numbers[1], days: numbers[2],
                endMilliseconds: numbers[3])
        case ("written", 1): figures = try WrittenRun.run(path: path, minutes: numbers[0])
        case ("journal", 1): figures = try JournalRun.run(path: path, readings: Int(numbers[0]))
        default: return self.usage()
        }
        let data = try JSONSerialization.data(withJSONObject: figures, options: [.sortedKeys])
        print(String(decoding: data, as: UTF8.self))
    }

    private static func usage() {
        FileHandle.standardError.write(Data("store-bench real|year|written|journal PATH …\n".utf8))
        exit(2)
    }

    /// Sizes of a store that was finished, its log moved into the file.
    static func sizes(_ store: BenchStore) throws -> [String: Double] {
        let status = try store.writer.reader.status()
        let checkpointer = try Checkpointer(files: store.writer.files)
        // The log's pages reach the file in the background; two quiet looks in a row are the end of it.
        var sizes: [Int] = []
        while sizes.count < 2 || sizes.suffix(2).first != sizes.last {
            checkpointer.poke()
            usleep(500_000)
            sizes.append(try store.writer.reader.status().fileBytes)
        }
        return [
            "readings": Double(status.mergedReadings), "rawBytes": Double(status.rawBytes),
            "fileBytes": Double(sizes.last ?? 0), "journalBytes": Double(status.journalBytes),
        ]
    }
}
