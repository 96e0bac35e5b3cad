package import Monitoring

/// Lays out a demo province: which sites, which stations, where, called what; nothing in it is real.
package struct FleetPlan: Sendable {
    package let sites: [SitePlan]
    /// One per station, in the order of the sites.
    package let instruments: [Instrument]

    /// Where generated sites may lie: well inside the province of Lạng Sơn (about 106.09–107.36° E, 21.32–22.46° N).
    private static let longitudes = (west: 106.35, east: 107.05)
    private static let latitudes = (south: 21.55, north: 22.1)
    private static let stationsPerSiteMax = 10

    /// Plans a fleet.
    ///
    /// - Parameters:
    ///   - stationCount: How many stations in all.
    ///   - intervalMilliseconds: How often each reports.
    ///   - seed: Decides the places of generated sites.
    ///   - kinds: Kinds of site, taken in turn.
    ///   - parametersPerStation: Exactly so many parameters each; nil for what the instrument has.
    package init(
        stationCount: Int, intervalMilliseconds: Int64, seed: UInt64, kinds: [StationKind] = StationKind.allCases,
        parametersPerStation: Int? = nil
    ) {
        var drafts: [Draft] = []
        var numberOfKind: [StationKind: Int] = [:]
        var left = stationCount
        // Site by site, the kinds in turn, each with all its instruments: a mine is no mine without its weighbridge.
        while left > 0 {
            let kind = kinds[drafts.count % kinds.count]
            numberOfKind[kind, default: 0] += 1
            var draft = Draft(kind: kind, number: numberOfKind[kind, default: 1])
            for _ in 0..<min(left, Self.stationsPerSite(of: kind, stationCount: stationCount)) { draft.add() }
            left -= draft.instruments.count
            drafts.append(draft)
        }
        let field = NoiseField(seed: seed)
        self.sites = drafts.map {
            Self.site($0, field: field, intervalMilliseconds: intervalMilliseconds, count: parametersPerStation)
        }
        self.instruments = drafts.flatMap(\.instruments)
    }

    /// A handful of stations spreads over the named places; thousands stand together.
    private static func stationsPerSite(of kind: StationKind, stationCount: Int) -> Int {
        if kind == .mine { return 5 }
        return stationCount <= 60 ? 1 : self.stationsPerSiteMax
    }

    private struct Draft {
        let kind: StationKind
        let number: Int
        var instruments: [Instrument] = []

        mutating func add() {
            let possible = Instrument.instruments(of: self.kind)
            self.instruments.append(possible[self.instruments.count % possible.count])
        }
    }

    private static func site(
        _ draft: Draft, field: NoiseField, intervalMilliseconds: Int64, count: Int?
    ) -> SitePlan {
        let place = self.place(draft, field: field)
        var numbers: [Instrument: Int] = [:]
        let stations = draft.instruments.enumerated().compactMap { position, instrument -> StationPlan? in
            numbers[instrument, default: 0] += 1
            let number = numbers[instrument, default: 1]
            guard let id = StationID("\(place.prefix)-\(instrument.rawValue)-\(number)") else { return nil }
            // A few hundred metres apart, on a small spiral around the site.
            let turn = Double(position) * 0.381_966
            let radius = position == 0 ? 0 : 0.002 + 0.000_8 * Double(position)
            return StationPlan(
                id: id, name: "\(instrument.label) \(number), \(place.name)", kind: instrument.stationKind,
                latitude: place.latitude + radius * Shape.wave(turn),
                longitude: place.longitude + radius * Shape.wave(turn + 0.25),
                intervalMilliseconds: intervalMilliseconds,
                parameters: self.parameters(of: instrument, count: count))
        }
        return SitePlan(
            id: place.id, name: "\(place.name) (DEMO)", kind: draft.kind, timeZone: "Asia/Ho_Chi_Minh",
            stations: stations)
    }

    private static func parameters(of instrument: Instrument, count: Int?) -> [ParameterPlan] {
        let own = instrument.parameters
        guard let count else { return own }
        let more = (own.count..<max(own.count, count)).compactMap { index in
            ParameterID("AI\(index + 1)").map { ParameterPlan(id: $0, unit: "1", decimals: 2) }
        }
        return Array((own + more).prefix(count))
    }

    private static func place(_ draft: Draft, field: NoiseField) -> DemoPlace {
        let named = DemoPlace.named[draft.kind] ?? []
        if draft.number <= named.count { return named[draft.number - 1] }
        let site = field.derived(UInt64(draft.number)).derived(
            UInt64(StationKind.allCases.firstIndex(of: draft.kind) ?? 0))
        let (prefix, name) = DemoPlace.generic[draft.kind] ?? ("s", "Điểm quan trắc")
        return DemoPlace(
            id: "demo-\(prefix)\(draft.number)", prefix: "\(prefix)\(draft.number)", name: "\(name) \(draft.number)",
            latitude: self.latitudes.south + (self.latitudes.north - self.latitudes.south) * site.uniform(1, 0),
            longitude: self.longitudes.west + (self.longitudes.east - self.longitudes.west) * site.uniform(2, 0))
    }
}

