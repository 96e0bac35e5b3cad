import Alerting
import Monitoring
import Testing
import TimeSeriesStore

@testable import Ingest

/// What a sequence of events leaves in the table of outages; times in seconds.
private struct OutageTable {
    private(set) var rows: [OutageRow] = []
    private(set) var run: ServiceRun?
    var state: OutageState?

    mutating func apply(_ change: OutageChange) {
        if change.sessionWasLost, let last = self.rows.last, last.endedMilliseconds == nil {
            self.rows[self.rows.count - 1] = Self.copy(last, sessionWasLost: true)
        }
        if let end = change.closing, let last = self.rows.last, last.endedMilliseconds == nil {
            self.rows[self.rows.count - 1] = Self.copy(last, ended: end.atMilliseconds, versionAfter: end.version)
        }
        if let row = change.opening { self.rows.append(row) }
        self.run = change.run ?? self.run
    }

    private static func copy(
        _ row: OutageRow, sessionWasLost: Bool? = nil, ended: Int64? = nil, versionAfter: String? = nil
    ) -> OutageRow {
        OutageRow(
            beganMilliseconds: row.beganMilliseconds, endedMilliseconds: ended ?? row.endedMilliseconds,
            cause: row.cause, detail: row.detail, sessionWasLost: sessionWasLost ?? row.sessionWasLost,
            versionBefore: row.versionBefore, versionAfter: versionAfter ?? row.versionAfter)
    }

    mutating func start(at now: Int64, version: String = "1", newest: Int64 = 0) {
        var state = OutageState(version: version, nowMilliseconds: now)
        self.apply(
            state.start(
                after: self.run, open: self.rows.last { $0.endedMilliseconds == nil },
                newestReceivedMilliseconds: newest, nowMilliseconds: now))
        self.state = state
    }

    mutating func observe(at now: Int64, since: Int64?, _ cause: OutageCause? = nil, lostSession: Bool = false) {
        guard var state = self.state else { return }
        self.apply(
            state.observe(
                since.map { Outage(fromMilliseconds: $0) }, standstill: cause.map { Standstill(cause: $0, detail: "") },
                sessionWasLost: lostSession, nowMilliseconds: now))
        self.state = state
    }

    mutating func stop(at now: Int64) {
        guard var state = self.state else { return }
        self.apply(state.stop(nowMilliseconds: now))
        self.state = state
    }

    /// `cause began-ended before→after`, `L` when the session was lost.
    var lines: [String] {
        self.rows.map {
            "\($0.cause.rawValue)\($0.sessionWasLost ? "L" : "") \($0.beganMilliseconds)-"
                + "\($0.endedMilliseconds.map { "\($0)" } ?? "") \($0.versionBefore ?? "?")→\($0.versionAfter ?? "")"
        }
    }

    var openCount: Int { self.rows.count { $0.endedMilliseconds == nil } }
}

struct OutageStateTests {
    @Test func `a new store was never read before`() {
        var table = OutageTable()
        table.start(at: 1_000)
        table.observe(at: 1_001, since: 1_000)
        table.observe(at: 1_100, since: nil)
        #expect(table.lines.isEmpty)
        #expect(table.run == ServiceRun(version: "1", startedMilliseconds: 1_000, aliveMilliseconds: 1_000))
    }

    @Test func `a stop and a crash are told apart, with the versions before and after`() {
        var table = OutageTable()
        table.start(at: 0)
        table.observe(at: 100, since: nil)
        table.stop(at: 200)
        #expect(table.lines == ["stopped 200- 1→"])
        table.start(at: 300, version: "2")
        table.observe(at: 400, since: 200)
        table.observe(at: 500, since: nil)
        #expect(table.lines == ["stopped 200-500 1→2"])
        // Killed without a word; the last frame came at 900.
        table.start(at: 2_000, version: "3", newest: 900)
        table.observe(at: 2_100, since: nil)
        #expect(table.lines == ["stopped 200-500 1→2", "crashed 900-2100 2→3"])
    }

    @Test func `an idle service that crashed was alive at its last sign of life`() {
        var table = OutageTable()
        table.start(at: 0)
        for now in stride(from: Int64(0), through: 130_000, by: 1_000) { table.observe(at: now, since: nil) }
        table.start(at: 500_000, newest: 10)
        #expect(table.lines == ["crashed 120000- 1→"])
    }

