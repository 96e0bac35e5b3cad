package import Monitoring

/// One parameter's part of a sample.
package struct SampleValue: Sendable, Hashable {
    /// Position in the station's parameters; negative for one the station never declared.
    package var parameterIndex: Int
    package var quantity: Quantity
    package var status: SampleStatus

    package init(parameterIndex: Int, quantity: Quantity, status: SampleStatus = .measuring) {
        self.parameterIndex = parameterIndex
        self.quantity = quantity
        self.status = status
    }
}

/// The status text of a value, which a broken logger may well get wrong.
package enum SampleStatus: Sendable, Hashable {
    case measuring
    case calibrating
    case fault
    case other(String)

    package var text: String {
        switch self {
        case .measuring: "00"
        case .calibrating: "01"
        case .fault: "02"
        case .other(let text): text
        }
    }
}

/// What a station measured at one moment.
package struct Sample: Sendable, Hashable {
    /// The time the device writes into the message: its own clock's.
    package var timeMilliseconds: Int64
    /// When it truly was (on the simulation's clock); decides what is backlog.
    package var recordedMilliseconds: Int64
    package var values: [SampleValue]

    package init(timeMilliseconds: Int64, recordedMilliseconds: Int64, values: [SampleValue]) {
        self.timeMilliseconds = timeMilliseconds
        self.recordedMilliseconds = recordedMilliseconds
        self.values = values
    }
}

/// A parameter a simulated station reports.
package struct ParameterPlan: Sendable, Hashable {
    package let id: ParameterID
    package let unit: String
    package let decimals: UInt8
    package let kind: SeriesKind
    package let isDirection: Bool

    package init(
        id: ParameterID, unit: String, decimals: UInt8, kind: SeriesKind = .gauge, isDirection: Bool = false
    ) {
        self.id = id
        self.unit = unit
        self.decimals = decimals
        self.kind = kind
        self.isDirection = isDirection
    }
}

/// A simulated station, as its station file describes it.
package struct StationPlan: Sendable, Hashable {
    package let id: StationID
    package let name: String
    package let kind: StationKind
    package let latitude: Double
    package let longitude: Double
    package let intervalMilliseconds: Int64
    package let parameters: [ParameterPlan]

    package init(
        id: StationID, name: String, kind: StationKind, latitude: Double, longitude: Double,
        intervalMilliseconds: Int64, parameters: [ParameterPlan]
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.latitude = latitude
        self.longitude = longitude
        self.intervalMilliseconds = intervalMilliseconds
        self.parameters = parameters
    }
}

/// A place of simulated stations.
package struct SitePlan: Sendable, Hashable {
    package let id: String
    package let name: String
    package let kind: StationKind
    package let timeZone: String
    package var stations: [StationPlan]

    package init(id: String, name: String, kind: StationKind, timeZone: String, stations: [StationPlan] = []) {
        self.id = id
        self.name = name
        self.kind = kind
        self.timeZone = timeZone
        self.stations = stations
    }
}
