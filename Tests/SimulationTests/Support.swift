import Monitoring
import Simulation

/// A fleet for tests: one station per instrument unless told otherwise.
func fleet(stations: Int = 9, interval: Int64 = 60_000, seed: UInt64 = 7) -> FleetModel {
    let plan = FleetPlan(stationCount: stations, intervalMilliseconds: interval, seed: seed)
    return FleetModel(sites: plan.sites, instruments: plan.instruments, seed: seed)
}

/// 2026-06-15T00:00:00+07:00, a Monday.
let monday: Int64 = 1_781_456_400_000

/// Values of one parameter of one instrument over a stretch of time.
func curve(
    _ instrument: Instrument, _ parameter: String, from: Int64 = monday, days: Int = 7, every: Int64 = 300_000,
    seed: UInt64 = 7
) -> [(timeMilliseconds: Int64, value: Double)] {
    var model = fleet(interval: every, seed: seed)
    guard let station = model.stations.firstIndex(where: { $0.instrument == instrument }),
        let index = model.stations[station].plan.parameters.firstIndex(where: { $0.id.text == parameter })
    else { return [] }
    return stride(from: from, to: from + Int64(days) * 86_400_000, by: Int(every)).compactMap { time in
        let sample = model.sample(station: station, at: time)
        return sample.values[index].quantity.number.map { (time, $0) }
    }
}

func mean(_ values: some Collection<Double>) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }

/// Pearson's correlation.
func correlation(_ left: [Double], _ right: [Double]) -> Double {
    let (leftMean, rightMean) = (mean(left), mean(right))
    var (both, leftSquares, rightSquares) = (0.0, 0.0, 0.0)
    for (a, b) in zip(left, right) {
        both += (a - leftMean) * (b - rightMean)
        leftSquares += (a - leftMean) * (a - leftMean)
        rightSquares += (b - rightMean) * (b - rightMean)
    }
    return both / (leftSquares * rightSquares).squareRoot()
}

/// Hours since local midnight.
func localHour(_ timeMilliseconds: Int64) -> Int { Int((timeMilliseconds + 25_200_000) / 3_600_000 % 24) }

func parameter(_ id: String, decimals: UInt8 = 1, kind: SeriesKind = .gauge) -> ParameterPlan {
    ParameterPlan(id: ParameterID(id)!, unit: "1", decimals: decimals, kind: kind)
}

func sample(at time: Int64, _ quantities: Quantity...) -> Sample {
    Sample(
        timeMilliseconds: time, recordedMilliseconds: time,
        values: quantities.enumerated().map { SampleValue(parameterIndex: $0, quantity: $1) })
}

func text(_ write: (inout [UInt8]) -> Void) -> String {
    var bytes: [UInt8] = []
    write(&bytes)
    return String(decoding: bytes, as: UTF8.self)
}
