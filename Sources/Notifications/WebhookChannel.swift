/// Where messages are posted to.
package struct WebhookChannel: Sendable, Hashable {
    /// One header of the request.
    package struct Header: Sendable, Hashable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package let id: String
    /// An address of `http` or `https`.
    package let url: String
    package let headers: [Header]

    package init(id: String, url: String, headers: [Header] = []) {
        self.id = id
        self.url = url
        self.headers = headers
    }
}
