import Simulation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The local clock a file was written by: a fixed offset, or a named zone of the machine's time-zone data.
enum LocalClock {
    case offset(seconds: Int)
    case named(String)

    /// Nil when the text is neither an offset nor a zone this machine knows.
    init?(_ text: String) {
        if let seconds = FileTime.offsetSeconds(text) {
            self = .offset(seconds: seconds)
            return
        }
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "-"),
                UInt8(ascii: "+"):
                true
            default: false
            }
        }
        let folder = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
        var information = stat()
        guard isPlain, text.utf8.first != UInt8(ascii: "/"), stat("\(folder)/\(text)", &information) == 0,
            information.st_mode & S_IFMT == S_IFREG
        else { return nil }
        self = .named(text)
        // The C library knows every rule of the zone, the past and the future ones.
        setenv("TZ", text, 1)
        tzset()
    }

    /// The instant of a local time.
    ///
    /// Of the two instants an hour set back has, the C library chooses one.
    func instantMilliseconds(localMilliseconds: Int64) -> Int64 {
        switch self {
        case .offset(let seconds): return localMilliseconds - Int64(seconds) * 1_000
        case .named:
            let wholeSeconds = Int(localMilliseconds / 1_000)
            var seconds = time_t(wholeSeconds)
            var parts = tm()
            gmtime_r(&seconds, &parts)
            parts.tm_isdst = -1
            return Int64(mktime(&parts)) * 1_000 + localMilliseconds % 1_000
        }
    }

    func instantMilliseconds(_ time: FileTime) -> Int64 {
        switch time {
        case .instant(let milliseconds): milliseconds
        case .local(let milliseconds): self.instantMilliseconds(localMilliseconds: milliseconds)
        }
    }
}
