import Foundation
import Testing

/// The real programs against a real mosquitto, one test after the other: they kill, restart and fill things.
@Suite(.serialized)
enum EndToEnd {}

/// One station with two parameters in the default zone.
func plainStations(id: String = "nd-dust-1", interval: String = "60s") -> String {
    """
    sites:
      - id: na-duong
        name: Mỏ than Na Dương (DEMO)
        kind: mine
        timeZone: Asia/Ho_Chi_Minh
        stations:
          - id: \(id)
            name: Trạm bụi cổng mỏ
            kind: ambient-air
            latitude: 21.702
            longitude: 106.985
            interval: \(interval)
            parameters:
              - {id: PM10, unit: µg/m³}
              - {id: SO2, unit: µg/m³}

    """
}
