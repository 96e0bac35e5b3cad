import CMosquitto

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a session tells its owner, on the thread that drives it.
protocol BrokerClientDelegate: AnyObject {
    func brokerClient(_ client: BrokerClient, connected reasonCode: Int32, sessionPresent: Bool)
    func brokerClient(_ client: BrokerClient, subscribed granted: UnsafeBufferPointer<Int32>)
    /// The message is the library's: copy what is to be kept.
    func brokerClient(_ client: BrokerClient, received message: UnsafePointer<mosquitto_message>)
    /// The broker has what was published with QoS 1 under this packet number.
    func brokerClient(_ client: BrokerClient, published packet: Int32)
    func brokerClient(_ client: BrokerClient, disconnected reasonCode: Int32)
}

extension BrokerClientDelegate {
    func brokerClient(_ client: BrokerClient, published packet: Int32) {}
}

/// A failure of libmosquitto, in words.
package struct BrokerError: Error, Sendable, CustomStringConvertible {
    package let call: String
    package let code: Int32
    package let detail: String
    package var description: String { "\(self.call): \(self.detail)" }
}

/// libmosquitto's one initialisation, which is not thread-safe: a global is set up once.
private let libraryIsInitialised: Bool = mosquitto_lib_init() == Int32(MOSQ_ERR_SUCCESS.rawValue)

/// One session with the broker.
///
/// Not `Sendable`: one thread drives it, with its own `poll` loop.
///
/// With `withholdsAcknowledgements` the library queues PUBACKs until `flush`: libmosquitto writes at once only when its
/// threaded mode is off, and with it on waits for `mosquitto_loop_write`. While a batch is withheld nothing but
/// `readPacket` may be called: `mosquitto_loop` and `mosquitto_disconnect` send what is queued (measured).
final class BrokerClient {
    private let handle: OpaquePointer
    private let settings: BrokerSettings
    /// What OpenSSL said last; the library's own codes only say that there was something.
    private var encryptionProblem: String?
    /// Why the connection ended or never stood, in words; nil while nothing went wrong.
    private(set) var problem: String?
    weak var delegate: (any BrokerClientDelegate)?

