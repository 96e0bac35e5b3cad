import FieldFormats
import Foundation
import Monitoring

/// SplitMix64: a small generator whose sequence depends on the seed alone.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}

/// How long and from which seed the random tests run: `TEST_SEED`, `TEST_ROUNDS`.
enum RandomRun {
    static var seed: UInt64 {
        ProcessInfo.processInfo.environment["TEST_SEED"].flatMap(UInt64.init) ?? .random(in: 0...UInt64.max)
    }

    static func rounds(_ usual: Int) -> Int {
        ProcessInfo.processInfo.environment["TEST_ROUNDS"].flatMap(Int.init) ?? usual
    }
}

/// A registry of stations without frills; stations and parameters are numbered in the order given.
func makeRegistry(_ stations: [(id: String, parameters: [String])]) throws -> Registry {
    let site = Site(id: "site", name: "Site", kind: .mine, zone: Zone(name: "UTC", offsetSeconds: 0))
    var built: [Station] = []
    var series: [Series] = []
    for (position, station) in stations.enumerated() {
        let first = series.count
        for parameter in station.parameters {
            series.append(
                Series(
                    number: Int32(series.count + 1), stationIndex: position,
                    parameter: try makeParameter(parameter), unit: Dated("µg/m³"), kind: .gauge, isDirection: false))
        }
        guard let id = StationID(station.id) else { throw BadFixture(text: station.id) }
        built.append(
            Station(
                number: Int32(position + 1), id: id, name: station.id, siteIndex: 0, kind: .mine, latitude: nil,
                longitude: nil, intervalMilliseconds: Dated(nil), retiredMilliseconds: nil,
                seriesIndices: Array(first..<series.count)))
    }
    return Registry(sites: [site], stations: built, series: series)
}

private func makeParameter(_ text: String) throws -> ParameterID {
    guard let parameter = ParameterID(text) else { throw BadFixture(text: text) }
    return parameter
}

struct BadFixture: Error {
    let text: String
}

/// What a decoder made of a payload, in a form that compares.
struct Decoded: Equatable {
    var reason: DeadLetterReason?
    var sequence: Int64?
    var boot: [UInt8] = []
    var samples: [Sample] = []

    struct Sample: Equatable {
        var timeMilliseconds: Int64
        var values: [Value]
    }

    struct Value: Equatable {
        var name: String
        var bits: UInt64
        var status: Status
        var seriesIndex: Int32
        var reason: UInt8
    }
}

/// A decoder with the directory of one registry.
struct Bench {
    let decoder = TelemetryDecoder()
    let directory: StationDirectory

    /// The station that most tests use.
    static let parameters = ["PM2.5", "SO2", "pH", "Temperature", "SlopeDisplacement", "SlopeDisplacemenu"]

    init(_ stations: [(id: String, parameters: [String])] = [("st-1", Bench.parameters)]) throws {
        self.directory = StationDirectory(registry: try makeRegistry(stations))
    }

    /// The outcome alone.
    func outcome(_ payload: some Collection<UInt8>, station: Int = 0) -> DecodeOutcome {
        // An exact allocation, so that the address sanitizer sees every byte read beyond the payload.
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: payload.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: payload)
        return self.decoder.decode(UnsafeRawBufferPointer(exact), stationIndex: station, directory: self.directory)
    }

    func outcome(_ payload: String, station: Int = 0) -> DecodeOutcome { self.outcome(payload.utf8, station: station) }

    /// Everything the decoder says of a payload.
    func decode(_ payload: some Collection<UInt8>, station: Int = 0) -> Decoded {
        var decoded = Decoded()
        if case .deadLetter(let reason, let detail) = self.outcome(payload, station: station) {
            decoded.reason = reason
            precondition(!detail.isEmpty)
        }
        decoded.sequence = self.decoder.sequence
        decoded.boot = Array(self.decoder.boot)
        decoded.samples = self.decoder.samples.map { sample in
            Decoded.Sample(
                timeMilliseconds: sample.timeMilliseconds,
                values: self.decoder.values[Int(sample.valueStart)..<Int(sample.valueEnd)].map { value in
                    Decoded.Value(
                        name: self.decoder.parameterName(of: value), bits: value.value.bitPattern,
                        status: value.status, seriesIndex: value.seriesIndex, reason: value.reason)
                })
        }
        return decoded
    }

    func decode(_ payload: String, station: Int = 0) -> Decoded { self.decode(payload.utf8, station: station) }

    /// The reason of a dead letter; nil for a message.
    func deadLetter(_ payload: String) -> DeadLetterReason? { self.decode(payload).reason }

    /// The single value of a payload with one sample and one value.
    func onlyValue(_ payload: String) -> DecodedValue? {
        guard case .message = self.outcome(payload), self.decoder.values.count == 1 else { return nil }
        return self.decoder.values[0]
    }
}
