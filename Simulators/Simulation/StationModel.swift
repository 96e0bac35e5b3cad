import Monitoring

/// The curves of one station: a pure function of the seed and the time.
package struct StationModel: Sendable {
    package let plan: StationPlan
    package let instrument: Instrument
    private let field: NoiseField
    private let modelled: Int

    package init(plan: StationPlan, instrument: Instrument, field: NoiseField) {
        self.plan = plan
        self.instrument = instrument
        self.field = field
        self.modelled = instrument.parameters.count
    }

    /// What the station measures at a moment, under its site's weather.
    func sample(at milliseconds: Int64, weather: Weather, scratch: inout [Double]) -> Sample {
        scratch.removeAll(keepingCapacity: true)
        let interval = self.plan.intervalMilliseconds
        switch self.instrument {
        case .air: AirModel.append(weather, self.field, milliseconds, interval: interval, to: &scratch)
        case .dust: AirModel.appendDust(weather, self.field, milliseconds, interval: interval, to: &scratch)
        case .river: WaterModel.appendRiver(weather, self.field, milliseconds, to: &scratch)
        case .outlet: WaterModel.appendOutlet(weather, self.field, milliseconds, to: &scratch)
        case .stack: StackModel.append(weather, self.field, milliseconds, to: &scratch)
        case .noise: MineModel.appendNoise(weather, self.field, milliseconds, interval: interval, to: &scratch)
        case .weigh: MineModel.appendWeigh(weather, self.field, milliseconds, to: &scratch)
        case .piezo: MineModel.appendPiezometer(weather, self.field, milliseconds, to: &scratch)
        case .slope: MineModel.appendSlope(weather, self.field, milliseconds, interval: interval, to: &scratch)
        }
        let parameters = self.plan.parameters
        var values: [SampleValue] = []
        values.reserveCapacity(parameters.count)
        for index in parameters.indices {
            let value = index < self.modelled ? scratch[index] : self.auxiliary(index, milliseconds)
            values.append(
                SampleValue(
                    parameterIndex: index, quantity: Quantity(value, decimals: parameters[index].decimals)))
        }
        return Sample(timeMilliseconds: milliseconds, recordedMilliseconds: milliseconds, values: values)
    }

    /// A further analogue input, for loads with more parameters than the instrument has: a wandering level.
    private func auxiliary(_ index: Int, _ milliseconds: Int64) -> Double {
        let channel = 1_000 + UInt64(index) * 4
        let level = 20 + 60 * self.field.uniform(channel, 0)
        return level * (1 + 0.2 * self.field.smooth(channel + 1, milliseconds, period: 2 * Civil.millisecondsPerHour))
            + 0.2 * self.field.white(channel + 2, milliseconds)
    }
}

/// All stations of a simulated province, asked tick by tick.
package struct FleetModel: Sendable {
    package let sites: [SitePlan]
    /// All stations in the order of their sites.
    package let stations: [StationModel]
    private let siteIndices: [Int]
    private let siteFields: [NoiseField]
    private var weather: [(atMilliseconds: Int64, weather: Weather)?]
    private var scratch: [Double] = []

    /// Builds the models of planned sites.
    ///
    /// - Parameters:
    ///   - sites: Sites with their stations.
    ///   - instruments: One per station, in the order of the sites.
    ///   - seed: Decides everything.
    package init(sites: [SitePlan], instruments: [Instrument], seed: UInt64) {
        let province = NoiseField(seed: seed)
        var stations: [StationModel] = []
        var siteIndices: [Int] = []
        for (siteIndex, site) in sites.enumerated() {
            for plan in site.stations {
                let number = stations.count
                let field = province.derived(UInt64(1_000_000 + number))
                stations.append(StationModel(plan: plan, instrument: instruments[number], field: field))
                siteIndices.append(siteIndex)
            }
        }
        self.sites = sites
        self.stations = stations
        self.siteIndices = siteIndices
        // What belongs to a site as a whole (weather, the hour of the blast) comes from the site's field.
        self.siteFields = sites.indices.map { province.derived(UInt64($0)) }
        self.weather = .init(repeating: nil, count: sites.count)
    }

    /// What a station measures at a moment.
    package mutating func sample(station index: Int, at milliseconds: Int64) -> Sample {
        let site = self.siteIndices[index]
        if let known = self.weather[site], known.atMilliseconds == milliseconds {
            return self.stations[index].sample(at: milliseconds, weather: known.weather, scratch: &self.scratch)
        }
        let weather = Weather(field: self.siteFields[site], at: milliseconds)
        self.weather[site] = (milliseconds, weather)
        return self.stations[index].sample(at: milliseconds, weather: weather, scratch: &self.scratch)
    }
}
