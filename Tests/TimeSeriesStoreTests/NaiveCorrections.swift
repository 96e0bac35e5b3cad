import Foundation
import Monitoring

/// Corrections as a person would write them in an afternoon: a list, gone through for every version of every reading.
struct NaiveCorrections {
    struct Entry {
        var id: Int64
        var series: Series
        var from: Int64
        var to: Int64
        var kind: Correction.Kind
        var made: Int64
        var revoked: Int64?
    }

    var entries: [Entry] = []

    /// The store with the corrections in force now laid over every version.
    func over(_ naive: NaiveStore) -> NaiveStore { self.over(naive) { $0.revoked == nil } }

    /// The store as it was at an instant: what had arrived, with or without what was in force.
    func over(_ naive: NaiveStore, asOf instant: Int64, corrected: Bool) -> NaiveStore {
        let then = naive.mapped { _, _, version in
            Int64(version.receivedSeconds) * 1_000 <= instant ? version : nil
        }
        guard corrected else { return then }
        return self.over(then) { entry in entry.made <= instant && (entry.revoked ?? .max) > instant }
    }

    private func over(_ naive: NaiveStore, _ isInForce: (Entry) -> Bool) -> NaiveStore {
        let inForce = self.entries.filter(isInForce)
        return naive.mapped { series, time, version in
            var version = version
            for entry in inForce where entry.series.number == series && time >= entry.from && time < entry.to {
                self.apply(entry, time, &version)
            }
            return version
        }
    }

    private func apply(_ entry: Entry, _ time: Int64, _ version: inout NaiveStore.Version) {
        switch entry.kind {
        case .annotate: return
        case .invalidate(let status): version.status = status
        case .replace(let value, let status):
            version.bits = value.bitPattern
            version.status = status
        case .scale(let scale):
            let share = Double(time - entry.from) / Double(entry.to - entry.from)
            let factor = scale.factor + (scale.endFactor - scale.factor) * share
            let offset = scale.offset + (scale.endOffset - scale.offset) * share
            var value = Double(bitPattern: version.bits) * factor
            value += offset
            if !value.isFinite {
                version.status = Status("INV") ?? version.status
                return
            }
            if entry.series.isDirection {
                value = fmod(value, 360)
                if value < 0 { value += 360 }
                if value >= 360 { value = 0 }
            }
            version.bits = value.bitPattern
        }
    }
}