    @Test func `what stopped before this record was kept is told without a version`() {
        var table = OutageTable()
        table.start(at: 1_000, newest: 400)
        table.observe(at: 1_100, since: nil)
        #expect(table.lines == ["stopped 400-1100 ?→1"])
    }

    @Test func `a crash while catching up never leaves two open`() {
        var table = OutageTable()
        table.start(at: 0)
        table.observe(at: 10, since: nil)
        for attempt in 1...3 {
            table.start(at: Int64(attempt) * 1_000, newest: 50)
            table.observe(at: Int64(attempt) * 1_000 + 10, since: 50)
            #expect(table.openCount == 1)
        }
        table.observe(at: 4_000, since: nil)
        #expect(table.lines == ["crashed 50-4000 1→1"])
        // Stopped, started, crashed before it had caught up.
        table.stop(at: 5_000)
        table.start(at: 6_000)
        table.observe(at: 6_010, since: 5_000)
        table.start(at: 7_000)
        table.observe(at: 7_010, since: 5_000)
        table.observe(at: 8_000, since: nil)
        #expect(table.lines.suffix(2) == ["stopped 5000-6000 1→1", "crashed 6000-8000 1→1"])
    }

    @Test func `a broker that is away after a start has an outage of its own`() {
        var table = OutageTable()
        table.start(at: 0)
        table.observe(at: 10, since: nil)
        table.stop(at: 100)
        table.start(at: 200)
        table.observe(at: 210, since: 100)
        table.observe(at: 220, since: 100, .broker)
        table.observe(at: 230, since: 100, .broker, lostSession: true)
        table.observe(at: 300, since: nil, lostSession: true)
        #expect(table.lines == ["stopped 100-220 1→1", "brokerL 220-300 1→1"])
    }

    @Test func `a lost connection begins when it was lost, and a session lost just before the end is noted`() {
        var table = OutageTable()
        table.start(at: 0)
        table.observe(at: 10, since: nil)
        table.observe(at: 1_500, since: 1_400, .broker)
        table.observe(at: 2_000, since: nil, lostSession: true)
        #expect(table.lines == ["brokerL 1400-2000 1→1"])
    }

    @Test func `the connection we cut ourselves is not the broker's doing`() {
        var table = OutageTable()
        table.start(at: 0)
        table.observe(at: 10, since: nil)
        table.observe(at: 100, since: 100, .disk)
        table.observe(at: 200, since: 100, .broker)
        table.observe(at: 300, since: 100)
        table.observe(at: 400, since: nil)
        table.observe(at: 500, since: 500, .broker)
        table.observe(at: 600, since: 500, .store)
        table.observe(at: 700, since: 500, .clock)
        table.observe(at: 800, since: nil)
        #expect(
            table.lines == ["disk 100-400 1→1", "broker 500-600 1→1", "store 600-700 1→1", "clock 700-800 1→1"])
    }

    @Test func `a stop during an outage ends it and begins its own`() {
        var table = OutageTable()
        table.start(at: 0)
        table.observe(at: 10, since: nil)
        table.observe(at: 100, since: 100, .broker)
        table.stop(at: 200)
        #expect(table.lines == ["broker 100-200 1→1", "stopped 200- 1→"])
        table.start(at: 300)
        // Stopped again before it had caught up.
        table.stop(at: 400)
        #expect(table.lines == ["broker 100-200 1→1", "stopped 200- 1→"])
    }

    @Test func `what could not be written becomes one change that says as much as one row can`() {
        var pending = OutageChange()
        var state = OutageState(version: "1", nowMilliseconds: 0)
        _ = state.start(after: nil, open: nil, newestReceivedMilliseconds: 0, nowMilliseconds: 0)
        for (now, since, cause) in [
            (100, 100, OutageCause.broker), (200, 100, .store), (300, nil, nil), (400, 400, .broker), (500, nil, nil),
        ] as [(Int64, Int64?, OutageCause?)] {
            pending.append(
                state.observe(
                    since.map { Outage(fromMilliseconds: $0) },
                    standstill: cause.map { Standstill(cause: $0, detail: "") }, sessionWasLost: false,
                    nowMilliseconds: now))
        }
        #expect(pending.closing == nil)
        #expect(pending.opening?.beganMilliseconds == 100 && pending.opening?.endedMilliseconds == 500)
    }
}
