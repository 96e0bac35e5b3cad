import Monitoring
import Simulation
import Testing

struct ModelTests {
    /// Everything a fleet says in an hour, as bytes.
    private func hour(seed: UInt64, faults: FaultRates = .none) -> [UInt8] {
        var model = fleet(seed: seed)
        var bytes: [UInt8] = []
        for (index, station) in model.stations.enumerated() {
            var field = SampleFaults(rates: faults, seed: seed &+ UInt64(index))
            var wire = WireFaults(rates: faults, seed: seed &+ 1_000 &+ UInt64(index))
            var logger = StationLogger(boot: "b1", keepsUntilStored: false)
            let format = MessageFormat(parameters: station.plan.parameters, boot: "b1")
            for minute in 0..<60 as Range<Int64> {
                let time = monday + minute * 60_000
                let measured = model.sample(station: index, at: time)
                for recorded in field.apply(measured, parameters: station.plan.parameters) { logger.record(recorded) }
                while let message = logger.nextMessage(nowMilliseconds: time) {
                    for leaving in wire.process(message, format: format) {
                        switch leaving.body {
                        case .unreadable(let damaged, _, _): bytes += damaged
                        case .samples(let samples): format.appendSamples(samples, seq: leaving.seq, to: &bytes)
                        }
                    }
                }
            }
        }
        return bytes
    }

    @Test func `the same seed gives the same bytes`() throws {
        let all = try FaultRates.parse("all:20")
        #expect(self.hour(seed: 3) == self.hour(seed: 3))
        #expect(self.hour(seed: 3) != self.hour(seed: 4))
        #expect(self.hour(seed: 3, faults: all) == self.hour(seed: 3, faults: all))
        #expect(self.hour(seed: 3, faults: all) != self.hour(seed: 3))
    }

    @Test func `a station continues its curve after a restart`() {
        var early = fleet()
        _ = early.sample(station: 0, at: monday)
        let later = early.sample(station: 0, at: monday + 600_000)
        var restarted = fleet()
        #expect(restarted.sample(station: 0, at: monday + 600_000) == later)
    }

    @Test(arguments: [1, 14, 60, 61, 300, 2_000])
    func `ids of any number of stations are legal and unique`(count: Int) {
        let plan = FleetPlan(stationCount: count, intervalMilliseconds: 60_000, seed: 1)
        let stations = plan.sites.flatMap(\.stations)
        #expect(stations.count == count && plan.instruments.count == count)
        #expect(Set(stations.map(\.id.folded)).count == count)
        #expect(Set(plan.sites.map(\.id)).count == plan.sites.count)
        #expect(plan.sites.allSatisfy { $0.name.hasSuffix("(DEMO)") })
        // The province's bounding box.
        #expect(stations.allSatisfy { (106.0937...107.3628).contains($0.longitude) })
        #expect(stations.allSatisfy { (21.3243...22.4609).contains($0.latitude) })
    }

    @Test(arguments: [1, 10, 50])
    func `a station reports exactly as many parameters as asked for`(count: Int) {
        let plan = FleetPlan(
            stationCount: 9, intervalMilliseconds: 60_000, seed: 1, parametersPerStation: count)
        var model = FleetModel(sites: plan.sites, instruments: plan.instruments, seed: 1)
        for index in model.stations.indices {
            #expect(model.stations[index].plan.parameters.count == count)
            #expect(model.sample(station: index, at: monday).values.count == count)
            #expect(Set(model.stations[index].plan.parameters.map(\.id)).count == count)
        }
    }

    /// What each parameter may plausibly be, from the useful ranges of the station rules.
    static let ranges: [(Instrument, String, ClosedRange<Double>)] = [
        (.air, "PM2.5", 0...150), (.air, "PM10", 0...500), (.air, "SO2", 0...1_000), (.air, "NO2", 0...500),
        (.air, "CO", 0...10_000), (.air, "O3", 0...500), (.air, "Temp", -5...45), (.air, "RH", 20...100),
        (.air, "WindDir", 0...359), (.air, "WindSpd", 0...20), (.air, "Rain", 0...90),
        (.river, "pH", 6...9), (.river, "DO", 2...15), (.river, "TSS", 0...500), (.river, "NH4", 0...5),
        (.outlet, "Flow", 0...150), (.outlet, "COD", 5...200), (.outlet, "pH", 5.5...9),
        (.stack, "O2", 2...21), (.stack, "Temp", 20...180), (.stack, "SO2", 0...600),
        (.dust, "PM10", 0...500), (.dust, "TSP", 0...900), (.noise, "LAeq", 30...95), (.noise, "PPVx", 0...31.75),
        (.noise, "Airblast", 65...134), (.weigh, "Gross", 30...60), (.piezo, "PorePressure", 10...120),
        (.slope, "Displacement", -10...250),
    ]