    init(_ settings: BrokerSettings, clientID: String, cleanSession: Bool, withholdsAcknowledgements: Bool) throws {
        guard libraryIsInitialised, let handle = mosquitto_new(clientID, cleanSession, nil) else {
            throw BrokerError(call: "mosquitto_new", code: 0, detail: "client id \(clientID) was refused")
        }
        self.handle = handle
        self.settings = settings
        mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
        mosquitto_int_option(handle, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311)
        mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1)
        mosquitto_max_inflight_messages_set(handle, 0)
        mosquitto_threaded_set(handle, withholdsAcknowledgements)
        mosquitto_connect_with_flags_callback_set(handle) { _, context, code, flags in
            BrokerClient.of(context) { $0.listensToLibrary = false }
            BrokerClient.of(context) { $0.delegate?.brokerClient($0, connected: code, sessionPresent: flags & 1 == 1) }
        }
        mosquitto_subscribe_callback_set(handle) { _, context, _, count, granted in
            BrokerClient.of(context) {
                $0.delegate?.brokerClient($0, subscribed: UnsafeBufferPointer(start: granted, count: Int(count)))
            }
        }
        mosquitto_message_callback_set(handle) { _, context, message in
            guard let message else { return }
            BrokerClient.of(context) { $0.delegate?.brokerClient($0, received: message) }
        }
        mosquitto_publish_callback_set(handle) { _, context, packet in
            BrokerClient.of(context) { $0.delegate?.brokerClient($0, published: packet) }
        }
        mosquitto_disconnect_callback_set(handle) { _, context, code in
            BrokerClient.of(context) { $0.delegate?.brokerClient($0, disconnected: code) }
        }
        if let username = settings.username {
            try self.check("mosquitto_username_pw_set", mosquitto_username_pw_set(handle, username, settings.password))
        }
        if let authority = settings.certificateAuthorityFile {
            try self.check(
                "TLS (broker.tls)",
                mosquitto_tls_set(handle, authority, nil, settings.certificateFile, settings.keyFile, nil))
        }
    }

    deinit { mosquitto_destroy(self.handle) }

    @inline(__always)
    private static func of(_ context: UnsafeMutableRawPointer?, _ body: (BrokerClient) -> Void) {
        guard let context else { return }
        body(Unmanaged<BrokerClient>.fromOpaque(context).takeUnretainedValue())
    }

    /// Whether the library tells us what goes wrong; only until the session stands, as it would tell of every packet.
    private var listensToLibrary = false {
        didSet {
            guard self.listensToLibrary != oldValue else { return }
            guard self.listensToLibrary else { return mosquitto_log_callback_set(self.handle, nil) }
            mosquitto_log_callback_set(self.handle) { _, context, level, text in
                guard level == Int32(MOSQ_LOG_ERR), let text else { return }
                BrokerClient.of(context) { $0.note(String(cString: text)) }
            }
        }
    }

    private func note(_ text: String) {
        // "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed": its last part is for people.
        guard text.hasPrefix("OpenSSL Error"), let reason = text.split(separator: ":").last else { return }
        self.encryptionProblem = reason.trimmingPrefix { $0 == " " }.description
    }

    /// Notes why a call failed; false when it did.
    private func succeeds(_ code: Int32) -> Bool {
        guard code != Int32(MOSQ_ERR_SUCCESS.rawValue) else { return true }
        self.problem = self.words(code)
        return false
    }

    /// A code in words; with TLS naming the setting that may be wrong.
    private func words(_ code: Int32) -> String {
        if self.settings.certificateAuthorityFile != nil, let problem = self.encryptionProblem {
            let isOurs = problem.contains("alert")
            let setting = isOurs ? "broker.tls.certFile and broker.tls.keyFile" : "broker.tls.caFile"
            return "TLS: \(problem): \(isOurs ? "the broker refuses us" : "we refuse the broker"), check \(setting)"
        }
        return code == Int32(MOSQ_ERR_ERRNO.rawValue)
            ? String(cString: strerror(errno)) : String(cString: mosquitto_strerror(code))
    }

    private func check(_ call: String, _ code: Int32) throws {
        guard code != Int32(MOSQ_ERR_SUCCESS.rawValue) else { return }
        throw BrokerError(call: call, code: code, detail: self.words(code))
    }

    /// -1 when there is none.
    var socket: Int32 { mosquitto_socket(self.handle) }
    var wantsWrite: Bool { mosquitto_want_write(self.handle) }

    /// Sends a last will with the session.
    func setWill(topic: String, payload: String) throws {
        try self.check(
            "mosquitto_will_set",
            mosquitto_will_set(self.handle, topic, Int32(payload.utf8.count), payload, 1, true))
    }

    /// Opens the connection; the session stands when the delegate is told so.
    ///
    /// Blocks for the TCP connect.
    func connect() throws {
        self.encryptionProblem = nil
        self.problem = nil
        self.listensToLibrary = self.settings.certificateAuthorityFile != nil
        let code = mosquitto_connect(
            self.handle, self.settings.host, Int32(self.settings.port), Int32(self.settings.keepAliveSeconds))
        do { try self.check("connect", code) } catch let error as BrokerError {
            throw BrokerError(
                call: "broker \(self.settings.host):\(self.settings.port)", code: error.code, detail: error.detail)
        }
    }

    func subscribe(_ topics: [String]) throws {
        for topic in topics {
            try self.check("subscribe to \(topic)", mosquitto_subscribe(self.handle, nil, topic, 1))
        }
    }

    func unsubscribe(_ topics: [String]) throws {
        for topic in topics {
            try self.check("unsubscribe from \(topic)", mosquitto_unsubscribe(self.handle, nil, topic))
        }
    }

    /// Hands a message over; returns the number of its packet.
    @discardableResult
    func publish(topic: String, payload: [UInt8], retain: Bool, qos: Int32 = 1) throws -> Int32 {
        var packet: Int32 = 0
        try self.check(
            "publish to \(topic)",
            mosquitto_publish(self.handle, &packet, topic, Int32(payload.count), payload, qos, retain))
        return packet
    }

    /// Reads one packet if the socket holds one; false when the connection is gone.
    func readPacket() -> Bool { self.succeeds(mosquitto_loop_read(self.handle, 1)) }

    /// Sends everything that is queued, acknowledgements too; false when the connection is gone.
    ///
    /// libmosquitto writes packet by packet; the cork lets the kernel join them. Hundreds of PUBACKs in segments of 4
    /// bytes would cost both sides more than the messages did.
    func flush() -> Bool {
        guard self.wantsWrite else { return true }
        let descriptor = self.socket
        setCork(descriptor, true)
        defer { setCork(descriptor, false) }
        while mosquitto_want_write(self.handle) {
            // Once it has sent DISCONNECT and closed, the library takes what is left for written, again and again.
            guard self.socket >= 0 else { return false }
            errno = 0
            guard self.succeeds(mosquitto_loop_write(self.handle, 1)) else { return false }
            // A full socket: the rest leaves when `poll` says that there is room.
            if errno == EAGAIN || errno == EWOULDBLOCK { return true }
        }
        return true
    }

    /// Keep-alive; only when nothing is withheld.
    func keepAlive() -> Bool { mosquitto_loop_misc(self.handle) == Int32(MOSQ_ERR_SUCCESS.rawValue) }

    /// Says goodbye.
    ///
    /// Sends what is queued: only when nothing is withheld.
    func disconnect() {
        mosquitto_disconnect(self.handle)
        _ = self.flush()
    }

    /// Cuts the connection without sending anything: what was withheld will be delivered again.
    func cut() {
        let descriptor = self.socket
        if descriptor >= 0 { shutdown(descriptor, Int32(SHUT_RDWR)) }
        // The library closes its side when it has read what had arrived.
        while self.socket >= 0, mosquitto_loop_read(self.handle, 1) == Int32(MOSQ_ERR_SUCCESS.rawValue) {}
    }
}

/// Holds small writes of a socket back until it is set to false; of no consequence where the system has no such option.
private func setCork(_ socket: Int32, _ isOn: Bool) {
    #if canImport(Glibc)
    var value: Int32 = isOn ? 1 : 0
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    #endif
}
