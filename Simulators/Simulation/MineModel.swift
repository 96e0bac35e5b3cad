import Monitoring

/// A quarry or open pit: lorries, blasts, the weighbridge, water in the slope and the slope itself.
enum MineModel {
    /// Local hours of work.
    static let workingHours = (start: 6.0, end: 18.0)

    /// 0…1: how much is going on now.
    static func activity(_ weather: Weather) -> Double {
        let day = Shape.step(weather.hour, 5.7, 7) - Shape.step(weather.hour, 17, 18.3)
        let lunch = 1 - 0.6 * Shape.bump(hour: weather.hour, centre: 12, width: 0.5)
        return day * lunch * (weather.isWorkday ? 1 : 0.15)
    }

    /// Time since the day's blast; negative before it, nil on a day without one.
    static func millisecondsSinceBlast(_ field: NoiseField, _ weather: Weather, _ milliseconds: Int64) -> Int64? {
        guard weather.isWorkday, field.uniform(900, weather.day) < 0.75 else { return nil }
        let hour = field.uniform(901, weather.day) < 0.7 ? 11.4 : 16.8
        let blastHour = hour + 0.6 * field.uniform(902, weather.day)
        let blast =
            weather.day * Civil.millisecondsPerDay - Weather.offsetMilliseconds
            + Int64(blastHour * Double(Civil.millisecondsPerHour))
        return milliseconds - blast
    }

    /// Noise and ground vibration; the peak of a blast stands in the one interval it happened in.
    static func appendNoise(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, interval: Int64, to values: inout [Double]
    ) {
        let work = activity(weather)
        let since = millisecondsSinceBlast(field, weather, milliseconds)
        let isBlast = since.map { $0 >= 0 && $0 < interval } ?? false
        let level = 43 + 19 * work + 3.2 * field.white(20, milliseconds) + (weather.rain > 2 ? 4 : 0)
        values.append(level + (isBlast ? 9 : 0))
        values.append(level + 9 + 2.5 * field.uniform(21, milliseconds) * 4 + (isBlast ? 21 : 0))
        // Peak particle velocity falls with the scaled distance D/√Q to about the power 1.5.
        let distance = 260 + 420 * field.uniform(1, 0)
        let charge = 45 + 90 * field.uniform(903, weather.day)
        let scaled = charge.squareRoot() / distance
        let peak = isBlast ? 1_050 * scaled * scaled.squareRoot() : 0
        for axis in 0..<3 {
            let background = 0.05 + 0.16 * work * field.uniform(22 + UInt64(axis), milliseconds)
            let share = [1.0, 0.72, 0.86][axis] * (0.85 + 0.3 * field.uniform(904 + UInt64(axis), weather.day))
            values.append(background + peak * share)
        }
        values.append(isBlast ? 9 + 22 * field.uniform(908, weather.day) : 14 + 6 * field.uniform(25, milliseconds))
        values.append(
            (isBlast ? 118 + 9 * field.uniform(909, weather.day) : 74 + 11 * work) + field.white(26, milliseconds))
    }

    /// The weighbridge: tonnes and lorries since it was set up, and the last lorry's gross weight.
    static func appendWeigh(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, to values: inout [Double]
    ) {
        let load = 27.5
        let total = total(field, weather, perDay: 1_640, workingHours: workingHours)
        let trucks = (total / load).rounded(.down)
        // Each lorry carries its own load; the sum of the deviations stays small, and the total still only grows.
        let tonnes = trucks * load + 6 * field.uniform(20, Int64(trucks))
        let gross = 13.4 + load + 4 * (field.uniform(21, Int64(trucks)) - 0.5)
        values.append(tonnes.truncatingRemainder(dividingBy: 1_000_000))
        values.append(trucks.truncatingRemainder(dividingBy: 100_000))
        values.append(gross)
    }

    /// Pore water in a dump or dam: slow, and fed by rain.
    static func appendPiezometer(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, to values: inout [Double]
    ) {
        let depth = 6 + 8 * field.uniform(1, 0)
        let slow = field.rippled(2, milliseconds, period: 200 * Civil.millisecondsPerHour)
        let head = depth * 0.45 + 0.35 * slow + 1.4 * weather.wetness / (weather.wetness + 2)
        values.append(head * 9.81 + 0.02 * field.white(20, milliseconds))
        values.append(head + 0.0015 * field.white(21, milliseconds))
        values.append(weather.pressure / 10 + 0.01 * field.white(22, milliseconds))
        values.append(22.5 + 0.8 * weather.season + 0.02 * field.white(23, milliseconds))
    }

    /// A slope that creeps, faster when wet.
    static func appendSlope(
        _ weather: Weather, _ field: NoiseField, _ milliseconds: Int64, interval: Int64, to values: inout [Double]
    ) {
        let creep = 0.04 + 0.12 * field.uniform(1, 0)
        // Creep since the prism was set at the start of the year 2025, and a wave of it in each wet season.
        let days = Double(milliseconds - 1_735_664_400_000) / Double(Civil.millisecondsPerDay)
        let seasonal = 6 * Shape.wave(days / 365.2425 - 0.42)
        let wet = weather.wetness / (weather.wetness + 1.5)
        let displacement = creep * days + seasonal + 1.2 * wet
        let velocity = creep + 6 * 6.283 / 365 * Shape.wave(days / 365.2425 - 0.17) + 2.4 * wet * wet
        values.append(displacement + 0.25 * field.white(20, milliseconds))
        values.append(velocity + 0.06 * field.white(21, milliseconds))
        values.append(0.8 + displacement * 0.004 + 0.002 * field.white(22, milliseconds))
        values.append(rainfall(weather, field, milliseconds, interval: interval))
    }

    /// A total since 2020 that grows by about `perDay` each day, within the working hours, and never falls.
    static func total(
        _ field: NoiseField, _ weather: Weather, perDay: Double, workingHours: (start: Double, end: Double)
    ) -> Double {
        let progress = min(
            max((weather.hour - workingHours.start) / (workingHours.end - workingHours.start), 0), 1)
        // A day's amount varies by at most 0.8 × perDay around it, so that the total rises every single day.
        let base = Double(weather.day - 18_262)
        let before = base + 0.4 * field.uniform(910, weather.day)
        let after = base + 1 + 0.4 * field.uniform(910, weather.day + 1)
        return perDay * (before + (after - before) * progress)
    }
}
