import Monitoring

/// The stack of a coal boiler or kiln: load decides flow and heat, excess air decides the rest.
enum StackModel {
    static func append(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, to values: inout [Double]
    ) {
        let demand = 0.78 + 0.1 * weather.warmth + 0.1 * field.rippled(2, milliseconds, period: 16 * hour)
        // A few hours a month the unit is down; the gas in the stack is then nearly air.
        let outage = Shape.step(field.rippled(4, milliseconds, period: 60 * hour), 0.78, 0.84)
        let load = max(demand * (1 - outage), 0)
        let oxygen = 5.6 + 2.4 * (1 - demand) + 0.35 * field.smooth(6, milliseconds, period: hour / 3)
        let excess = oxygen + (20.7 - oxygen) * outage
        // Diluted gas shows less of everything.
        let dilution = max((20.9 - excess) / 15.3, 0)
        let heat = 1 + 0.12 * field.rippled(7, milliseconds, period: 2 * hour)
        let nitric = 245 * dilution * heat * (0.7 + 0.4 * load)
        let carbon = 85 * dilution / heat * (1 + 1.3 * max(field.rippled(9, milliseconds, period: hour) - 0.5, 0))
        let sulphur = 310 * dilution * (1 + 0.15 * field.rippled(11, milliseconds, period: 9 * hour))
        let dust = 38 * dilution * (0.6 + 0.5 * load) * (1 + 0.2 * field.smooth(13, milliseconds, period: hour / 2))
        values.append(positive(168_000 * load + 400, noise: 0.01, field, 20, milliseconds))
        values.append(38 + 96 * load + 0.4 * field.white(21, milliseconds))
        values.append(99.1 - 0.35 * load + 0.02 * field.white(22, milliseconds))
        values.append(min(excess + 0.04 * field.white(23, milliseconds), 20.95))
        values.append(positive(nitric, noise: 0.015, field, 24, milliseconds))
        values.append(positive(nitric * 0.06, noise: 0.03, field, 25, milliseconds))
        values.append(positive(carbon, noise: 0.02, field, 26, milliseconds))
        values.append(positive(sulphur, noise: 0.015, field, 27, milliseconds))
        values.append(positive(1.6 * dilution, noise: 0.05, field, 28, milliseconds))
        values.append(positive(dust, noise: 0.03, field, 29, milliseconds))
    }
}

private let hour = Civil.millisecondsPerHour
