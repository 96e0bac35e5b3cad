/// Something in a file, a variable or an option that cannot be: where it stands, which key, and what is allowed.
struct ConfigurationError: Error, Hashable, CustomStringConvertible {
    /// `quantrac.yaml:12`, or `environment`, or an option's name.
    let place: String
    /// The key's path, for example `broker.port`; empty when the whole file is meant.
    let key: String
    /// One sentence: what is wrong and what is allowed.
    let problem: String

    /// One line, as it is printed: `quantrac.yaml:12: broker.port: must be …`.
    var description: String {
        self.key.isEmpty ? "\(self.place): \(self.problem)" : "\(self.place): \(self.key): \(self.problem)"
    }
}
