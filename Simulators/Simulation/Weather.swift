import Monitoring

/// The local clock and weather that all stations of a site share at one moment: what makes their values belong
/// together.
struct Weather {
    /// Hours since local midnight, with fraction.
    let hour: Double
    /// Local days since 1970-01-01.
    let day: Int64
    let isWorkday: Bool
    /// −1 in mid January … 1 in mid July.
    let season: Double
    /// −1 before sunrise … 1 in the early afternoon.
    let warmth: Double
    /// 0 at night … 1 at noon under a clear sky.
    let sun: Double
    let temperature: Double
    let humidity: Double
    let pressure: Double
    let windSpeed: Double
    let windDirection: Double
    /// mm/h.
    let rain: Double
    /// How wet the last two days were, mm/h on average.
    let wetness: Double
    /// 0…1: cold air lying in the valley, which keeps what is emitted near the ground.
    let inversion: Double
    /// 0…1: rush hours.
    let traffic: Double

    /// Lạng Sơn's clock: UTC+7 without summer time.
    static let offsetMilliseconds: Int64 = 7 * Civil.millisecondsPerHour

    init(field: NoiseField, at milliseconds: Int64) {
        let local = milliseconds + Self.offsetMilliseconds
        let day = Civil.floorDivide(local, Civil.millisecondsPerDay)
        let hour = Double(local - day * Civil.millisecondsPerDay) / Double(Civil.millisecondsPerHour)
        self.day = day
        self.hour = hour
        // 1970-01-01 was a Thursday; day 3 a Sunday.
        self.isWorkday = (day + 4) % 7 != 0
        self.season = Shape.wave((Double(day) + hour / 24) / 365.2425 - 0.29)
        self.warmth = Shape.wave((hour - 8.5) / 24)
        let rain = Self.rain(field, milliseconds, season: self.season)
        self.rain = rain
        var wetness = 0.0
        for back in 0..<8 {
            wetness += Self.rain(
                field, milliseconds - Int64(back) * 6 * Civil.millisecondsPerHour, season: self.season)
        }
        self.wetness = wetness / 8
        let cloud = Shape.step(field.rippled(10, milliseconds, period: 9 * hours), -0.4, 0.7)
        self.sun = max(0, Shape.wave((hour - 6) / 24)) * (1 - 0.65 * max(cloud, rain > 0 ? 0.9 : 0))
        let temperature =
            20.5 + 6.8 * self.season + (2.2 + 2.4 * (1 - cloud)) * self.warmth
            + 2.8 * field.smooth(12, milliseconds, period: 80 * hours)
            + 0.5 * field.smooth(13, milliseconds, period: hours) - (rain > 0 ? 1.4 : 0)
        self.temperature = temperature
        let humidity = 81 - 11 * self.warmth + 8 * field.smooth(14, milliseconds, period: 14 * hours)
        self.humidity = min(max(humidity + (rain > 0 ? 13 : 0), 28), 99.5)
        self.pressure =
            985 - 7.5 * self.season + 3 * field.smooth(15, milliseconds, period: 60 * hours)
            + 0.9 * Shape.wave((hour - 7) / 12)
        let windSpeed =
            1.7 + 0.8 * self.warmth + 1.3 * field.rippled(16, milliseconds, period: 7 * hours)
            + 0.5 * field.smooth(18, milliseconds, period: hours / 5)
        self.windSpeed = max(windSpeed, 0.1)
        let prevailing = self.season < 0 ? 50.0 : 155.0
        let direction =
            prevailing + 65 * field.smooth(19, milliseconds, period: 9 * hours)
            + 25 * field.smooth(20, milliseconds, period: hours / 2)
        self.windDirection = direction < 0 ? direction + 360 : direction >= 360 ? direction - 360 : direction
        let night = Shape.bump(hour: hour, centre: 5, width: 3.5)
        self.inversion =
            night * Shape.step(2.6 - self.windSpeed, 0, 1.8) * (0.6 - 0.4 * self.season) * (1 - 0.7 * cloud)
            * (rain > 0 ? 0.1 : 1)
        let rush = Shape.bump(hour: hour, centre: 7.4, width: 1.1) + Shape.bump(hour: hour, centre: 17.4, width: 1.4)
        self.traffic = min((0.08 + 0.85 * rush) * (self.isWorkday ? 1 : 0.6), 1)
    }

    /// Showers, more and heavier in summer.
    private static func rain(_ field: NoiseField, _ milliseconds: Int64, season: Double) -> Double {
        let front = field.rippled(30, milliseconds, period: 11 * hours)
        let shower = field.smooth(32, milliseconds, period: hours / 2)
        let excess = front + 0.35 * shower - (0.62 - 0.17 * season)
        return excess > 0 ? excess * excess * (24 + 14 * season) + 0.2 : 0
    }
}

private let hours = Civil.millisecondsPerHour
