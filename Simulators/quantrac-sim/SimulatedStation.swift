import Monitoring
import Simulation

/// One station as the program runs it: its names in bytes, its logger and its faults.
final class SimulatedStation {
    /// Where messages go and in which form.
    enum Route {
        /// Live on `…/telemetry`; what is older than ten minutes as `samples` on `…/history`.
        case byAge
        /// All on one topic, in the form that fits the number of samples.
        case fixed(history: Bool)
    }

    let index: Int
    let plan: StationPlan
    let format: MessageFormat
    let truthFormat: TruthFormat
    let route: Route
    var logger: StationLogger
    var sampleFaults: SampleFaults
    var wireFaults: WireFaults
    /// Whether it stands in its link's queue of stations with something to send.
    var isQueued = false

    private let telemetryTopic: [CChar]
    private let historyTopic: [CChar]
    let storedTopic: String
    let commandTopic: String
    let responseTopic: [CChar]
    let statusTopic: String

    init(
        index: Int, plan: StationPlan, run: RunOptions, boot: String, keepsUntilStored: Bool, resendsGaps: Bool = true,
        route: Route
    ) {
        self.index = index
        self.plan = plan
        self.route = route
        self.format = MessageFormat(parameters: plan.parameters, boot: boot)
        self.truthFormat = TruthFormat(station: plan.id, parameters: plan.parameters)
        self.logger = StationLogger(boot: boot, keepsUntilStored: keepsUntilStored, resendsGaps: resendsGaps)
        let seeds = NoiseField(seed: run.seed).derived(UInt64(7_000_000 + index))
        self.sampleFaults = SampleFaults(rates: run.faults, seed: seeds.bits(1, 0))
        self.wireFaults = WireFaults(rates: run.faults, seed: seeds.bits(2, 0))
        let base = "\(run.topicPrefix)/\(plan.id.text)"
        self.telemetryTopic = Array("\(base)/telemetry".utf8CString)
        self.historyTopic = Array("\(base)/history".utf8CString)
        self.storedTopic = "\(base)/stored"
        self.commandTopic = "\(base)/command"
        self.responseTopic = Array("\(base)/response".utf8CString)
        self.statusTopic = "\(base)/status"
    }

    /// Writes a message as it is to be sent now, and returns its topic.
    func render(_ message: OutgoingMessage, nowMilliseconds: Int64, into bytes: inout [UInt8]) -> [CChar] {
        bytes.removeAll(keepingCapacity: true)
        switch message.body {
        case .unreadable(let damaged, _, _):
            bytes.append(contentsOf: damaged)
            return self.telemetryTopic
        case .samples(let samples):
            let isBacklog: Bool
            let isHistory: Bool
            switch self.route {
            case .byAge:
                isBacklog = message.isBacklog(nowMilliseconds: nowMilliseconds)
                isHistory = isBacklog
            case .fixed(let history):
                isBacklog = samples.count > 1
                isHistory = history
            }
            if !isBacklog, let sample = samples.first, samples.count == 1 {
                self.format.appendLive(sample, seq: message.seq, to: &bytes)
            } else {
                self.format.appendSamples(samples, seq: message.seq, to: &bytes)
            }
            return isHistory ? self.historyTopic : self.telemetryTopic
        }
    }
}

/// What all kinds of run share.
struct RunOptions {
    var seed: UInt64
    var topicPrefix: String
    var faults: FaultRates
}
