/// A year of one station at a fixed interval, each message received up to 5 s after it was measured, merged every hour.
enum YearRun {
    static func run(
        path: String, seriesCount: Int, intervalSeconds: Int64, days: Int64, endMilliseconds: Int64
    ) throws -> [String: Double] {
        let store = try BenchStore(
            path: path, stationCount: 1, parameters: BenchStore.parameters(seriesCount),
            intervalSeconds: intervalSeconds)
        let interval = intervalSeconds * 1_000
        let end = endMilliseconds / interval * interval
        var walks = (0..<seriesCount).map { Walk(seed: UInt64($0) + 1) }
        var jitter = Walk(seed: 99)
        var nextUpkeep = end - days * 86_400_000 + 3_600_000
        for time in stride(from: end - days * 86_400_000, to: end, by: Int64.Stride(interval)) {
            let received = time + Int64(jitter.uniform() * 5_000)
            store.begin(receivedMilliseconds: received)
            store.add(
                station: 0, timeMilliseconds: time, sequence: nil, values: walks.indices.map { walks[$0].next() })
            try store.commit(receivedMilliseconds: received)
            if time >= nextUpkeep {
                nextUpkeep += 3_600_000
                try store.merge(nowMilliseconds: received)
                try store.foldAndTrim()
            }
        }
        try store.finish(nowMilliseconds: end)
        return try StoreBench.sizes(store)
    }
}
