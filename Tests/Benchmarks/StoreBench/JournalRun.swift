import Foundation

/// Leaves so many readings in the journal, none of them merged, and dies as a killed service does.
enum JournalRun {
    private static let stationCount = 500
    private static let parameterCount = 10

    static func run(path: String, readings: Int) throws -> [String: Double] {
        let store = try BenchStore(
            path: path, stationCount: self.stationCount, parameters: BenchStore.parameters(self.parameterCount),
            intervalSeconds: 10)
        var walks = (0..<self.parameterCount).map { Walk(seed: UInt64($0) + 1) }
        let rounds = readings / (self.stationCount * self.parameterCount)
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        for round in 0..<rounds {
            let time = now - Int64(rounds - round) * 10_000
            store.begin(receivedMilliseconds: time)
            for station in 0..<self.stationCount {
                store.add(
                    station: station, timeMilliseconds: time, sequence: Int64(round) + 1,
                    values: walks.indices.map { walks[$0].next() })
            }
            try store.commit(receivedMilliseconds: time)
        }
        kill(getpid(), SIGKILL)
        return [:]
    }
}
