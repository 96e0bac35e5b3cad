import FoundationEssentials
import Ingest
import Monitoring

extension Settings {
    /// Where the broker is, with the password from its file.
    func brokerSettings() throws -> BrokerSettings {
        var password: String?
        if let file = self.broker.passwordFile {
            let text = try TextFile.read(file)
            password = String(text.prefix { !$0.isNewline })
        }
        // libmosquitto would only say that something is invalid.
        let tls = self.broker.tls
        for (key, file) in [("caFile", tls.caFile), ("certFile", tls.certFile), ("keyFile", tls.keyFile)] {
            guard let file, !FileManager.default.isReadableFile(atPath: file) else { continue }
            throw ConfigurationError(place: file, key: "broker.tls.\(key)", problem: "cannot be read")
        }
        return BrokerSettings(
            host: self.broker.host, port: self.broker.port, clientID: self.broker.clientID,
            username: self.broker.username, password: password, topicPrefix: self.broker.topicPrefix,
            topics: self.broker.topics, keepAliveSeconds: self.broker.keepAliveSeconds,
            certificateAuthorityFile: self.broker.tls.caFile, certificateFile: self.broker.tls.certFile,
            keyFile: self.broker.tls.keyFile)
    }

    var timeBounds: DeviceTimeBounds {
        DeviceTimeBounds(
            oldestDays: Int64(self.ingest.oldestDays), newestSeconds: Int64(self.ingest.newestSeconds))
    }
}
