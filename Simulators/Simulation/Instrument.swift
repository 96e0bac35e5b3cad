package import Monitoring

/// What a simulated station is made of; decides its parameters and the model behind them.
package enum Instrument: String, Sendable, Hashable, CaseIterable {
    case air
    case river
    case outlet
    case stack
    case dust
    case noise
    case weigh
    case piezo
    case slope

    /// The instruments found at a site of a kind, in the order they are set up.
    package static func instruments(of kind: StationKind) -> [Instrument] {
        switch kind {
        case .ambientAir: [.air]
        case .surfaceWater: [.river]
        case .wastewater: [.outlet]
        case .stack: [.stack]
        case .mine: [.dust, .noise, .weigh, .piezo, .slope]
        }
    }

    /// What the station watches, which may differ from its site: dust at a mine is ambient air.
    package var stationKind: StationKind {
        switch self {
        case .air, .dust: .ambientAir
        case .river: .surfaceWater
        case .outlet: .wastewater
        case .stack: .stack
        case .noise, .weigh, .piezo, .slope: .mine
        }
    }

    /// The station's name, Vietnamese as on the label of the cabinet.
    var label: String {
        switch self {
        case .air: "Trạm không khí"
        case .river: "Trạm nước mặt"
        case .outlet: "Trạm nước thải"
        case .stack: "Trạm khí thải"
        case .dust: "Trạm bụi"
        case .noise: "Trạm ồn và rung"
        case .weigh: "Trạm cân"
        case .piezo: "Giếng áp lực nước"
        case .slope: "Mốc dịch chuyển bờ mỏ"
        }
    }

    /// The parameters in the order of the model's values; symbols and units as the domain writes them.
    package var parameters: [ParameterPlan] {
        switch self {
        case .air:
            plans(
                ("PM2.5", "µg/m³", 1), ("PM10", "µg/m³", 1), ("SO2", "µg/m³", 1), ("NO2", "µg/m³", 1),
                ("CO", "µg/m³", 0), ("O3", "µg/m³", 1), ("Temp", "°C", 1), ("RH", "%", 1), ("P", "hPa", 1),
                ("WindSpd", "m/s", 1), ("WindDir", "°", 0), ("Rain", "mm", 1))
        case .dust:
            plans(
                ("PM10", "µg/m³", 1), ("PM2.5", "µg/m³", 1), ("TSP", "µg/m³", 1), ("Temp", "°C", 1),
                ("RH", "%", 1), ("WindSpd", "m/s", 1), ("WindDir", "°", 0), ("Rain", "mm", 1))
        case .river:
            plans(
                ("Temp", "°C", 2), ("pH", "-", 2), ("DO", "mg/L", 2), ("Cond", "µS/cm", 0), ("TSS", "mg/L", 1),
                ("COD", "mg/L", 1), ("NH4", "mg/L", 3), ("NO3", "mg/L", 2), ("PO4", "mg/L", 3), ("TN", "mg/L", 2),
                ("TP", "mg/L", 3), ("TOC", "mg/L", 1), ("Level", "m", 3))
        case .outlet:
            plans(
                ("Flow", "m³/h", 1), ("Temp", "°C", 1), ("Color", "Pt-Co", 0), ("pH", "-", 2), ("TSS", "mg/L", 1),
                ("COD", "mg/L", 1), ("NH4", "mg/L", 2), ("TN", "mg/L", 2), ("TP", "mg/L", 2), ("TOC", "mg/L", 1),
                ("Cl", "mg/L", 2), ("Volume", "m³", 0))
        case .stack:
            plans(
                ("Flow", "Nm³/h", 0), ("Temp", "°C", 1), ("P", "kPa", 2), ("O2", "%V", 2), ("NO", "mg/Nm³", 1),
                ("NO2", "mg/Nm³", 1), ("CO", "mg/Nm³", 1), ("SO2", "mg/Nm³", 1), ("NH3", "mg/Nm³", 2),
                ("PM", "mg/Nm³", 1))
        case .noise:
            plans(
                ("LAeq", "dBA", 1), ("LAmax", "dBA", 1), ("PPVx", "mm/s", 2), ("PPVy", "mm/s", 2),
                ("PPVz", "mm/s", 2), ("VibFreq", "Hz", 1), ("Airblast", "dB", 1))
        case .weigh:
            plans(("Tonnage", "t", 2), ("Trucks", "1", 0), ("Gross", "t", 2))
        case .piezo:
            plans(("PorePressure", "kPa", 2), ("WaterLevel", "m", 3), ("P", "kPa", 2), ("Temp", "°C", 2))
        case .slope:
            plans(("Displacement", "mm", 2), ("Velocity", "mm/d", 2), ("Tilt", "°", 3), ("Rain", "mm", 1))
        }
    }
}

/// Names that count instead of being measured, or point instead of being large.
private let counters: Set<String> = ["Tonnage", "Trucks", "Volume"]

private func plans(_ rows: (String, String, UInt8)...) -> [ParameterPlan] {
    rows.compactMap { name, unit, decimals in
        guard let id = ParameterID(name) else { return nil }
        return ParameterPlan(
            id: id, unit: unit, decimals: decimals,
            kind: counters.contains(name) ? .counter : name == "Rain" ? .sum : .gauge,
            isDirection: name == "WindDir")
    }
}
