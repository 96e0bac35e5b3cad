/// What a station is asked about numbers that are missing.
package struct BackfillRequest: Sendable, Hashable {
    /// How far it has come.
    package enum State: String, Sendable {
        case asked
        /// The device said something; what it sent may still be on its way.
        case answered
        case filled
        case lost
    }

    /// Its name in commands and responses.
    package let id: Int64
    package let station: Int32
    package let boot: [UInt8]
    /// What it is about; some numbers in it may have arrived.
    package let numbers: ClosedRange<Int64>
    /// The device times it lies between, ms; nil when they are not known.
    package let times: ClosedRange<Int64>?
    package let noticedMilliseconds: Int64
    /// When it was last asked, and how often it was.
    package var askedMilliseconds: Int64
    package var attempts: Int
    /// When to ask again or to give up.
    package var dueMilliseconds: Int64
    package var state: State
    /// What the device said last, or why nothing more is expected.
    package var answer: String?
    /// When it was filled or declared lost.
    package var resolvedMilliseconds: Int64?

    package init(
        id: Int64, station: Int32, boot: [UInt8], numbers: ClosedRange<Int64>, times: ClosedRange<Int64>?,
        noticedMilliseconds: Int64, askedMilliseconds: Int64, attempts: Int, dueMilliseconds: Int64, state: State,
        answer: String? = nil, resolvedMilliseconds: Int64? = nil
    ) {
        self.id = id
        self.station = station
        self.boot = boot
        self.numbers = numbers
        self.times = times
        self.noticedMilliseconds = noticedMilliseconds
        self.askedMilliseconds = askedMilliseconds
        self.attempts = attempts
        self.dueMilliseconds = dueMilliseconds
        self.state = state
        self.answer = answer
        self.resolvedMilliseconds = resolvedMilliseconds
    }
}

/// Numbers of a boot that nobody will send any more.
package struct LostNumbers: Sendable, Hashable {
    package let station: Int32
    package let boot: [UInt8]
    package let numbers: ClosedRange<Int64>

    package init(station: Int32, boot: [UInt8], numbers: ClosedRange<Int64>) {
        self.station = station
        self.boot = boot
        self.numbers = numbers
    }
}

/// What is written about requests in one transaction.
package struct BackfillChange: Sendable, Equatable {
    /// New and changed requests, as they are now.
    package var requests: [BackfillRequest] = []
    /// The commands that go with them.
    package var commands: [OutboxMessage] = []
    package var lost: [LostNumbers] = []

    package init() {}

    package var isEmpty: Bool { self.requests.isEmpty && self.commands.isEmpty && self.lost.isEmpty }

    package static func += (lhs: inout BackfillChange, rhs: BackfillChange) {
        lhs.requests += rhs.requests
        lhs.commands += rhs.commands
        lhs.lost += rhs.lost
    }
}

/// A station with numbers missing, or with requests about some.
package struct StationAccounts: Sendable {
    package let station: Int32
    package let accounts: [SequenceAccount]
    /// When its last message was received, ms; 0 when nothing is known.
    package let heardMilliseconds: Int64

    package init(station: Int32, accounts: [SequenceAccount], heardMilliseconds: Int64) {
        self.station = station
        self.accounts = accounts
        self.heardMilliseconds = heardMilliseconds
    }
}
