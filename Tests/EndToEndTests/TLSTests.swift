import Foundation
import Testing

extension EndToEnd {
    /// The broker's listener with TLS, and with client certificates.
    @Suite(.serialized)
    struct TLSTests {
        private let time = nowMilliseconds() / 1_000 * 1_000 - 120_000

        /// Two authorities, a server's and a client's certificate of the first; made by openssl.
        private struct Certificates {
            let folder: Folder

            init() throws {
                self.folder = try Folder()
                try self.folder.write("san", "subjectAltName=IP:127.0.0.1\n")
                for name in ["ca", "other"] {
                    try self.openssl(
                        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)",
                        "-keyout", self.file("\(name).key"), "-out", self.file("\(name).pem"))
                }
                for name in ["server", "client"] {
                    try self.openssl(
                        "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-keyout",
                        self.file("\(name).key"), "-out", self.file("\(name).csr"))
                    try self.openssl(
                        "x509", "-req", "-in", self.file("\(name).csr"), "-CA", self.file("ca.pem"), "-CAkey",
                        self.file("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", self.file("san"), "-out",
                        self.file("\(name).pem"))
                }
            }

            func file(_ name: String) -> String { self.folder.file(name) }

            private func openssl(_ arguments: String...) throws {
                let child = try Child(["openssl"] + arguments, log: self.file("openssl"))
                guard try child.wait(seconds: 30) == 0 else { throw Trouble("openssl: \(child.errors)") }
            }
        }

        private func installation(
            _ certificates: Certificates, tls: String, wantsCertificate: Bool = false
        ) throws -> Installation {
            let site = try Installation(
                settings: ["broker.tls": "{\(tls)}"],
                listenerLines: [
                    "cafile \(certificates.file("ca.pem"))", "certfile \(certificates.file("server.pem"))",
                    "keyfile \(certificates.file("server.key"))", "require_certificate \(wantsCertificate)",
                ])
            try site.importStations(plainStations())
            return site
        }

        private func publish(_ site: Installation, _ certificates: Certificates, options: [String] = []) throws {
            try site.publish(
                "quantrac/v1/nd-dust-1/telemetry", #"{"ts": \#(time), "values": {"PM10": 7}}"#,
                options: ["--cafile", certificates.file("ca.pem")] + options)
        }

        private func reasons(_ site: Installation) -> String { site.health()?.body ?? "" }

        @Test func `an authority that did not sign the broker's certificate is named, and mended without a restart`()
            throws
        {
            let certificates = try Certificates()
            let ours = certificates.file("ours.pem")
            func trust(_ name: String) throws {
                let text = try String(contentsOfFile: certificates.file(name), encoding: .utf8)
                try text.write(toFile: ours, atomically: true, encoding: .utf8)
            }
            try trust("other.pem")
            let site = try self.installation(certificates, tls: "caFile: \(ours)")
            try site.broker.start()
            try site.launch()
            try eventually("the setting is named") { self.reasons(site).contains("broker.tls.caFile") }
            #expect(self.reasons(site).contains("certificate verify failed"), "\(self.reasons(site))")
            #expect(site.health()?.status == 503 && site.log.contains("broker.tls.caFile"))
            let doctor = try site.quantrac("doctor")
            #expect(doctor.exitCode == 1 && doctor.output.contains("broker.tls.caFile"), "\(doctor.output)")
            // It tries again by itself.
            try trust("ca.pem")
            try site.awaitHealthy()
            try self.publish(site, certificates)
            try site.awaitReadings(1)
            #expect(try site.quantrac("doctor").output.contains("takes us over TLS"))
        }

        @Test func `a broker that wants our certificate gets it, and without one the settings are named`() throws {
            let certificates = try Certificates()
            let authority = "caFile: \(certificates.file("ca.pem"))"
            let site = try self.installation(certificates, tls: authority, wantsCertificate: true)
            try site.broker.start()
            try site.launch()
            try eventually("the settings are named") { self.reasons(site).contains("broker.tls.certFile") }
            #expect(self.reasons(site).contains("broker.tls.keyFile"), "\(self.reasons(site))")
            #expect(try site.stopService() == 0)
            let own = [certificates.file("client.pem"), certificates.file("client.key")]
            try site.set("broker.tls", "{\(authority), certFile: \(own[0]), keyFile: \(own[1])}")
            try site.start()
            try self.publish(site, certificates, options: ["--cert", own[0], "--key", own[1]])
            try site.awaitReadings(1)
        }

        @Test func `a file that is not there ends the service with 2 and names its key`() throws {
            let site = try Installation(settings: ["broker.tls": "{caFile: /nowhere/ca.pem}"])
            let result = try site.quantrac("serve", seconds: 20)
            #expect(result.exitCode == 2, "\(result.errors)")
            #expect(result.errors.contains("/nowhere/ca.pem") && result.errors.contains("broker.tls.caFile"))
        }
    }
}
