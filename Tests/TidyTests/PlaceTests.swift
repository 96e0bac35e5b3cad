import Testing

/// Nothing in the repository depends on the machine it was written on.
struct PlaceTests {
    @Test func `no file names a path of somebody's machine`() {
        // Put together from parts, or this file would be the first to be found.
        let roots = ["wo" + "rk/", "ro" + "ot/", "ho" + "me/", "Us" + "ers/", "opt/sw" + "ift", "tmp/ba" + "sh_"]
        for file in Repository.files {
            for root in roots {
                let places = file.places(of: "/\(root)")
                #expect(places.isEmpty, "\(places): an absolute path of one machine")
            }
        }
    }

    @Test func `text files end with one line feed and carry no trailing blanks`() {
        for file in Repository.files where !file.text.isEmpty {
            #expect(file.text.utf8.last == UInt8(ascii: "\n"), "\(file) does not end with a line feed")
            #expect(!file.text.utf8.contains(UInt8(ascii: "\r")), "\(file) has carriage returns")
            for (index, line) in file.lines.enumerated() {
                let last = line.utf8.last
                let isBlank = last == UInt8(ascii: " ") || last == UInt8(ascii: "\t")
                if isBlank { Issue.record("\(file.path):\(index + 1) has trailing blanks") }
            }
        }
    }

    @Test func `scripts say who runs them and fail on errors`() {
        for file in Repository.files where file.lines.first?.hasPrefix("#!") == true {
            guard file.lines[0].contains("bash") else { continue }
            #expect(file.text.contains("set -euo pipefail"), "\(file) does not begin with set -euo pipefail")
        }
    }
}
