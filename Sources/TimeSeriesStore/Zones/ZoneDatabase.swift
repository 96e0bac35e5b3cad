// The whole of Foundation: its Essentials do not know the tz database.
import Foundation
package import Monitoring
import Synchronization

/// The tz database, as the pure core's tables of offsets.
package enum ZoneDatabase {
    private static let cache = Mutex<[String: Zone]>([:])

    /// The zone of a name such as `Asia/Ho_Chi_Minh`; nil when there is none of that name.
    ///
    /// Holds every change of offset a stored time can meet (``TimeBounds``); built once per name.
    package static func zone(named name: String) -> Zone? {
        if let zone = self.cache.withLock({ $0[name] }) { return zone }
        guard let zone = self.build(name) else { return nil }
        self.cache.withLock { $0[name] = zone }
        return zone
    }

    private static func build(_ name: String) -> Zone? {
        // Abbreviations such as EST would be accepted by Foundation, but mean different clocks to different people.
        guard name == "UTC" || name.contains("/"), let zone = TimeZone(identifier: name) else { return nil }
        let end = Date(timeIntervalSince1970: Double(TimeBounds.endMilliseconds / 1_000))
        var at = Date(timeIntervalSince1970: 0)
        var offset = zone.secondsFromGMT(for: at)
        let first = offset
        var transitions: [(atMilliseconds: Int64, offsetSeconds: Int)] = []
        while let next = zone.nextDaylightSavingTimeTransition(after: at), next > at, next < end {
            let newOffset = zone.secondsFromGMT(for: next)
            if newOffset != offset {
                let milliseconds = Int64((next.timeIntervalSince1970 * 1_000).rounded())
                transitions.append((atMilliseconds: milliseconds, offsetSeconds: newOffset))
            }
            offset = newOffset
            at = next
        }
        return Zone(name: name, offsetSeconds: first, transitions: transitions)
    }
}
