extension SettingKey {
    /// Every key, in the order of the manual.
    static let all: [SettingKey] = broker + store + retention + service

    private static let broker: [SettingKey] = [
        .init("broker.host", .text(\.broker.host), .host, "The broker's name or address."),
        .init("broker.port", .integer(\.broker.port, 1...65_535), .anyText, "Its port."),
        .init(
            "broker.clientID", .text(\.broker.clientID), .clientID,
            "Our session at the broker. Never share it between two services; changing it leaves a session behind."),
        .init("broker.username", .optionalText(\.broker.username), .anyText, "Our user at the broker."),
        .init(
            "broker.passwordFile", .optionalText(\.broker.passwordFile), .path,
            "A file whose first line is our password."),
        .init(
            "broker.passwordsFile", .optionalText(\.broker.passwordsFile), .path,
            "The broker's password file, which `station password` maintains."),
        .init(
            "broker.aclFile", .optionalText(\.broker.aclFile), .path,
            "The broker's access list, which `station password` maintains."),
        .init("broker.topicPrefix", .text(\.broker.topicPrefix), .topicPrefix, "The first levels of every topic."),
        .init(
            "broker.topics", .texts(\.broker.topics), .topicFilter,
            "What to subscribe to; without it `<topicPrefix>/+/` telemetry, history, event, status and response."),
        .init(
            "broker.keepAliveSeconds", .integer(\.broker.keepAliveSeconds, 5...65_535), .anyText,
            "How long a silent connection lives."),
        .init(
            "broker.tls.caFile", .optionalText(\.broker.tls.caFile), .path,
            "Certificates (PEM) of who signed the broker's; setting it turns TLS on."),
        .init("broker.tls.certFile", .optionalText(\.broker.tls.certFile), .path, "Our certificate (PEM)."),
        .init("broker.tls.keyFile", .optionalText(\.broker.tls.keyFile), .path, "Its key (PEM)."),
    ]

    private static let store: [SettingKey] = [
        .init("store.path", .text(\.store.path), .path, "The one SQLite file; `.lock` and `.sock` stand beside it."),
        .init(
            "store.mergeSeconds", .integer(\.store.mergeSeconds, 1...604_800), .anyText,
            "How old an unmerged reading may get."),
        .init(
            "store.headBytes", .integer(\.store.headBytes, (1 << 20)...(1 << 36)), .anyText,
            "Memory for readings that are not merged yet."),
        .init(
            "store.reserveBytes", .integer(\.store.reserveBytes, 0...(1 << 50)), .anyText,
            "Free disk space below which nothing more is accepted."),
        .init(
            "ingest.oldestDays", .integer(\.ingest.oldestDays, 1...36_500), .anyText,
            "Readings older than this are quarantined."),
        .init(
            "ingest.newestSeconds", .integer(\.ingest.newestSeconds, 0...31_536_000), .anyText,
            "Readings further in the future than this are quarantined."),
    ]

    private static let retention: [SettingKey] = [
        .init(
            "retention.raw", .text(\.retention.raw), .keeping,
            "How long raw readings are kept; other durations for kinds of site follow after commas."),
        .init("retention.hours", .text(\.retention.hours), .keeping, "How long hourly rollups are kept."),
        .init("retention.days", .text(\.retention.days), .keeping, "How long daily rollups are kept."),
        .init("retention.events", .text(\.retention.events), .keepingAll, "How long events are kept."),
        .init(
            "retention.incidents", .text(\.retention.incidents), .keepingAll,
            "How long incidents that are over and acknowledged, and delivered messages, are kept."),
        .init(
            "retention.setAside", .text(\.retention.setAside), .keepingAll,
            "How long dead letters and quarantined values are kept."),
    ]

    private static let service: [SettingKey] = [
        .init("http.host", .text(\.http.host), .host, "The address the HTTP API listens on."),
        .init("http.port", .integer(\.http.port, 1...65_535), .anyText, "Its port."),
        .init("timeZone", .text(\.timeZone), .timeZone, "The local clock of sites that do not name their own."),
        .init("rules", .optionalText(\.rules), .path, "The rules file the service loads at start and on SIGHUP."),
        .init(
            "lake.destination", .optionalText(\.lake.destination), .anyText,
            "The Data Lake's folder; without it nothing is published."),
        .init(
            "lake.duckdb", .optionalText(\.lake.duckdb), .path,
            "DuckDB's program; without it the one on PATH or in `.tools`."),
        .init(
            "notify.heartbeatURL", .optionalText(\.notify.heartbeatURL), .url,
            "Called every minute after a good commit, so that someone notices when we fall silent."),
        .init("log.level", .text(\.log.level), .logLevel, "What is logged."),
        .init("demo", .boolean(\.demo), .anyText, "Marks the store as a demonstration; a demo store needs it true."),
    ]
}
