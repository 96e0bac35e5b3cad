#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Finds out whether a broker is there and takes our name and password, without touching our session.
///
/// Speaks the two packets of MQTT 3.1.1 that this needs over a socket of its own, with a client id of its own.
struct BrokerProbe {
    let host: String
    let port: Int
    let clientID: String
    let username: String?
    let password: String?

    static let timeoutSeconds = 5

    /// What the broker said.
    enum Answer: Equatable {
        case accepted
        /// With the reason, for people.
        case refused(String)
        case unreachable(String)
    }

    /// Connects, signs in and leaves; blocks for at most a few seconds.
    func run() -> Answer {
        switch self.connectSocket() {
        case .failure(let failure):
            return .unreachable("\(failure)")
        case .success(let descriptor):
            defer { close(descriptor) }
            return self.signIn(over: descriptor)
        }
    }

    private func connectSocket() -> Result<Int32, UnixSocket.Failure> {
        var hints = addrinfo()
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(self.host, String(self.port), &hints, &found) == 0, let first = found else {
            return .failure(.init("no address for \(self.host)", code: ENOENT))
        }
        defer { freeaddrinfo(first) }
        var failure = UnixSocket.Failure("connect", code: ECONNREFUSED)
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let candidate = next {
            next = candidate.pointee.ai_next
            let descriptor = socket(
                candidate.pointee.ai_family, candidate.pointee.ai_socktype, candidate.pointee.ai_protocol)
            guard descriptor >= 0 else { continue }
            // On Linux the time for sending bounds `connect` as well.
            var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
            if connect(descriptor, candidate.pointee.ai_addr, candidate.pointee.ai_addrlen) == 0 {
                return .success(descriptor)
            }
            failure = UnixSocket.Failure("\(self.host):\(self.port)")
            close(descriptor)
        }
        return .failure(failure)
    }

    private func signIn(over descriptor: Int32) -> Answer {
        let packet = self.connectPacket()
        var answer = [UInt8](repeating: 0, count: 4)
        let flags = Int32(MSG_NOSIGNAL)
        guard send(descriptor, packet, packet.count, flags) == packet.count,
            recv(descriptor, &answer, 4, Int32(MSG_WAITALL)) == 4, answer[0] == 0x20
        else { return .unreachable("\(self.host):\(self.port) did not answer as an MQTT broker does") }
        _ = send(descriptor, [UInt8(0xE0), 0], 2, flags)
        switch answer[3] {
        case 0: return .accepted
        case 1: return .refused("the broker does not speak MQTT 3.1.1")
        case 2: return .refused("the broker refuses the client id \(self.clientID)")
        case 3: return .refused("the broker is not available")
        case 4: return .refused("wrong user or password")
        case 5: return .refused("not authorised: wrong user or password, or none given")
        default: return .refused("the broker refused with code \(answer[3])")
        }
    }

    /// CONNECT with a clean session.
    func connectPacket() -> [UInt8] {
        func field(_ text: String) -> [UInt8] {
            let bytes = Array(text.utf8.prefix(65_535))
            return [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
        }
        var flags: UInt8 = 0x02
        if self.username != nil { flags |= 0x80 }
        if self.username != nil, self.password != nil { flags |= 0x40 }
        var body = field("MQTT") + [4, flags, 0, 30] + field(self.clientID)
        if let username = self.username {
            body += field(username)
            if let password = self.password { body += field(password) }
        }
        var length = body.count
        var header: [UInt8] = [0x10]
        repeat {
            let digit = UInt8(length % 128)
            length /= 128
            header.append(length > 0 ? digit | 0x80 : digit)
        } while length > 0
        return header + body
    }
}
