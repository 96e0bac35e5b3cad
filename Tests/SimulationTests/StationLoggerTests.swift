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
