import Monitoring

/// Ambient air in a valley town: traffic twice a day, inversions on still winter nights, rain that washes out.
enum AirModel {
    static func append(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, interval: Int64, to values: inout [Double]
    ) {
        // How busy the place is stays a property of the station.
        let place = 0.7 + 0.7 * field.uniform(1, 0)
        let washout = 1 / (1 + 0.45 * weather.rain + 0.25 * weather.wetness)
        let stirring = 1 / (0.75 + 0.3 * weather.windSpeed)
        let slow = 1 + 0.35 * field.rippled(2, milliseconds, period: 20 * Civil.millisecondsPerHour)
        let haze = (8 - 5 * weather.season) * slow
        let primary = place * slow * (14 * weather.traffic + 34 * weather.inversion)
        let fine = max((haze + primary) * stirring * 1.3 * washout, 1)
        let coarse =
            place * (6 + 9 * weather.traffic + 2.2 * weather.windSpeed * (1 - weather.humidity / 130)) * washout
        let nitrogen = place * (9 + 34 * weather.traffic + 22 * weather.inversion) * stirring * (1 - 0.3 * weather.sun)
        let plume = max(field.rippled(4, milliseconds, period: 3 * Civil.millisecondsPerHour) - 0.45, 0)
        let sulphur = (5 + 9 * weather.inversion + 60 * plume) * stirring * (0.6 + 0.4 * washout)
        let carbon = place * (320 + 820 * weather.traffic + 640 * weather.inversion) * stirring
        let ozone = 34 + (82 + 14 * weather.season) * weather.sun * slow - 0.45 * nitrogen
        values.append(positive(fine, noise: 0.035, field, 20, milliseconds))
        values.append(positive(fine * 1.22 + coarse, noise: 0.03, field, 21, milliseconds))
        values.append(positive(sulphur, noise: 0.03, field, 22, milliseconds))
        values.append(positive(max(nitrogen, 2), noise: 0.03, field, 23, milliseconds))
        values.append(positive(carbon, noise: 0.02, field, 24, milliseconds))
        values.append(positive(max(ozone, 2), noise: 0.02, field, 25, milliseconds))
        appendMeteorology(weather, field, milliseconds, to: &values, pressure: true)
        values.append(rainfall(weather, field, milliseconds, interval: interval))
    }

    /// Dust at a mine's gate: lorries by day, wind over bare ground, a cloud after each blast.
    static func appendDust(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, interval: Int64, to values: inout [Double]
    ) {
        let place = 0.7 + 0.6 * field.uniform(1, 0)
        let dryness = 1 / (1 + 0.8 * weather.rain + 0.9 * weather.wetness)
        let work = MineModel.activity(weather)
        let gusts = max(weather.windSpeed - 1.5, 0)
        let gust = 1 + 0.4 * field.rippled(2, milliseconds, period: Civil.millisecondsPerHour / 2)
        var coarse = place * dryness * (12 + 52 * work * gust + 16 * gusts)
        let since = MineModel.millisecondsSinceBlast(field, weather, milliseconds)
        if let since, since >= 0 {
            let quarter = Double(since) / Double(15 * Civil.millisecondsPerMinute)
            coarse += 170 * dryness / (1 + quarter * quarter)
        }
        let fine = 9 - 4 * weather.season + 22 * weather.inversion + 0.16 * coarse
        values.append(positive(fine + coarse, noise: 0.04, field, 21, milliseconds))
        values.append(positive(max(fine, 1), noise: 0.035, field, 20, milliseconds))
        values.append(positive(fine + coarse * 1.9, noise: 0.05, field, 26, milliseconds))
        appendMeteorology(weather, field, milliseconds, to: &values, pressure: false)
        values.append(rainfall(weather, field, milliseconds, interval: interval))
    }
}

/// Temperature, humidity, pressure and wind as a station's own instruments read them.
private func appendMeteorology(
    _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, to values: inout [Double], pressure: Bool
) {
    values.append(weather.temperature + 0.12 * field.white(30, milliseconds))
    values.append(min(weather.humidity + 0.6 * field.white(31, milliseconds), 100))
    if pressure { values.append(weather.pressure + 0.1 * field.white(32, milliseconds)) }
    values.append(max(weather.windSpeed * (1 + 0.18 * field.white(33, milliseconds)), 0))
    let direction = weather.windDirection + 12 * field.white(34, milliseconds)
    let turned = direction < 0 ? direction + 360 : direction
    // A vane shows 0…359: 359.6 is printed as 0.
    values.append(turned.rounded() >= 360 ? 0 : turned)
}

/// Rain of one interval in the 0.2 mm steps of a tipping bucket.
func rainfall(_ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, interval: Int64) -> Double {
    guard weather.rain > 0 else { return 0 }
    let tips = weather.rain * Double(interval) / Double(Civil.millisecondsPerHour) / 0.2
    let whole = tips.rounded(.down)
    return (whole + (field.uniform(35, milliseconds) < tips - whole ? 1 : 0)) * 0.2
}

/// A value that cannot be negative, with noise relative to it.
func positive(_ value: Double, noise: Double, _ field: NoiseField, _ channel: UInt64, _ milliseconds: Int64) -> Double {
    max(value * (1 + noise * field.white(channel, milliseconds)), 0)
}
