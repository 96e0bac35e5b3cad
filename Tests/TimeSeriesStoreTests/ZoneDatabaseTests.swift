import Foundation
import Monitoring
import Testing
import TimeSeriesStore

struct ZoneDatabaseTests {
    private static let last = Int64(1) << 42

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
                let seconds = random.int64(0...(Self.last / 1_000))
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
        var day = zone.dayBucket(containing: 2 * 86_400_000)
        let end = Civil.parseRFC3339("2040-01-01T00:00:00Z") ?? 0
        while day.startMilliseconds < end {
            #expect(zone.dayBucket(containing: day.startMilliseconds) == day, "\(name) \(day)")
            #expect(zone.dayBucket(containing: day.endMilliseconds - 1) == day, "\(name) \(day)")
            let next = zone.dayBucket(containing: day.endMilliseconds)
            #expect(next.startMilliseconds == day.endMilliseconds, "\(name) \(day) then \(next)")
            let hours = Double(day.endMilliseconds - day.startMilliseconds) / 3_600_000
            if hours != 24 || zone.localDay(at: day.startMilliseconds) % 61 == 0 {
                let middle = Date(timeIntervalSince1970: Double(day.startMilliseconds / 1_000) + 10 * 3_600)
                let expected = Int64((calendar.startOfDay(for: middle).timeIntervalSince1970 * 1_000).rounded())
                #expect(day.startMilliseconds == expected, "\(name) \(zone.localDay(at: day.startMilliseconds))")
            }
            guard next.startMilliseconds > day.startMilliseconds else { break }
            day = next
        }
    }

    @Test(arguments: ["", "EST", "Mars/Base", "Asia/Hanoi2", "GMT+7", "../etc/passwd"])
    func `a name that is no zone has none`(name: String) {
        #expect(ZoneDatabase.zone(named: name) == nil)
    }

    @Test func `UTC has a name without a slash`() {
        #expect(ZoneDatabase.zone(named: "UTC")?.offsetSeconds(at: 0) == 0)
    }
}
