/// Says what is wrong with the links, once for all that have the same trouble.
final class TroubleBoard {
    private var troubleOfClient: [String: String] = [:]
    private var mostClients = 0

    /// A link broke or could not be made.
    func began(_ trouble: String, client: String) {
        let isNew = !self.troubleOfClient.values.contains(trouble)
        self.troubleOfClient[client] = trouble
        self.mostClients = max(self.mostClients, self.troubleOfClient.count)
        if isNew { Console.say("\(client): \(trouble); trying again until it works") }
    }

    /// A link stands.
    func ended(client: String) {
        guard self.troubleOfClient.removeValue(forKey: client) != nil, self.troubleOfClient.isEmpty else { return }
        let count = self.mostClients
        self.mostClients = 0
        Console.say(count == 1 ? "\(client): connected again" : "\(count) clients: connected again")
    }
}
