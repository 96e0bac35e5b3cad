import Foundation
import Monitoring
import Testing
import TimeSeriesStore

/// The zones of the tz database, as the store uses them, against Foundation's calendar.
struct LocalDayTests {
    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(1))
    func `every zone has Foundation's offset at any time a reading may have`(seed: UInt64) throws {
        var random = TestRandom(seed: seed)
        for name in TimeZone.knownTimeZoneIdentifiers where name.contains("/") {
            guard let zone = ZoneDatabase.zone(named: name) else {
                Issue.record("no zone \(name)")
                continue
            }
            let foundation = try #require(TimeZone(identifier: name))
            for _ in 0..<40 {
                let seconds = random.int64(0...(TimeBounds.endMilliseconds / 1_000))
                let expected = foundation.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
                #expect(zone.offsetSeconds(at: seconds * 1_000) == expected, "\(name) at \(seconds), seed \(seed)")
            }
        }
    }

    @Test(arguments: [
        "Asia/Ho_Chi_Minh", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo",
        "America/Havana", "Asia/Beirut", "Africa/Cairo", "America/St_Johns", "Pacific/Apia", "Pacific/Kiritimati",
        "Asia/Pyongyang", "Africa/Casablanca", "Antarctica/Troll", "America/Caracas", "Asia/Gaza", "America/Toronto",
        "Asia/Tehran", "America/Asuncion", "Europe/London",
    ])
    func `local days are an unbroken partition and start where Foundation says`(name: String) throws {
        let zone = try #require(ZoneDatabase.zone(named: name))
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: name))
        var day = zone.dayBucket(containing: 2 * Civil.millisecondsPerDay)
        let end = try #require(Civil.parseRFC3339("2040-01-01T00:00:00Z"))
        while day.startMilliseconds < end {
            let next = zone.dayBucket(containing: day.endMilliseconds)
            let isWhole =
                zone.dayBucket(containing: day.startMilliseconds) == day
                && zone.dayBucket(containing: day.endMilliseconds - 1) == day
                && next.startMilliseconds == day.endMilliseconds
            #expect(isWhole, "\(name) \(day) then \(next)")
            let isUsual = day.endMilliseconds - day.startMilliseconds == Civil.millisecondsPerDay
            if !isUsual || zone.localDay(at: day.startMilliseconds) % 61 == 0 {
                let middle = Date(timeIntervalSince1970: Double(day.startMilliseconds / 1_000) + 10 * 3_600)
                let expected = Int64((calendar.startOfDay(for: middle).timeIntervalSince1970 * 1_000).rounded())
                #expect(day.startMilliseconds == expected, "\(name) \(zone.localDay(at: day.startMilliseconds))")
            }
            guard next.startMilliseconds > day.startMilliseconds else { break }
            day = next
        }
    }
}