    @Test(arguments: [UInt64(1), 7, 2_026])
    func `values stay plausible through a year`(seed: UInt64) {
        for (instrument, parameter, range) in Self.ranges {
            let values = curve(instrument, parameter, days: 366, every: 10_800_000, seed: seed).map(\.value)
            #expect(values.count > 2_900, "\(instrument) \(parameter)")
            let outside = values.filter { !range.contains($0) }
            #expect(outside.isEmpty, "\(instrument) \(parameter), seed \(seed): \(outside.prefix(3))")
            #expect(Set(values).count > 3, "\(instrument) \(parameter) moves")
        }
    }

    @Test func `traffic shows twice a day in nitrogen dioxide`() {
        let values = curve(.air, "NO2", days: 28)
        func at(_ hour: Int) -> Double { mean(values.filter { localHour($0.timeMilliseconds) == hour }.map(\.value)) }
        #expect(at(7) > 1.3 * at(11))
        #expect(at(17) > 1.3 * at(14))
    }

    @Test func `ozone follows the sun`() {
        let values = curve(.air, "O3", days: 28)
        func at(_ hour: Int) -> Double { mean(values.filter { localHour($0.timeMilliseconds) == hour }.map(\.value)) }
        #expect(at(12) > 1.5 * at(3))
    }

    @Test func `fine and coarse dust rise together, and fine is part of coarse`() {
        let fine = curve(.air, "PM2.5").map(\.value)
        let coarse = curve(.air, "PM10").map(\.value)
        #expect(correlation(fine, coarse) > 0.8)
        #expect(zip(fine, coarse).filter { $0 > $1 }.isEmpty)
    }

    @Test func `rain washes the air`() {
        let rain = curve(.air, "Rain", days: 60).map(\.value)
        let dust = curve(.air, "PM10", days: 60).map(\.value)
        let wet = zip(rain, dust).filter { $0.0 > 0 }.map(\.1)
        let dry = zip(rain, dust).filter { $0.0 == 0 }.map(\.1)
        #expect(wet.count > 50 && mean(wet) < 0.8 * mean(dry))
    }

    @Test func `a river clouds when it rises`() {
        let level = curve(.river, "Level", days: 90, every: 3_600_000).map(\.value)
        let suspended = curve(.river, "TSS", days: 90, every: 3_600_000).map(\.value)
        #expect(correlation(level, suspended) > 0.7)
    }

    @Test func `total nitrogen holds ammonium and nitrate`() {
        let total = curve(.river, "TN").map(\.value)
        let parts = zip(curve(.river, "NH4"), curve(.river, "NO3")).map { $0.value + $1.value }
        #expect(zip(total, parts).allSatisfy { $0 > $1 })
    }

    @Test(arguments: [(Instrument.weigh, "Tonnage"), (.weigh, "Trucks"), (.outlet, "Volume")])
    func `a counter only grows`(instrument: Instrument, parameter: String) {
        let values = curve(instrument, parameter, days: 60, every: 900_000).map(\.value)
        let falls = zip(values, values.dropFirst()).filter { $1 < $0 }
        // At most once in so short a time it starts again from the beginning of its display.
        #expect(falls.count <= 1)
        #expect(Set(values).count > 60)
    }

    @Test func `a blast is one peak on a working day, felt on all axes`() throws {
        let noise = curve(.noise, "PPVx", days: 28)
        let peaks = noise.filter { $0.value > 1 }
        #expect((10...24).contains(peaks.count))
        #expect(peaks.allSatisfy { (11...17).contains(localHour($0.timeMilliseconds)) })
        let vertical = curve(.noise, "PPVz", days: 28)
        let air = curve(.noise, "Airblast", days: 28)
        for peak in peaks {
            let index = try #require(noise.firstIndex { $0.timeMilliseconds == peak.timeMilliseconds })
            #expect(vertical[index].value > 0.5 && air[index].value > 110)
        }
    }

    @Test func `numbers have the decimals of their instrument`() {
        var model = fleet()
        for index in model.stations.indices {
            let plan = model.stations[index].plan
            for value in model.sample(station: index, at: monday).values {
                guard case .decimal(_, let decimals) = value.quantity else {
                    Issue.record("a model's value is no decimal")
                    continue
                }
                #expect(decimals == plan.parameters[value.parameterIndex].decimals)
            }
        }
    }
}
