import Foundation
import Monitoring
import Testing

/// Zones made by hand; `ZoneDatabaseTests` compares those of the tz database with Foundation.
struct ZoneTests {
    private static let hour = Civil.millisecondsPerHour
    private static let day = Civil.millisecondsPerDay
    private static let hanoi = Zone(name: "Asia/Ho_Chi_Minh", offsetSeconds: 7 * 3_600)

    /// 2026-01-01T00:00:00Z, when a clock is put on or back by so many minutes; before, it is UTC+1.
    private static let change: Int64 = 1_767_225_600_000
    private static func changing(byMinutes minutes: Int, at milliseconds: Int64 = change) -> Zone {
        Zone(
            name: "Test/Change", offsetSeconds: 3_600,
            transitions: [(atMilliseconds: milliseconds, offsetSeconds: 3_600 + minutes * 60)])
    }

    @Test func `a day without a change has 24 hours and starts at local midnight`() {
        let noon = Civil.parseRFC3339("2026-11-23T12:00:00+07:00")!
        let bucket = Self.hanoi.dayBucket(containing: noon)
        #expect(bucket.startMilliseconds == Civil.parseRFC3339("2026-11-23T00:00:00+07:00"))
        #expect(bucket.endMilliseconds - bucket.startMilliseconds == Self.day)
        #expect(bucket.contains(bucket.startMilliseconds) && !bucket.contains(bucket.endMilliseconds))
        #expect(bucket.due(intervalMilliseconds: 60_000) == 1_440)
    }

    @Test(arguments: [(60, 23), (-60, 25)])
    func `a day on which the clock changes is shorter or longer and owes as much`(minutes: Int, hours: Int64) {
        let bucket = Self.changing(byMinutes: minutes).dayBucket(containing: Self.change)
        #expect(bucket.endMilliseconds - bucket.startMilliseconds == hours * Self.hour)
        #expect(bucket.due(intervalMilliseconds: 300_000) == Int(hours) * 12)
    }

    @Test(arguments: [60, -60, 30, -30, 20, -90, 24 * 60, -23 * 60], [0, 1, 22, 23, 24] as [Int64])
    func `buckets of every width are a partition of time, each inside one day`(minutes: Int, atHour: Int64) {
        let change = Self.change + atHour * Self.hour
        let zone = Self.changing(byMinutes: minutes, at: change)
        for width in [Int64(60_000), 600_000, 3_600_000] {
            var position = change - 3 * Self.day
            while position < change + 3 * Self.day {
                let bucket = zone.bucket(containing: position, widthMilliseconds: width)
                #expect(bucket.contains(position))
                #expect(zone.bucket(containing: bucket.endMilliseconds - 1, widthMilliseconds: width) == bucket)
                let day = zone.dayBucket(containing: bucket.startMilliseconds)
                #expect(day.contains(bucket.endMilliseconds - 1), "\(width) wide at \(position)")
                position = width == 60_000 ? bucket.endMilliseconds + 3_540_000 : bucket.endMilliseconds
            }
        }
        var day = zone.dayBucket(containing: change - 5 * Self.day)
        while day.startMilliseconds < change + 5 * Self.day {
            #expect(day.startMilliseconds < day.endMilliseconds)
            #expect(zone.dayBucket(containing: day.startMilliseconds) == day)
            #expect(zone.dayBucket(containing: day.endMilliseconds - 1) == day)
            let next = zone.dayBucket(containing: day.endMilliseconds)
            #expect(next.startMilliseconds == day.endMilliseconds, "\(minutes) min at \(atHour) h")
            day = next
        }
    }

    @Test func `a clock changed by decree is the old one before and the new one after`() {
        let before = Self.changing(byMinutes: 60)
        let at = Self.change + 200 * Self.day
        let spliced = before.spliced(with: Self.hanoi, from: at)
        #expect(spliced.name == "Asia/Ho_Chi_Minh")
        for instant in [Self.change - 1, Self.change, at - 1] {
            #expect(spliced.offsetSeconds(at: instant) == before.offsetSeconds(at: instant))
        }
        for instant in [at, at + 1, at + 1_000 * Self.day] { #expect(spliced.offsetSeconds(at: instant) == 7 * 3_600) }
        // And back again, before the first change: that change is the old clock's no more.
        let early = before.spliced(with: Self.hanoi, from: Self.change - 10)
        #expect(early.offsetSeconds(at: Self.change - 11) == 3_600)
        #expect(early.offsetSeconds(at: Self.change + 1) == 7 * 3_600)
        // The other way round, the new clock's own changes count from then on.
        let late = Self.hanoi.spliced(with: before, from: Self.change - Self.day)
        #expect(late.offsetSeconds(at: Self.change - 1) == 3_600 && late.offsetSeconds(at: Self.change) == 7_200)
        #expect(Self.hanoi.spliced(with: before, from: Self.change).offsetSeconds(at: Self.change) == 7_200)
    }

    @Test func `what is due is rounded and nothing is due without an interval`() {
        let bucket = Bucket(startMilliseconds: 0, endMilliseconds: 3_600_000)
        #expect(bucket.due(intervalMilliseconds: nil) == nil && bucket.due(intervalMilliseconds: 0) == nil)
        #expect(bucket.due(intervalMilliseconds: 7_000) == 514)
        #expect(bucket.due(intervalMilliseconds: 86_400_000) == 0)
    }
}
