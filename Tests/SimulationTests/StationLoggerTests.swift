import Simulation
import Testing

struct StationLoggerTests {
    private func logger(samples: Int, keeps: Bool = true) -> StationLogger {
        var logger = StationLogger(boot: "b1", keepsUntilStored: keeps)
        for index in 0..<Int64(samples) { logger.record(sample(at: index * 1_000, Quantity(1, decimals: 0))) }
        return logger
    }

    /// Sends and acknowledges everything; returns the seqs.
    private func sendAll(_ logger: inout StationLogger, nowMilliseconds: Int64 = 0, acknowledge: Bool = true) -> [Int64]
    {
        var seqs: [Int64] = []
        while let message = logger.nextMessage(nowMilliseconds: nowMilliseconds) {
            seqs.append(message.seq ?? -1)
            if acknowledge, let seq = message.seq { logger.acknowledged(seq: seq) }
        }
        return seqs
    }

    private func account(_ json: String) throws -> StoredAccount {
        try #require(Array(json.utf8).withUnsafeBytes { StoredAccount(json: $0) })
    }

    @Test func `seqs are given without gaps from 1 on`() {
        var logger = self.logger(samples: 5)
        #expect(self.sendAll(&logger) == [1, 2, 3, 4, 5])
    }

    @Test func `a PUBACK frees nothing for a device that waits for stored`() {
        var logger = self.logger(samples: 5)
        _ = self.sendAll(&logger)
        #expect(logger.keptCount == 5)
    }

    @Test func `a PUBACK frees a message for a device that does not`() {
        var logger = self.logger(samples: 5, keeps: false)
        _ = self.sendAll(&logger)
        #expect(logger.keptCount == 0)
    }

