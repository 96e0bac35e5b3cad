import Monitoring
import Testing

@testable import TimeSeriesStore

/// Where the boundaries lie, and what holds them back.
struct RetentionPlanTests {
    private static let day: Int64 = 86_400_000
    /// 2026-11-23T05:00:00Z: noon in Hanoi.
    private static let now: Int64 = 1_795_410_000_000

    private static func zone(_ name: String) -> Zone { required(ZoneDatabase.zone(named: name)) }

    private static func policy(
        raw: String = "10d", hours: String = "forever", days: String = "forever"
    ) -> RetentionPolicy {
        RetentionPolicy(
            raw: required(KeepRule(raw)), hours: required(KeepRule(hours)), days: required(KeepRule(days)),
            eventsMilliseconds: .max, incidentsMilliseconds: .max, setAsideMilliseconds: .max)
    }

    /// One station a site.
    private static func registry(
        _ sites: [(kind: StationKind, zone: String)], rawBefore: [Int64] = [], retired: Int64? = nil
    ) -> Registry {
        Registry(
            sites: sites.enumerated().map {
                Site(id: "s\($0)", name: "", kind: $1.kind, zone: self.zone($1.zone))
            },
            stations: sites.indices.map { index in
                let before = index < rawBefore.count ? rawBefore[index] : 0
                return Station(
                    number: Int32(index + 1), id: required(StationID("st-\(index)")), name: "", siteIndex: index,
                    kind: .ambientAir, latitude: nil, longitude: nil, intervalMilliseconds: Dated(60_000),
                    retiredMilliseconds: retired, seriesIndices: [], sealedBeforeMilliseconds: before,
                    rawBeforeMilliseconds: before)
            }, series: [])
    }

    private static func plan(
        _ registry: Registry, _ policy: RetentionPolicy, oldest: Int64? = nil, unpublished: [Int64]? = nil,
        importing: String? = nil, correctedFrom: Int64? = nil, now: Int64 = RetentionPlanTests.now
    ) -> [RetentionPlan.StationPlan] {
        let oldest = oldest ?? now - 400 * self.day
        let facts = RetentionPlan.Facts(
            oldestRaw: Dictionary(uniqueKeysWithValues: registry.stations.map { ($0.number, oldest) }),
            correctedFrom: correctedFrom.map { [1: $0] } ?? [:], unpublishedDays: unpublished, importing: importing)
        return RetentionPlan.make(registry, policy: policy, facts: facts, nowMilliseconds: now).stations
    }

