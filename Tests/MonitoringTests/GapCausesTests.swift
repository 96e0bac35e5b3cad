import Monitoring
import Testing

/// Ten readings are missing in `[100, 200)`, one every ten seconds, a character each.
///
/// `o` is ours, `r` refused, `q` a hole in the numbering, `s` silent.
struct GapCausesTests {
    private func causes(_ evidence: GapEvidence, gap: Range<Int64> = 100..<200, missing: Int = 10) -> String {
        let pieces = evidence.explain(gap, missing: missing)
        #expect(pieces.first?.range.lowerBound == gap.lowerBound && pieces.last?.range.upperBound == gap.upperBound)
        for (left, right) in zip(pieces, pieces.dropFirst()) {
            #expect(left.range.upperBound == right.range.lowerBound)
        }
        return pieces.map { String(repeating: Self.letter($0.cause), count: $0.count) }.joined()
    }

    private static func letter(_ cause: GapCause) -> String {
        switch cause {
        case .outage: "o"
        case .refused: "r"
        case .sequence: "q"
        default: "s"
        }
    }

    private func evidence(
        outages: [Range<Int64>] = [], refused: [ClosedRange<Int64>] = [], holes: [ClosedRange<Int64>] = [],
        perMessage: Int = 1
    ) -> GapEvidence {
        var evidence = GapEvidence()
        evidence.outages = outages
        evidence.refusals = refused.map { Refusal(times: $0, reason: "not-json", isMessage: true) }
        evidence.holes = holes.map { SequenceHole(boot: [98], numbers: 1...2, times: $0) }
        evidence.readingsPerMessage = perMessage
        return evidence
    }

    @Test func `nothing known means that the device was silent`() {
        #expect(self.causes(self.evidence()) == "ssssssssss")
    }

    @Test func `an outage explains the readings that fell into it`() {
        #expect(self.causes(self.evidence(outages: [0..<1_000])) == "oooooooooo")
        #expect(self.causes(self.evidence(outages: [120..<140])) == "ssoossssss")
        // A reading stands for ten seconds: an outage in any of them is enough.
        #expect(self.causes(self.evidence(outages: [129..<131])) == "ssoossssss")
        #expect(self.causes(self.evidence(outages: [50..<100])) == "ssssssssss")
        #expect(self.causes(self.evidence(outages: [200..<300])) == "ssssssssss")
    }

    @Test func `each outage is told apart`() {
        let pieces = self.evidence(outages: [90..<120, 120..<150]).explain(100..<200, missing: 10)
        #expect(pieces.map(\.outage) == [0, 1, nil])
        #expect(pieces.map(\.count) == [2, 3, 5])
    }

    @Test func `what was refused takes the place of the reading nearest to it`() {
        #expect(self.causes(self.evidence(refused: [110...110, 124...124, 156...156])) == "srrsssrsss")
        #expect(self.causes(self.evidence(refused: [96...96, 199...199])) == "rssssssssr")
        #expect(self.causes(self.evidence(refused: [94...94, 200...200])) == "ssssssssss")
        #expect(self.causes(self.evidence(refused: [130...171])) == "sssrrrrrss")
    }

    @Test func `refusals are counted by reason`() {
        var evidence = self.evidence(refused: [110...110])
        evidence.refusals.append(Refusal(times: 111...111, reason: "empty", isMessage: true))
        evidence.refusals.append(Refusal(times: 119...119, reason: "empty", isMessage: true))
        let pieces = evidence.explain(100..<200, missing: 10)
        #expect(pieces.map(\.cause) == [.silent, .refused, .silent])
        #expect(pieces[1].refused == ["not-json": 1, "empty": 2])
    }

    @Test func `a hole explains what lies between its neighbours`() {
        #expect(self.causes(self.evidence(holes: [90...200])) == "qqqqqqqqqq")
        #expect(self.causes(self.evidence(holes: [130...160])) == "ssssqqssss")
        #expect(self.causes(self.evidence(holes: [0...100, 200...210])) == "ssssssssss")
        let unknown = SequenceHole(boot: [], numbers: 1...1, times: nil)
        var evidence = GapEvidence()
        evidence.holes = [unknown]
        #expect(self.causes(evidence) == "ssssssssss")
    }

    @Test func `ours comes before refused, refused before a hole`() {
        let all = self.evidence(outages: [100..<120], refused: [110...140], holes: [90...170])
        #expect(self.causes(all) == "oorrrqqsss")
    }

    @Test func `a message that carries many readings loses them all`() {
        // Five readings a message: the one sent at 150 carries those of 110 to 150.
        #expect(self.causes(self.evidence(refused: [151...151], perMessage: 5)) == "srrrrrssss")
        #expect(self.causes(self.evidence(outages: [150..<152], perMessage: 5)) == "sooooossss")
        #expect(self.causes(self.evidence(outages: [205..<220], perMessage: 5)) == "ssssssoooo")
    }

    @Test(arguments: 0..<300)
    func `any evidence gives what asking reading by reading gives`(number: Int) {
        let seed = TestSeed.random ?? UInt64.random(in: 0...UInt64.max)
        var random = SmallRandom(seed: seed)
        let missing = random.int(1...30)
        let each = Int64(random.int(1...9))
        let gap = Int64(500)..<Int64(500) + Int64(missing) * each
        func time() -> Int64 { Int64(random.int(400...900)) }
        func range() -> ClosedRange<Int64> {
            let start = time()
            return start...(start + Int64(random.int(0...3) == 0 ? random.int(0...120) : random.int(0...9)))
        }
        let evidence = self.evidence(
            outages: (0..<random.int(0...2)).map { _ in Range(range()) }.sorted { $0.lowerBound < $1.lowerBound },
            refused: (0..<random.int(0...3)).map { _ in range() }, holes: (0..<random.int(0...3)).map { _ in range() },
            perMessage: random.int(0...2) == 0 ? random.int(2...6) : 1)
        let expected = (0..<missing).map { Self.naive($0, gap, each, missing, evidence) }.joined()
        #expect(self.causes(evidence, gap: gap, missing: missing) == expected, "seed \(seed), \(gap), \(evidence)")
    }

    /// The cause of one missing reading, by looking at everything.
    private static func naive(
        _ slot: Int, _ gap: Range<Int64>, _ each: Int64, _ missing: Int, _ evidence: GapEvidence
    ) -> String {
        let measured = gap.lowerBound + Int64(slot) * each
        let exposed = measured..<(measured + each * Int64(evidence.readingsPerMessage))
        if evidence.outages.contains(where: { $0.overlaps(exposed) }) { return "o" }
        for refusal in evidence.refusals {
            // From the first to the last instant of it: whose reading is nearest?
            for time in refusal.times where time >= gap.lowerBound - each / 2 && time < gap.upperBound {
                let nearest = min(max((time + each / 2 - gap.lowerBound) / each, 0), Int64(missing) - 1)
                let first = nearest - Int64(evidence.readingsPerMessage) + 1
                if (first...nearest).contains(Int64(slot)) { return "r" }
            }
        }
        for hole in evidence.holes {
            guard let times = hole.times else { continue }
            if measured >= times.lowerBound + each / 2, measured < times.upperBound { return "q" }
        }
        return "s"
    }
}
