import Monitoring

/// Where everything lies in the lake's folder; all names on disk are here.
package struct LakePaths: Sendable, Hashable {
    /// The lake's folder.
    package let root: String

    package init(root: String) { self.root = root }

    static let table = "readings"
    /// What is not finished begins with a dot and ends so; nobody who globs `*.parquet` or `*.json` meets it.
    static let unfinishedSuffix = ".unfinished"

    /// A part's name until it is finished.
    static let unfinishedPart = ".part.parquet\(unfinishedSuffix)"

    /// `readings/date=2026-11-23`, relative to the root.
    static func dayFolder(_ day: Int64) -> String { "\(self.table)/date=\(Civil.formatDate(days: day))" }

    /// The name of a finished part, such as `part-1-17-g1.parquet`.
    static func partName(changeFrom: Int64, changeTo: Int64, generation: Int) -> String {
        "part-\(changeFrom)-\(changeTo)-g\(generation).parquet"
    }

    /// `manifest/readings/date=2026-11-23.json`, relative to the root.
    static func manifest(_ day: Int64) -> String { "manifest/\(self.dayFolder(day)).json" }

    /// The name a file has until it is finished, in the same folder.
    static func unfinished(_ path: String) -> String {
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        return "\(path[..<slash]).\(path[slash...])\(self.unfinishedSuffix)"
    }

    /// A path relative to the root as one for the system.
    func absolute(_ path: String) -> String { "\(self.root)/\(path)" }
}