    @Test func `stored frees exactly what it allows, and gaps are sent again`() throws {
        var logger = self.logger(samples: 10)
        _ = self.sendAll(&logger)
        logger.stored(
            try self.account(
                #"{"at": 1, "boots": [{"boot": "b1", "from": 1, "through": 8, "gaps": [[3, 4], [6, 6]]}]}"#))
        // 1 and 2 are gone; 3 is the oldest kept, and 9 and 10 were not spoken of.
        #expect(logger.keptCount == 8)
        #expect(self.sendAll(&logger) == [3, 4, 6])
        #expect(logger.resentMessages == 3)
        logger.stored(try self.account(#"{"at": 2, "boots": [{"boot": "b1", "from": 1, "through": 8, "gaps": []}]}"#))
        #expect(logger.keptCount == 2)
        #expect(self.sendAll(&logger) == [])
    }

    @Test func `a message sent again carries the same samples`() throws {
        var logger = self.logger(samples: 1)
        let sent = logger.nextMessage(nowMilliseconds: 0)
        let first = try #require(sent)
        logger.acknowledged(seq: 1)
        logger.stored(try self.account(#"{"boots": [{"boot": "b1", "from": 1, "through": 1, "gaps": [[1, 1]]}]}"#))
        let resent = logger.nextMessage(nowMilliseconds: 0)
        let again = try #require(resent)
        guard case .samples(let before) = first.body, case .samples(let after) = again.body else {
            Issue.record("samples were sent")
            return
        }
        #expect(before == after && again.seq == 1)
    }

    @Test func `a gap that is still on its way is not sent twice`() throws {
        var logger = self.logger(samples: 3)
        _ = self.sendAll(&logger, acknowledge: false)
        logger.stored(try self.account(#"{"boots": [{"boot": "b1", "from": 1, "through": 3, "gaps": [[2, 2]]}]}"#))
        #expect(!logger.hasWork)
        logger.acknowledged(seq: 2)
        logger.stored(try self.account(#"{"boots": [{"boot": "b1", "from": 1, "through": 3, "gaps": [[2, 2]]}]}"#))
        #expect(self.sendAll(&logger) == [2])
    }

    @Test func `an account of another boot frees nothing`() throws {
        var logger = self.logger(samples: 3)
        _ = self.sendAll(&logger)
        logger.stored(try self.account(#"{"boots": [{"boot": "b0", "from": 1, "through": 99, "gaps": []}]}"#))
        #expect(logger.keptCount == 3)
    }

    @Test func `an account of more than was sent frees only what was sent`() throws {
        var logger = self.logger(samples: 3)
        _ = self.sendAll(&logger)
        logger.stored(
            try self.account(#"{"boots": [{"boot": "b1", "from": 1, "through": 9007199254740991, "gaps": []}]}"#))
        #expect(logger.keptCount == 0)
        #expect(logger.nextSeq == 4)
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"boots\": 1}", "{\"boots\": [{\"boot\": \"b1\"}]}", "{\"boots\": []} x",
        "{\"boots\": [{\"boot\": \"b1\", \"from\": 1, \"through\": 2, \"gaps\": [[2, 1]]}]}",
        "{\"boots\": [{\"boot\": \"b1\", \"from\": 1, \"through\": 1.5, \"gaps\": []}]}",
    ])
    func `an account that could be misunderstood is refused`(json: String) {
        #expect(Array(json.utf8).withUnsafeBytes { StoredAccount(json: $0) } == nil)
    }

    @Test func `what is older than ten minutes goes as batches of backlog, after the live samples`() throws {
        var logger = StationLogger(boot: "b1", keepsUntilStored: false)
        for minute in 0..<120 as Range<Int64> { logger.record(sample(at: minute * 60_000, Quantity(1, decimals: 0))) }
        let now: Int64 = 119 * 60_000
        var live: [Int64] = []
        var backlog: [Int] = []
        while let message = logger.nextMessage(nowMilliseconds: now) {
            guard case .samples(let samples) = message.body else { continue }
            if message.isBacklog(nowMilliseconds: now) {
                backlog.append(samples.count)
                #expect(samples.map(\.timeMilliseconds).sorted() == samples.map(\.timeMilliseconds))
            } else {
                #expect(backlog.isEmpty)
                live.append(samples[0].timeMilliseconds)
            }
        }
        #expect(live == (109...119).map { $0 * 60_000 })
        #expect(backlog == [50, 50, 9])
    }

    @Test func `a full memory gives up the oldest samples and counts them`() {
        var logger = self.logger(samples: StationLogger.samplesMax + 10)
        #expect(logger.lostSamples == 10)
        let first = logger.nextMessage(nowMilliseconds: 0)
        guard case .samples(let samples)? = first?.body else {
            Issue.record("a sample was to come")
            return
        }
        #expect(samples[0].timeMilliseconds == 10_000)
    }
}

struct BackfillTests {
    private func logger(samples: Int, resendsGaps: Bool = false) -> StationLogger {
        var logger = StationLogger(boot: "b1", keepsUntilStored: true, resendsGaps: resendsGaps)
        for index in 0..<Int64(samples) { logger.record(sample(at: index * 1_000, Quantity(1, decimals: 0))) }
        return logger
    }

    private func sendAll(_ logger: inout StationLogger) -> [OutgoingMessage] {
        var messages: [OutgoingMessage] = []
        while let message = logger.nextMessage(nowMilliseconds: 0) {
            messages.append(message)
            if let seq = message.seq { logger.acknowledged(seq: seq) }
        }
        return messages
    }

    private func stored(_ logger: inout StationLogger, through: Int, gaps: String) throws {
        let json = #"{"at": 1, "boots": [{"boot": "b1", "from": 1, "through": \#(through), "gaps": \#(gaps)}]}"#
        logger.stored(try #require(Array(json.utf8).withUnsafeBytes { StoredAccount(json: $0) }))
    }

    @Test func `a command is read, and anything else on its topic is none`() {
        func read(_ text: String) -> BackfillCommand? {
            Array(text.utf8).withUnsafeBytes { BackfillCommand(json: $0) }
        }
        let whole = #"{"id": "7", "kind": "backfill", "boot": "b1", "from": 1, "to": 2, "seqFrom": 4, "seqTo": 9}"#
        #expect(read(whole) == BackfillCommand(id: "7", boot: "b1", numbers: 4...9))
        #expect(read(#"{"id": "7", "kind": "backfill", "seqFrom": 4, "seqTo": 4}"#)?.boot == "")
        for text in [
            "", "{}", #"{"id": "7", "kind": "reboot", "seqFrom": 4, "seqTo": 9}"#,
            #"{"id": "7", "kind": "backfill", "seqFrom": 9, "seqTo": 4}"#,
        ] { #expect(read(text) == nil) }
    }

    @Test func `a device that waits for commands sends a gap again when it is asked, as history, oldest first`() throws
    {
        var logger = self.logger(samples: 9)
        _ = self.sendAll(&logger)
        try self.stored(&logger, through: 9, gaps: "[[3, 4], [6, 6]]")
        #expect(!logger.hasWork)
        let answer = logger.backfill(BackfillCommand(id: "7", boot: "b1", numbers: 3...6))
        // 5 is stored and was freed: it is told, and the service knows better.
        #expect(answer.json == #"{"id":"7","status":"partial","missing":[[5,5]]}"#)
        let again = self.sendAll(&logger)
        #expect(again.map(\.seq) == [3, 4, 6])
        #expect(again.allSatisfy { $0.isAsked && $0.isBacklog(nowMilliseconds: 0) })
        // Asked twice, it sends twice; the service knows what it has.
        #expect(logger.backfill(BackfillCommand(id: "7", boot: "b1", numbers: 3...4)).status == .sent)
        #expect(self.sendAll(&logger).map(\.seq) == [3, 4])
    }

    @Test func `what a device does not have it says`() {
        var logger = self.logger(samples: 3)
        _ = self.sendAll(&logger)
        #expect(
            logger.backfill(BackfillCommand(id: "1", boot: "b0", numbers: 1...3)).json
                == #"{"id":"1","status":"unknown"}"#)
        let beyond = logger.backfill(BackfillCommand(id: "2", boot: "b1", numbers: 2...8))
        #expect(beyond.status == .partial && beyond.missing == [4...8])
        #expect(logger.backfill(BackfillCommand(id: "3", boot: "b1", numbers: 90...99)).status == .unknown)
        #expect(!self.sendAll(&logger).isEmpty)
    }

    @Test func `what nobody spoke of is sent again, what is in a gap waits to be asked`() throws {
        var logger = self.logger(samples: 6)
        _ = self.sendAll(&logger)
        try self.stored(&logger, through: 4, gaps: "[[2, 2]]")
        logger.resendUnconfirmed()
        #expect(self.sendAll(&logger).map(\.seq) == [5, 6])
    }

    @Test func `a hole swallows a message that the device takes for sent`() {
        var rates = FaultRates()
        rates[.hole] = 1
        var faults = WireFaults(rates: rates, seed: 1)
        let message = OutgoingMessage(seq: 5, body: .samples([sample(at: 0, Quantity(1, decimals: 0))]))
        let leaving = faults.process(message, format: MessageFormat(parameters: [], boot: "b"))
        #expect(leaving.isEmpty)
        #expect(faults.takeLost() == [5])
        #expect(faults.takeLost().isEmpty && !faults.holdsMessages)
        let again = faults.process(message, format: MessageFormat(parameters: [], boot: "b"))
        #expect(again.map(\.seq) == [5], "what is sent again is not lost again")
    }
}
