import Monitoring
import Testing

/// A station that reports every minute, told as marbles of five minutes each: `.` heard and fresh, `_` nothing, `d` heard
/// while the second instrument is dead, `x` its last will, `o` online again, `=` we are away.
private func troubles(_ marbles: String, restartAt: Set<Int> = [], interval: Int64? = 60_000) -> String {
    let step: Int64 = 5 * 60_000
    var life = StationLife(
        intervalMilliseconds: interval, online: nil, onlineChangedMilliseconds: 0, heardMilliseconds: 0,
        newestMilliseconds: [-1, -1])
    var watch = StationWatch()
    var back: Int64? = 0
    var line = ""
    for (index, marble) in marbles.enumerated() {
        let now = Int64(index + 1) * step
        switch marble {
        case ".":
            life.heardMilliseconds = now
            life.newestMilliseconds = [now, now]
        case "d":
            life.heardMilliseconds = now
            life.newestMilliseconds[0] = now
        case "h":
            // Back-filled: heard now, measured long ago.
            life.heardMilliseconds = now
        case "x", "o":
            life.online = marble == "o"
            life.onlineChangedMilliseconds = now
        default: break
        }
        if marble == "=" { back = nil } else if back == nil { back = now }
        if restartAt.contains(index) { watch = StationWatch(open: watch.open) }
        let changes = watch.look(life, nowMilliseconds: now, backMilliseconds: back)
        let letters: [String] = changes.map {
            switch $0 {
            case .raised(.offline, _, _): "F"
            case .raised(.silent, _, _): "S"
            case .raised(.stale, _, _): "T"
            case .cleared(.offline): "f"
            case .cleared(.silent): "s"
            case .cleared(.stale): "t"
            }
        }
        line += letters.isEmpty ? "-" : letters.joined()
    }
    return line
}

@Suite struct StationLifeTests {
    @Test(arguments: [
        ("..._____..", "-----S--s-"),
        // A link that comes back within the grace is nobody's business, with or without a word of it.
        ("..xo..", "------"), ("..x_.", "-----"),
        // A message clears it, too: whoever sends has a link.
        ("..x___", "----FS-"), ("..x__.", "----FSfs"),
        // One instrument is dead while the device sends.
        ("..dddd..", "----T-t-"),
        // A silent device is not stale as well, and staleness waits for life.
        ("..ddd____d.", "----T--S-st"),
        // What is back-filled makes nothing fresh, but the device is alive.
        ("..hhhhh.", "----T--t"),
    ])
    func `link, device and parameters are three things`(marbles: String, expected: String) {
        #expect(troubles(marbles) == expected)
    }

    @Test func `nothing is raised before we are caught up, nor within a grace after we came back`() {
        #expect(troubles("..========____") == "-------------S")
        #expect(troubles("..x=======___.") == "------------Ff")
    }

    @Test func `what is open when we go stays open until there is life`() {
        #expect(troubles("..___===_____.") == "----S--------s")
        #expect(troubles("..____===_____.") == "----S---------s")
    }

    @Test(arguments: ["..._____..", "..ddd____d.", "..x____..", "..========____.."])
    func `a restart at any moment neither raises nor clears anything`(marbles: String) {
        let expected = troubles(marbles)
        for index in 0..<marbles.count { #expect(troubles(marbles, restartAt: [index]) == expected, "at \(index)") }
        #expect(troubles(marbles, restartAt: Set(0..<marbles.count)) == expected)
    }

    @Test func `of a station without an interval nothing is due`() {
        #expect(troubles("..________", interval: nil) == "----------")
        #expect(StationLife.silentAfter(intervalMilliseconds: 60_000) == 600_000)
        #expect(StationLife.silentAfter(intervalMilliseconds: 3_600_000) == 10_800_000)
    }
}
