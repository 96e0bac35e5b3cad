import Monitoring
import Testing

private let base: Int64 = 1_795_420_800_000

private func correction(
    _ id: Int64, _ kind: Correction.Kind, from: Int64 = base, to: Int64 = base + 100, revokedAt: Int64? = nil
) -> Correction {
    Correction(
        id: id, series: 1, fromMilliseconds: from, toMilliseconds: to, kind: kind, who: "Lan", why: "test",
        madeMilliseconds: 10 * id, change: id,
        revocation: revokedAt.map { .init(who: "Minh", why: "wrong", atMilliseconds: $0, change: 99) })
}

private func scale(_ factor: Double, _ offset: Double = 0, to end: (Double, Double)? = nil) -> Correction.Kind {
    .scale(.init(factor: factor, offset: offset, endFactor: end?.0 ?? factor, endOffset: end?.1 ?? offset))
}

private func reading(_ time: Int64, _ value: Double, _ status: Status = .measuring) -> Reading {
    Reading(timeMilliseconds: time, value: value, status: status, receivedSeconds: 7)
}

private func corrected(
    _ value: Double, at time: Int64 = base, _ corrections: [Correction], method: Rollup.Method = .plain,
    status: Status = .measuring
) -> Reading {
    SeriesCorrections(corrections, change: 1).corrected(reading(time, value, status), method: method)
}

private func series(kind: SeriesKind = .gauge, isDirection: Bool = false) throws -> Series {
    Series(
        number: 1, stationIndex: 0, parameter: try #require(ParameterID("X")), unit: Dated("t"), kind: kind,
        isDirection: isDirection)
}

@Suite struct CorrectionTests {
    @Test func `an invalid reading keeps its value and enters no mean`() {
        let found = corrected(31.4, [correction(1, .invalidate(.invalidated))])
        #expect(found.value == 31.4 && found.status.description == "INV" && found.receivedSeconds == 7)
        var rollup = Rollup()
        rollup.add(found.value, status: found.status, atMilliseconds: base, method: .plain)
        #expect(rollup.n == 1 && rollup.nValid == 0)
    }

    @Test func `a replaced value measures, whatever it was`() {
        let found = corrected(31.4, [correction(1, .replace(-0.0, .measuring))], status: .fault)
        #expect(found.value.bitPattern == (-0.0).bitPattern && found.status == .measuring)
    }

    @Test(arguments: [(base - 1, 2.0), (base, 4.0), (base + 99, 4.0), (base + 100, 2.0)] as [(Int64, Double)])
    func `the time of a correction is half-open`(time: Int64, expected: Double) {
        #expect(corrected(2, at: time, [correction(1, scale(2))]).value == expected)
    }

    @Test(arguments: [(base, 10.0), (base + 50, 15.0), (base + 25, 12.5)] as [(Int64, Double)])
    func `drift goes in a straight line from the start of the range to its end`(time: Int64, expected: Double) {
        #expect(corrected(10, at: time, [correction(1, scale(1, to: (2, 0)))]).value == expected)
        #expect(corrected(0, at: time, [correction(1, scale(1, 10, to: (1, 20)))]).value == expected)
    }

    @Test func `what overlaps is applied in the order in which it was made`() {
        let twice = correction(1, scale(2))
        let plusOne = correction(2, scale(1, 1), from: base - 50)
        #expect(corrected(10, [twice, plusOne]).value == 21)
        // The list's order does not matter, the numbers do.
        #expect(corrected(10, [plusOne, twice]).value == 21)
        #expect(corrected(10, [correction(3, scale(2)), plusOne]).value == 22)
        let valid = corrected(1, [correction(1, .invalidate(.fault)), correction(2, .replace(5, .measuring))])
        #expect(valid.value == 5 && valid.status == .measuring)
        let invalid = corrected(1, [correction(1, .replace(5, .measuring)), correction(2, .invalidate(.fault))])
        #expect(invalid.value == 5 && invalid.status == .fault)
    }

    @Test func `a scale changes readings of every status and leaves the status`() {
        let found = corrected(10, [correction(1, scale(0.5, -1))], status: .calibrating)
        #expect(found.value == 4 && found.status == .calibrating)
    }

    @Test func `what is no finite number any more keeps its value and becomes invalid`() {
        let found = corrected(1e200, [correction(1, scale(1e200))])
        #expect(found.value == 1e200 && found.status == .invalidated)
    }