    @Test func `the boundary is the start of a local day of the site`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh"), (.mine, "America/New_York")])
        let plans = Self.plan(registry, Self.policy())
        // 2026-11-13T00:00+07:00 and, for it is 2026-11-23T00:00 in New York just now, 2026-11-13T00:00-05:00.
        #expect(plans[0].rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-13T00:00:00+07:00"))
        #expect(plans[1].rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-13T00:00:00-05:00"))
        #expect(plans.allSatisfy { $0.sealedBeforeMilliseconds == $0.rawBeforeMilliseconds && $0.hold == nil })
    }

    @Test func `a day of 25 or 23 hours is kept or goes as a whole`() {
        // Berlin's clock went back on 2026-10-25 at 03:00 summer time: that day has 25 hours.
        let registry = Self.registry([(.mine, "Europe/Berlin")])
        for hour in 0...72 {
            let now = required(Civil.parseRFC3339("2026-11-03T22:30:00Z")) + Int64(hour) * 3_600_000
            let before = Self.plan(registry, Self.policy(), now: now)[0].rawBeforeMilliseconds
            let local = Self.zone("Europe/Berlin")
            #expect(local.dayBucket(containing: before).startMilliseconds == before, "hour \(hour)")
            let clock = NaiveClock("Europe/Berlin")
            #expect(before == clock.dayStart(clock.localDay(now - 10 * Self.day)), "hour \(hour)")
        }
    }

    @Test func `each kind of site has its own duration`() {
        let registry = Self.registry([
            (.mine, "Asia/Ho_Chi_Minh"), (.ambientAir, "Asia/Ho_Chi_Minh"), (.stack, "Asia/Ho_Chi_Minh"),
        ])
        let plans = Self.plan(registry, Self.policy(raw: "10d, mine=20d, stack=forever"))
        #expect(plans[0].rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-03T00:00:00+07:00"))
        #expect(plans[1].rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-13T00:00:00+07:00"))
        #expect(plans[2].rawBeforeMilliseconds == 0 && plans[2].wantedMilliseconds == nil)
    }

    @Test func `what has nothing that old is neither deleted nor sealed`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh")])
        let plans = Self.plan(registry, Self.policy(), oldest: Self.now - 9 * Self.day)
        #expect(plans[0].rawBeforeMilliseconds == 0 && plans[0].sealedBeforeMilliseconds == 0)
        #expect(plans[0].wantedMilliseconds == nil)
    }

    @Test func `a retired station's readings go like any others'`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh")], retired: Self.now - 300 * Self.day)
        let plans = Self.plan(registry, Self.policy())
        #expect(plans[0].rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-13T00:00:00+07:00"))
    }

    @Test func `hours and days go no further than raw`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh")])
        let policy = Self.policy(hours: "30d", days: "300d")
        let free = Self.plan(registry, policy)[0]
        #expect(free.hoursBeforeMilliseconds == Civil.parseRFC3339("2026-10-24T00:00:00+07:00"))
        #expect(free.daysBeforeMilliseconds == Civil.parseRFC3339("2026-01-27T00:00:00+07:00"))
        let first = Civil.days(year: 2026, month: 1, day: 1)
        let held = Self.plan(registry, policy, unpublished: [first])[0]
        #expect(held.hoursBeforeMilliseconds == Civil.parseRFC3339("2026-01-01T00:00:00+07:00"))
        #expect(held.daysBeforeMilliseconds == held.hoursBeforeMilliseconds)
    }

    @Test func `a day that is not in the lake holds back itself and all later ones, and the plan says so`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh")])
        let missing = Civil.days(year: 2026, month: 11, day: 5)
        let plan = Self.plan(registry, Self.policy(), unpublished: [missing, missing + 3])[0]
        #expect(plan.rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-05T00:00:00+07:00"))
        #expect(plan.hold == .unpublished(day: missing))
        #expect(plan.hold?.text.contains("2026-11-05") == true)
        let later = Self.plan(registry, Self.policy(), unpublished: [Civil.days(year: 2026, month: 11, day: 13)])[0]
        #expect(later.hold == nil && later.rawBeforeMilliseconds == later.wantedMilliseconds)
    }

    @Test func `with a lake a day is sealed for every station, and without one only for its own`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh"), (.ambientAir, "Europe/Berlin")])
        let policy = Self.policy(raw: "10d, mine=400d")
        let sealed = Self.plan(registry, policy, unpublished: [])
        #expect(sealed[1].rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-13T00:00:00+01:00"))
        #expect(sealed[0].sealedBeforeMilliseconds == Civil.parseRFC3339("2026-11-13T00:00:00+07:00"))
        #expect(sealed[0].rawBeforeMilliseconds == 0)
        let alone = Self.plan(registry, policy)
        #expect(alone[0].sealedBeforeMilliseconds == 0)
    }

    @Test func `nothing goes while a file is being imported`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh")])
        let plan = Self.plan(registry, Self.policy(), importing: "old.csv")[0]
        #expect(plan.rawBeforeMilliseconds == 0 && plan.hold == .importing(file: "old.csv"))
    }

    @Test func `readings that are corrected stay, from the day of the first correction on`() {
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh"), (.mine, "Asia/Ho_Chi_Minh")])
        let from = required(Civil.parseRFC3339("2026-11-03T07:30:00+07:00"))
        let plans = Self.plan(registry, Self.policy(), correctedFrom: from)
        #expect(plans[0].rawBeforeMilliseconds == Civil.parseRFC3339("2026-11-03T00:00:00+07:00"))
        #expect(plans[0].hold == .corrected(fromMilliseconds: from))
        #expect(plans[1].hold == nil && plans[1].rawBeforeMilliseconds == plans[1].wantedMilliseconds)
    }

    @Test func `a boundary never goes back`() {
        let before = required(Civil.parseRFC3339("2026-11-20T00:00:00+07:00"))
        let registry = Self.registry([(.mine, "Asia/Ho_Chi_Minh")], rawBefore: [before])
        let plan = Self.plan(registry, Self.policy(), oldest: before)[0]
        #expect(plan.rawBeforeMilliseconds == before && plan.wantedMilliseconds == nil)
    }

    @Test(arguments: [
        ("1826d", StationKind.mine, 1_826 * RetentionPlanTests.day), ("forever", .mine, .max),
        ("48h", .stack, 2 * RetentionPlanTests.day), ("5d, mine = 6d", .mine, 6 * RetentionPlanTests.day),
        ("5d,mine=forever", .mine, .max), ("5d, mine=6d", .stack, 5 * RetentionPlanTests.day),
    ])
    func `rules are durations with exceptions`(text: String, kind: StationKind, expected: Int64) {
        #expect(KeepRule(text)?.milliseconds(kind) == expected)
    }

    @Test(arguments: [
        "", "5", "5y", "23h", "0d", "-5d", "mine=5d", "5d,", "5d, mine", "5d, mines=6d", "5d, mine=6d, mine=7d",
        "5d, mine=6d=7d", "for ever", "5d 6d",
    ])
    func `anything else is no rule`(text: String) { #expect(KeepRule(text) == nil) }

    @Test func `the disk is full when its room is divided by what the complete days added`() {
        let sizes = [
            FileSize(day: 10, bytes: 1_000), FileSize(day: 11, bytes: 5_000), FileSize(day: 12, bytes: 4_000),
            FileSize(day: 14, bytes: 9_000), FileSize(day: 15, bytes: 1_000_000),
        ]
        #expect(DiskForecast.growthBytesPerDay(sizes, today: 15) == 2_000)
        #expect(DiskForecast.growthBytesPerDay(Array(sizes.prefix(2)), today: 15) == nil)
        #expect(DiskForecast.growthBytesPerDay(sizes, today: 100) == nil)
        let pages = FilePages(total: 100, free: 10)
        func days(_ growth: Double, free: Int64) -> Double? {
            DiskForecast.fullInDays(
                growthBytesPerDay: growth, diskFreeBytes: free, pages: pages, reserveBytes: 1_000)
        }
        #expect(days(2_000, free: 21_000) == 30.5)
        #expect(days(2_000, free: 500) == 20.5)
        #expect(days(0, free: 21_000) == nil && days(-5, free: 21_000) == nil)
    }

    @Test func `free pages are given back when there are twice as many as are kept`() {
        #expect(FilePages(total: 10_000, free: 8_000).surplus == 0)
        #expect(FilePages(total: 10_000, free: 9_000).surplus == 9_000 - 4_096)
        #expect(FilePages(total: 1_000_000, free: 200_000).surplus == 0)
        #expect(FilePages(total: 1_000_000, free: 300_000).surplus == 175_000)
    }
}
