import Crypto
import Monitoring

/// A row of the table `readings`, as it is hashed and handed over.
struct LakeRow: Equatable {
    var site: String
    var station: String
    var parameter: String
    /// In force at the reading's time.
    var unit: String
    var timeMilliseconds: Int64
    /// The site's clock at that time, as seconds ahead of UTC.
    var offsetSeconds: Int64
    var receivedSeconds: Int64
    var value: Double
    var status: String
}

/// The hash over rows: of their contents in order, not of any encoding, so that it outlives a change of DuckDB.
struct LakeRowHash {
    private var hash = SHA256()
    private var pending: [UInt8] = []
    private(set) var rows: Int64 = 0
    private(set) var minTime: Int64 = .max
    private(set) var maxTime: Int64 = .min

    mutating func add(_ row: borrowing LakeRow) {
        self.rows += 1
        self.minTime = min(self.minTime, row.timeMilliseconds)
        self.maxTime = max(self.maxTime, row.timeMilliseconds)
        // Every text is closed by a byte that no UTF-8 text contains: rows cannot run into each other.
        for text in [row.site, row.station, row.parameter, row.unit, row.status] {
            self.pending.append(contentsOf: text.utf8)
            self.pending.append(0xFF)
        }
        self.add(UInt64(bitPattern: row.timeMilliseconds))
        self.add(UInt64(bitPattern: row.offsetSeconds))
        self.add(UInt64(bitPattern: row.receivedSeconds))
        self.add(row.value.bitPattern)
        if self.pending.count >= 64 << 10 { self.flush() }
    }

    private mutating func add(_ word: UInt64) {
        withUnsafeBytes(of: word.littleEndian) { self.pending.append(contentsOf: $0) }
    }

    private mutating func flush() {
        self.hash.update(data: self.pending)
        self.pending.removeAll(keepingCapacity: true)
    }

    /// SHA-256 in hexadecimal of what was added.
    mutating func finish() -> String {
        self.flush()
        return self.hash.finalize().hexadecimal
    }
}

/// What is known of a day's rows once all were seen.
struct LakeRowSummary: Sendable, Hashable {
    let rows: Int64
    let minTime: Int64
    let maxTime: Int64
    let rowsHash: String

    init(_ hash: LakeRowHash) {
        var hash = hash
        self.rows = hash.rows
        self.minTime = hash.minTime
        self.maxTime = hash.maxTime
        self.rowsHash = hash.finish()
    }
}
