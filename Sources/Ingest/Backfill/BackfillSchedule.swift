import Monitoring

/// When a station is asked for what is missing, how often, and how much at a time.
struct BackfillSchedule: Sendable {
    /// How long a hole may stand before it is asked for: messages overtake each other.
    var graceMillisecondsMin: Int64 = 10_000
    var graceIntervals: Int64 = 2
    /// From one request to the next; behind the last one what is still missing is declared lost.
    var pausesMilliseconds: [Int64] = [1, 5, 30, 120, 720].map { $0 * 60_000 }
    /// Open requests of one station.
    var requestsPerStationMax = 8
    /// Commands of one look, over all stations.
    var commandsPerLookMax = 20
    /// Holes of a station that are looked at; those behind wait until some are filled.
    var holesPerStationMax = 256

    static let usual = BackfillSchedule()

    func graceMilliseconds(intervalMilliseconds: Int64?) -> Int64 {
        let (intervals, overflow) = (intervalMilliseconds ?? 0).multipliedReportingOverflow(by: self.graceIntervals)
        return max(self.graceMillisecondsMin, overflow ? .max : intervals)
    }
}
