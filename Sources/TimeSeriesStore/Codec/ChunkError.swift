/// Why bytes are not a chunk that this program can read.
package enum ChunkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes end inside what `reading` names.
    case truncated(reading: String)
    /// The checksum in the header is not that of the bytes: they were damaged on disk or on the way.
    case badChecksum(stored: UInt64, computed: UInt64)
    /// The first byte is no format of ours: written by a newer program, or no chunk at all.
    case unknownFormat(UInt8)
    /// The checksum holds, but the content contradicts itself: a defect of the program that wrote it.
    case badFormat(String)

    package var description: String {
        switch self {
        case .truncated(let reading): "chunk ends inside its \(reading)"
        case .badChecksum(let stored, let computed):
            "chunk is damaged: checksum \(String(stored, radix: 16)) stored, \(String(computed, radix: 16)) computed"
        case .unknownFormat(let format): "chunk has the unknown format \(format)"
        case .badFormat(let detail): "chunk contradicts itself: \(detail)"
        }
    }
}

/// Bounds of chunks, so that no damaged length allocates without bound.
package enum ChunkLimits {
    /// Readings or rollups of one chunk.
    ///
    /// A chunk is about 1,024; the bound is far above any merge's slice.
    package static let entriesMax = 1 << 20
}