    @Test(arguments: [(350.0, 20.0, 10.0), (10, -20, 350), (0, -1e-20, 0), (0, 360, 0), (90, -720, 90)])
    func `a direction is turned modulo 360`(value: Double, offset: Double, expected: Double) {
        #expect(corrected(value, [correction(1, scale(1, offset))], method: .direction).value == expected)
    }

    @Test func `a remark changes nothing`() {
        let corrections = SeriesCorrections([correction(1, .annotate("smoke"))], change: 1)
        #expect(corrections.isEmpty && corrections.all.count == 1)
        #expect(!corrections.touch(from: .min, to: .max))
        #expect(corrections.corrected(reading(base, 3), method: .plain) == reading(base, 3))
    }

    @Test func `a correction is in force from its making until it is revoked`() {
        let one = correction(2, scale(2), revokedAt: 50)
        #expect([19, 20, 49, 50, 51].map { one.isInForce(atMilliseconds: $0) } == [false, true, true, false, false])
        #expect(correction(2, scale(2)).isInForce(atMilliseconds: .max))
    }

    @Test func `the time that corrections touch is their union`() {
        let corrections = SeriesCorrections(
            [
                correction(1, scale(2), from: 50, to: 60), correction(2, scale(2), from: 10, to: 30),
                correction(3, scale(2), from: 30, to: 40), correction(4, scale(2), from: 12, to: 15),
                correction(5, .annotate("x"), from: 0, to: 1_000),
            ], change: 1)
        for from in 0..<70 as Range<Int64> {
            for to in (from + 1)...71 {
                let expected = (from..<to).contains { (10..<40).contains($0) || (50..<60).contains($0) }
                #expect(corrections.touch(from: from, to: to) == expected, "\(from)..<\(to)")
            }
        }
    }

    @Test func `a form says what it was made of`() throws {
        let kinds: [Correction.Kind] = [
            .invalidate(.fault), .replace(-1.5, .calibrating), scale(1.02, -3, to: (1.04, 0)), .annotate("Khói"),
        ]
        for kind in kinds { #expect(try CorrectionForm(kind).understood() == kind) }
        #expect(try CorrectionForm(kind: "invalidate").understood() == .invalidate(.invalidated))
        #expect(try CorrectionForm(kind: "replace", value: 2).understood() == .replace(2, .measuring))
        #expect(try CorrectionForm(kind: "scale", factor: 2, offset: 1).understood() == scale(2, 1))
    }

    @Test(arguments: [
        (CorrectionForm(kind: "invalidate", status: "00"), "00"), (CorrectionForm(kind: "replace"), "value"),
        (CorrectionForm(kind: "replace", value: .infinity), "finite"), (CorrectionForm(kind: "scale"), "factor"),
        (CorrectionForm(kind: "scale", factor: 0), "replace"), (CorrectionForm(kind: "annotate", note: ""), "text"),
        (CorrectionForm(kind: "invalidate", status: "a b"), "letters"), (CorrectionForm(kind: "erase"), "invalidate"),
        (CorrectionForm(kind: "scale", factor: 1, endFactor: .nan), "finite"),
    ])
    func `an impossible form says what is allowed`(form: CorrectionForm, allowed: String) {
        let error = #expect(throws: CorrectionProblem.self) { try form.understood() }
        #expect(error?.description.contains(allowed) == true, "\(error?.description ?? "")")
    }

    @Test func `counters are not scaled and directions only turned`() throws {
        let counter = try series(kind: .counter)
        let direction = try series(isDirection: true)
        #expect(throws: CorrectionProblem.self) { try scale(0.9).check(for: counter) }
        #expect(throws: CorrectionProblem.self) { try scale(0.9).check(for: direction) }
        #expect(throws: CorrectionProblem.self) { try scale(1, to: (2, 0)).check(for: direction) }
        #expect(throws: CorrectionProblem.self) { try Correction.Kind.replace(361, .measuring).check(for: direction) }
        try scale(1, -12).check(for: direction)
        try Correction.Kind.replace(7, .measuring).check(for: counter)
        try Correction.Kind.invalidate(.invalidated).check(for: counter)
        try scale(0.9, 3).check(for: try series(kind: .sum))
    }
}
