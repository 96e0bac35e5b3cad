import Monitoring

/// Rivers that rise and cloud after rain, and the outlet of a treatment plant that follows the shifts.
enum WaterModel {
    static func appendRiver(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, to values: inout [Double]
    ) {
        let flood = weather.wetness / (weather.wetness + 1.2)
        let slow = field.rippled(2, milliseconds, period: 50 * Civil.millisecondsPerHour)
        let water = 0.75 * weather.temperature + 5.2 + 1.1 * slow + 0.5 * Shape.wave((weather.hour - 11) / 24)
        // Algae give oxygen and take carbon dioxide by day: DO and pH rise together.
        let growth = weather.sun * (0.8 + 0.3 * weather.season)
        let oxygen = (14.2 - 0.33 * water + 0.0038 * water * water) * (0.82 - 0.1 * flood) + 0.9 * growth
        let town = 1 + 0.25 * slow
        let suspended = 16 * town + 260 * flood * flood
        let organic = (6.5 + 9 * flood) * town
        let ammonium = (0.16 + 0.12 * (1 - flood)) * town
        let nitrate = (1.3 + 0.9 * flood) * town
        let phosphate = (0.05 + 0.04 * flood) * town
        values.append(water + 0.03 * field.white(20, milliseconds))
        values.append(7.35 + 0.22 * growth - 0.25 * flood + 0.08 * slow + 0.01 * field.white(21, milliseconds))
        values.append(positive(oxygen, noise: 0.008, field, 22, milliseconds))
        values.append(positive((330 - 150 * flood) * (1 + 0.06 * slow), noise: 0.004, field, 23, milliseconds))
        values.append(positive(suspended, noise: 0.05, field, 24, milliseconds))
        values.append(positive(organic, noise: 0.03, field, 25, milliseconds))
        values.append(positive(ammonium, noise: 0.03, field, 26, milliseconds))
        values.append(positive(nitrate, noise: 0.02, field, 27, milliseconds))
        values.append(positive(phosphate, noise: 0.03, field, 28, milliseconds))
        values.append(positive((ammonium + nitrate) * 1.35 + 0.2, noise: 0.02, field, 29, milliseconds))
        values.append(positive(phosphate * 1.7 + 0.0004 * suspended, noise: 0.03, field, 30, milliseconds))
        values.append(positive(organic * 0.38, noise: 0.03, field, 31, milliseconds))
        values.append(1.1 + 0.25 * (slow + 1) + 3.6 * flood + 0.002 * field.white(32, milliseconds))
    }

    static func appendOutlet(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, to values: inout [Double]
    ) {
        let load = 0.25 + 0.75 * shift(weather)
        let slow = field.rippled(2, milliseconds, period: 30 * Civil.millisecondsPerHour)
        // Now and then the biology is upset for some hours: everything organic goes up together.
        let upset = max(field.rippled(4, milliseconds, period: 40 * Civil.millisecondsPerHour) - 0.55, 0) * 2.6
        let flow = 62 * load * (1 + 0.1 * slow) * (1 + 0.12 * weather.rain / (1 + weather.rain))
        let organic = 38 * (0.85 + 0.3 * load) * (1 + 0.15 * slow + upset)
        let ammonium = 3.1 * (1 + 0.2 * slow + 1.5 * upset)
        values.append(positive(flow, noise: 0.015, field, 20, milliseconds))
        values.append(26 + 0.25 * (weather.temperature - 20) + 1.5 * load + 0.08 * field.white(21, milliseconds))
        values.append(positive(42 * (1 + 0.2 * slow + 0.8 * upset), noise: 0.03, field, 22, milliseconds))
        values.append(7.2 + 0.25 * slow - 0.3 * upset + 0.015 * field.white(23, milliseconds))
        values.append(positive(organic * 0.62, noise: 0.03, field, 24, milliseconds))
        values.append(positive(organic, noise: 0.02, field, 25, milliseconds))
        values.append(positive(ammonium, noise: 0.025, field, 26, milliseconds))
        values.append(positive(ammonium * 1.4 + 9, noise: 0.02, field, 27, milliseconds))
        values.append(positive(1.9 * (1 + 0.15 * slow + 0.6 * upset), noise: 0.02, field, 28, milliseconds))
        values.append(positive(organic * 0.36, noise: 0.02, field, 29, milliseconds))
        values.append(positive(0.42 * (1 + 0.3 * slow), noise: 0.05, field, 30, milliseconds))
        let total = MineModel.total(field, weather, perDay: 920, workingHours: (5.5, 22.5))
        values.append(total.truncatingRemainder(dividingBy: 10_000_000))
    }

    /// Two shifts a day, less on Sundays.
    private static func shift(_ weather: Weather) -> Double {
        let day = Shape.step(weather.hour, 5.5, 8) - Shape.step(weather.hour, 20, 22.5)
        return day * (weather.isWorkday ? 1 : 0.35)
    }
}
