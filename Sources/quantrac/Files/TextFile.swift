import FoundationEssentials

/// Whole files of text, as people write them.
enum TextFile {
    /// Reads a UTF-8 file of at most ``FileLimits/fileBytesMax``.
    static func read(_ path: String) throws(ConfigurationError) -> String {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            let reason = (error as? CocoaError)?.reason ?? "\(error)"
            throw ConfigurationError(place: path, key: "", problem: "cannot be read: \(reason)")
        }
        guard data.count <= FileLimits.fileBytesMax else {
            throw ConfigurationError(
                place: path, key: "", problem: "is larger than \(FileLimits.fileBytesMax >> 20) MiB")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigurationError(place: path, key: "", problem: "is not UTF-8")
        }
        // A byte order mark is no text.
        return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    }
}
