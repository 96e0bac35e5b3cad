import GRDB
import Monitoring
import Testing
import TimeSeriesStore

struct FrameTests {
    /// Reads a frame back into what a test sends.
    private func decoded(_ bytes: UnsafeRawBufferPointer) throws -> TestFrame {
        var reader = try FrameReader(bytes, sequence: 7)
        var frame = TestFrame(receivedMilliseconds: reader.header.receivedMilliseconds, messages: [])
        while let message = try reader.nextMessage() {
            var found = TestMessage(station: message.station, sequence: message.sequence)
            found.boot = String(decoding: message.boot, as: UTF8.self)
            found.isQoS0 = message.flags.contains(.qos0)
            found.isDeadLetter = message.flags.contains(.deadLetter)
            found.quarantinedCount = message.quarantinedCount
            for _ in 0..<message.sampleCount {
                let sample = try reader.nextSample()
                var readings: [TestReading] = []
                for _ in 0..<sample.readingCount {
                    let reading = try reader.nextReading()
                    readings.append(TestReading(series: reading.series, value: reading.value, status: reading.status))
                }
                found.samples.append(TestSample(timeMilliseconds: sample.timeMilliseconds, readings: readings))
            }
            frame.messages.append(found)
        }
        return frame
    }

    private func registry() throws -> Registry {
        let store = try TestStore()
        try store.importStations()
        return store.writer.registry
    }

    @Test(arguments: TestSeeds.fromEnvironmentOrRandom(4))
    func `what is written into a frame is read from it`(seed: UInt64) throws {
        var traffic = Traffic(try self.registry(), seed: seed)
        let writer = FrameWriter()
        for frame in traffic.frames(Traffic.Plan(samples: 1...200, contradictions: 10)) {
            frame.write(to: writer)
            let header = FrameHeader(
                kind: .messages, receivedMilliseconds: frame.receivedMilliseconds, outageFromMilliseconds: 11,
                outageToMilliseconds: 1 << 41)
            let found = try writer.withFrame(header) { bytes in
                let reader = try FrameReader(bytes, sequence: 1)
                #expect(reader.header.outageFromMilliseconds == 11 && reader.header.outageToMilliseconds == 1 << 41)
                #expect(reader.header.messageCount == frame.messages.count)
                return try self.decoded(bytes)
            }
            #expect("\(found)" == "\(frame)", "seed \(seed)")
        }
    }

    @Test func `a buffer grows with a frame of a million readings`() throws {
        let writer = FrameWriter()
        let sample = TestSample(
            timeMilliseconds: 5, readings: (0..<1_000).map { TestReading(series: Int32(1_000 - $0), value: Double($0)) }
        )
        let frame = TestFrame(
            receivedMilliseconds: 9,
            messages: (0..<300).map { _ in TestMessage(station: 1, boot: "", samples: [sample]) })
        frame.write(to: writer)
        #expect(writer.readingCount == 300_000 && writer.messageCount == 300)
        let found = try writer.withFrame(FrameHeader(kind: .messages, receivedMilliseconds: 9)) {
            try self.decoded($0)
        }
        #expect(found.messages.count == 300)
        #expect(found.messages[299].samples[0].readings[999].value == 999)
    }

    @Test func `every flipped bit and every torn end is noticed`() throws {
        let writer = FrameWriter()
        let frame = TestFrame(
            receivedMilliseconds: TestStations.baseMilliseconds,
            messages: [
                TestMessage(
                    station: 3, sequence: 4_711, boot: "b1",
                    samples: [
                        TestSample(
                            timeMilliseconds: TestStations.baseMilliseconds - 5_000,
                            readings: [
                                TestReading(series: 9, value: 31.4),
                                TestReading(series: 2, value: -0.0, status: .fault),
                            ])
                    ])
            ])
        frame.write(to: writer)
        var bytes = writer.withFrame(FrameHeader(kind: .messages, receivedMilliseconds: 0)) { Array($0) }
        for bit in 0..<(bytes.count * 8) {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: FrameError.self, "bit \(bit)") {
                try bytes.withUnsafeBytes { _ = try FrameReader($0, sequence: 1) }
            }
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        for count in 0..<bytes.count {
            #expect(throws: FrameError.self, "\(count) bytes") {
                try bytes[..<count].withUnsafeBytes { _ = try FrameReader($0, sequence: 1) }
            }
        }
        _ = try bytes.withUnsafeBytes { try self.decoded($0) }
    }

    @Test(arguments: ["flipped", "torn", "empty"])
    func `a damaged frame is reported and the rest is served`(damage: String) throws {
        let store = try TestStore()
        try store.importStations()
        let series = store.series("hcm-1", "PM10")
        let base = TestStations.baseMilliseconds
        for index in 0..<5 { try store.commit(series, [(base + Int64(index) * 1_000, Double(index))]) }
        store.close()
        let queue = try DatabaseQueue(path: store.path)
        try queue.write { database in
            let change = [
                "flipped": "substr(frame, 1, 40) || x'00' || substr(frame, 42)", "torn": "substr(frame, 1, 50)",
            ]
            try database.execute(
                sql: "UPDATE journal SET frame = CAST(\(change[damage] ?? "x''") AS BLOB) WHERE seq = 3")
        }
        try queue.close()

        try store.open()
        #expect(store.writer.damagedFrames.map(\.sequence) == [3])
        let found = try store.reader.readings(of: series, from: base, to: base + 10_000, limit: 10).map(\.value)
        #expect(found == [0, 1, 3, 4])
        #expect(try store.commit(series, [(base + 2_000, 2)]).sequence == 6)
        try store.writer.mergeEverything(nowMilliseconds: base)
        try store.writer.foldLedger(alertSnapshot: [])
        _ = try store.writer.trimJournal()
        try store.reopen()
        #expect(store.writer.damagedFrames.isEmpty && store.writer.journalFrames == 0)
        let all = try store.reader.readings(of: series, from: base, to: base + 10_000, limit: 10).map(\.value)
        #expect(all == [0, 1, 2, 3, 4])
    }
}