/// A named place of the demo.
///
/// Places are roughly where their names say; the stations in them are invented.
struct DemoPlace {
    let id: String
    let prefix: String
    let name: String
    let latitude: Double
    let longitude: Double

    static let named: [StationKind: [DemoPlace]] = [
        .ambientAir: [
            DemoPlace(
                id: "luong-van-tri", prefix: "lvt", name: "Phường Lương Văn Tri", latitude: 21.853, longitude: 106.756),
            DemoPlace(id: "dong-dang", prefix: "dd", name: "Đồng Đăng", latitude: 21.945, longitude: 106.696),
            DemoPlace(id: "huu-lung-town", prefix: "hlt", name: "Hữu Lũng", latitude: 21.508, longitude: 106.344),
            DemoPlace(id: "dong-mo", prefix: "dm", name: "Đồng Mỏ", latitude: 21.661, longitude: 106.579),
        ],
        .surfaceWater: [
            DemoPlace(id: "ky-cung", prefix: "kc", name: "Sông Kỳ Cùng", latitude: 21.847, longitude: 106.766),
            DemoPlace(id: "thuong", prefix: "st", name: "Sông Thương", latitude: 21.571, longitude: 106.49),
            DemoPlace(id: "ban-chu", prefix: "bc", name: "Suối hạ lưu Na Dương", latitude: 21.716, longitude: 106.962),
        ],
        .wastewater: [
            DemoPlace(
                id: "dong-banh-kcn", prefix: "db", name: "Cụm công nghiệp Đồng Bành", latitude: 21.6, longitude: 106.541
            ),
            DemoPlace(
                id: "hop-thanh", prefix: "ht", name: "Cụm công nghiệp Hợp Thành", latitude: 21.88, longitude: 106.71),
        ],
        .stack: [
            DemoPlace(
                id: "nd-power", prefix: "ndp", name: "Ống khói nhiệt điện Na Dương", latitude: 21.707,
                longitude: 106.976),
            DemoPlace(
                id: "db-cement", prefix: "dbc", name: "Ống khói xi măng Đồng Bành", latitude: 21.597, longitude: 106.557
            ),
        ],
        .mine: [
            DemoPlace(id: "na-duong", prefix: "nd", name: "Mỏ than Na Dương", latitude: 21.702, longitude: 106.985),
            DemoPlace(id: "huu-lung", prefix: "hl", name: "Mỏ đá vôi Hữu Lũng", latitude: 21.56, longitude: 106.37),
            DemoPlace(id: "chi-lang", prefix: "cl", name: "Mỏ đá Chi Lăng", latitude: 21.64, longitude: 106.55),
        ],
    ]

    static let generic: [StationKind: (prefix: String, name: String)] = [
        .ambientAir: ("kk", "Điểm không khí"), .surfaceWater: ("nm", "Điểm nước mặt"),
        .wastewater: ("nt", "Điểm nước thải"), .stack: ("kt", "Ống khói"), .mine: ("mo", "Mỏ đá"),
    ]
}
