import Foundation
import Monitoring
import Testing
import TimeSeriesStore

/// Two stations of hourly air quality, 11 parameters, four years: what a reading costs.
@Suite struct CodecRealDataTests {
    @Test(.enabled(if: RealAir.isPresent, "../shared/data is absent"))
    func `real hourly readings cost less than 0.7 bytes, receipt times included`() throws {
        let series = try RealAir.stations.flatMap { try RealAir.series(of: $0) }
        let codec = ChunkCodec()
        var readings = 0
        var bytes = 0
        for columns in series {
            for chunk in columns.chunks(of: 1024) {
                let encoded = codec.encode(chunk)
                #expect(try codec.decoded(encoded).exactBits == chunk.exactBits)
                readings += chunk.count
                bytes += encoded.count
            }
        }
        var random = CodecRandom(seed: CodecSeed.value)
        for station in [series[0], series[RealAir.parameters.count]] {
            var receipts = station
            for index in receipts.values.indices {
                receipts.values[index] = Double(Int.random(in: 0...5, using: &random))
            }
            for chunk in receipts.chunks(of: 1024) { bytes += codec.encode(chunk).count }
        }
        #expect(readings > 700_000)
        #expect(Double(bytes) / Double(readings) < 0.7)
        print("real hourly readings: \(Double(bytes) / Double(readings)) bytes each")
    }

    @Test(.enabled(if: RealAir.isPresent, "../shared/data is absent"))
    func `real readings as days cost less than 8 bytes a day`() throws {
        let codec = ChunkCodec()
        var days = 0
        var bytes = 0
        for columns in try RealAir.series(of: RealAir.stations[0]) {
            let rollups = columns.rollups(widthMilliseconds: 86_400_000, method: .plain)
            let encoded = codec.encode(rollups)
            #expect(try codec.decodedRollups(encoded).map(\.exactBits) == rollups.map(\.exactBits))
            days += rollups.count
            bytes += encoded.count
        }
        #expect(Double(bytes) / Double(days) < 8)
        print("real days: \(Double(bytes) / Double(days)) bytes each")
    }
}

/// The real data beside the repository.
private enum RealAir {
    static let stations = ["Dingling", "Gucheng"]
    static let parameters = ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM"]
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../shared/data").standardized

    static var isPresent: Bool { stations.allSatisfy { FileManager.default.fileExists(atPath: path(of: $0)) } }

    private static func path(of station: String) -> String { folder.appending(path: "beijing-\(station).csv.xz").path }

    /// The columns of every parameter; rows are hours, an empty field is a gap.
    static func series(of station: String) throws -> [RawColumns] {
        let text = try uncompressed(path(of: station))
        var lines = text.split(separator: UInt8(ascii: "\n"))
        let names = fields(lines.removeFirst())
        let places = try parameters.map { try #require(names.firstIndex(of: $0)) }
        var series = parameters.map { _ in RawColumns() }
        for (hour, line) in lines.enumerated() {
            let fields = fields(line)
            for (index, place) in places.enumerated() {
                guard let value = Double(fields[place]) else { continue }
                let time = 1_362_067_200_000 + Int64(hour) * 3_600_000
                series[index].append(time: time, value: value, status: Status.measuring.packed, received: 0)
            }
        }
        return series
    }

    private static func fields(_ line: Data) -> [String] {
        line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private static func uncompressed(_ path: String) throws -> Data {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["xz", "--decompress", "--stdout", path]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return data
    }
}

extension RawColumns {
    fileprivate func chunks(of size: Int) -> [RawColumns] {
        stride(from: 0, to: self.count, by: size).map { start in
            var chunk = RawColumns()
            for index in start..<Swift.min(start + size, self.count) { chunk.append(self[index]) }
            return chunk
        }
    }
}
