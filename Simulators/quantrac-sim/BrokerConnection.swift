import CMosquitto

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why there is no connection, in words for the operator.
struct BrokerError: Error, CustomStringConvertible {
    let description: String
}

/// How to reach the broker as one client.
struct ClientIdentity {
    let clientID: String
    let username: String?
    let password: String?
    /// Published by the broker when the connection breaks: topic and retained payload.
    let will: (topic: String, payload: String)?
}

/// libmosquitto wants to be initialised once per process, and not from two threads: a global is.
private let libraryStatus: Int32 = mosquitto_lib_init()

/// One connection to the broker, from CONNECT to its end; a new one is made after each break.
///
/// All calls come from one thread. Nothing is sent but in `flush()`: publishing only queues, so that many small
/// messages leave in few large segments. What is unacknowledged when it breaks belongs to the owner, who sends it
/// again.
final class BrokerConnection {
    /// What callbacks have brought since the owner last looked.
    private(set) var acknowledged: [Int32] = []
    private(set) var arrived: [(topic: String, payload: [UInt8])] = []
    /// Nil until the broker has answered the CONNECT.
    private(set) var isAccepted = false
    private(set) var refusal: String?

    private let handle: OpaquePointer

    init(_ identity: ClientIdentity) throws(BrokerError) {
        guard libraryStatus == MOSQ_ERR_SUCCESS.rawValue else {
            throw BrokerError(description: "libmosquitto could not be initialised")
        }
        guard let handle = mosquitto_new(identity.clientID, true, nil) else {
            throw BrokerError(description: "libmosquitto has no memory for a client")
        }
        self.handle = handle
        mosquitto_user_data_set(handle, Unmanaged.passUnretained(self).toOpaque())
        // "This function tells the library that you are using threads": publishing then queues and never writes.
        mosquitto_threaded_set(handle, true)
        // 0 is "no limit": our own window decides, and libmosquitto never holds a message back.
        mosquitto_max_inflight_messages_set(handle, 0)
        mosquitto_int_option(handle, MOSQ_OPT_TCP_NODELAY, 1)
        mosquitto_connect_callback_set(handle, whenConnected)
        mosquitto_publish_callback_set(handle, whenPublished)
        mosquitto_message_callback_set(handle, whenArrived)
        if let username = identity.username { mosquitto_username_pw_set(handle, username, identity.password) }
        if let will = identity.will {
            let payload = Array(will.payload.utf8)
            mosquitto_will_set(handle, will.topic, Int32(payload.count), payload, 1, true)
        }
    }

    deinit { mosquitto_destroy(self.handle) }

    /// Opens the socket and queues CONNECT; the answer shows in `isAccepted` or `refusal`.
    func open(host: String, port: Int) throws(BrokerError) {
        errno = 0
        let status = mosquitto_connect(self.handle, host, Int32(port), Limits.keepAliveSeconds)
        guard status != MOSQ_ERR_SUCCESS.rawValue else { return }
        throw BrokerError(description: "\(host):\(port): \(words(status))")
    }

    /// Nil when the connection is broken.
    var socket: Int32? {
        let socket = mosquitto_socket(self.handle)
        return socket >= 0 ? socket : nil
    }

    var wantsToWrite: Bool { mosquitto_want_write(self.handle) }

    /// Queues a message and returns its packet identifier.
    func publish(topic: [CChar], payload: [UInt8], retain: Bool) throws(BrokerError) -> Int32 {
        var identifier: Int32 = 0
        try self.check(
            mosquitto_publish(self.handle, &identifier, topic, Int32(payload.count), payload, 1, retain))
        return identifier
    }

    func subscribe(_ topic: String) throws(BrokerError) {
        try self.check(mosquitto_subscribe(self.handle, nil, topic, 1))
    }

    /// Writes what is queued, as far as the socket takes it.
    func flush() throws(BrokerError) {
        guard let socket = self.socket, self.wantsToWrite else { return }
        // libmosquitto writes packet by packet; the cork lets the kernel join them.
        setCork(socket, true)
        defer { setCork(socket, false) }
        try self.check(mosquitto_loop_write(self.handle, 1))
    }

    /// Reads until the socket is dry.
    func receive() throws(BrokerError) {
        repeat {
            try self.check(mosquitto_loop_read(self.handle, 1))
        } while self.isReadable
    }

    /// Keep-alive.
    func tick() throws(BrokerError) { try self.check(mosquitto_loop_misc(self.handle)) }

    /// Says goodbye, so that the broker does not publish the will.
    func disconnect() {
        mosquitto_disconnect(self.handle)
        mosquitto_loop_write(self.handle, 1)
    }

    /// The owner has dealt with the acknowledgements.
    func forgetAcknowledged() { self.acknowledged.removeAll(keepingCapacity: true) }

    func takeArrived() -> [(topic: String, payload: [UInt8])] {
        defer { self.arrived = [] }
        return self.arrived
    }

    private var isReadable: Bool {
        guard let socket = self.socket else { return false }
        var request = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) > 0
    }

    private func check(_ status: Int32) throws(BrokerError) {
        guard status != MOSQ_ERR_SUCCESS.rawValue else { return }
        throw BrokerError(description: words(status))
    }

    fileprivate func connected(_ status: Int32) {
        self.isAccepted = status == 0
        if status != 0 { self.refusal = connackWords(status) }
    }

    fileprivate func published(_ identifier: Int32) { self.acknowledged.append(identifier) }

    fileprivate func received(_ message: mosquitto_message) {
        guard let topic = message.topic else { return }
        // The memory is the library's and goes when the callback returns.
        let payload = Array(UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen)))
        self.arrived.append((String(cString: topic), payload))
    }
}

private func words(_ status: Int32) -> String {
    if status == MOSQ_ERR_ERRNO.rawValue { return String(cString: strerror(errno)).lowercased() }
    var words = String(cString: mosquitto_strerror(status)).lowercased()
    if words.hasSuffix(".") { words.removeLast() }
    return words
}

private func connackWords(_ status: Int32) -> String {
    switch status {
    case 4: "bad user name or password"
    case 5: "not authorised: wrong user name or password, or not allowed here"
    default: String(cString: mosquitto_connack_string(status)).lowercased()
    }
}

private func setCork(_ socket: Int32, _ isOn: Bool) {
    #if canImport(Glibc)
    var value: Int32 = isOn ? 1 : 0
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    #endif
}

private func owner(_ context: UnsafeMutableRawPointer?) -> BrokerConnection? {
    context.map { Unmanaged<BrokerConnection>.fromOpaque($0).takeUnretainedValue() }
}

@c private func whenConnected(_: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ status: Int32) {
    owner(context)?.connected(status)
}

@c private func whenPublished(_: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ identifier: Int32) {
    owner(context)?.published(identifier)
}

@c private func whenArrived(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ message: UnsafePointer<mosquitto_message>?
) {
    guard let message else { return }
    owner(context)?.received(message.pointee)
}
