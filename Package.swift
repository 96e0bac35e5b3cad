// swift-tools-version: 6.2
import PackageDescription

// The rooms and who may enter which are drawn in ARCHITECTURE.md; TidyTests compares that table with the imports.
let package = Package(
    name: "quantrac",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "quantrac", targets: ["quantrac"]),
        .executable(name: "quantrac-sim", targets: ["quantrac-sim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", exact: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2"),
    ],
    targets: [
        // C libraries, each behind one header; only one Swift room imports each.
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CTimex"),
        .target(
            name: "CSimdJSON",
            cxxSettings: [.unsafeFlags(["-O2"])],
            linkerSettings: [.linkedLibrary("simdjson")]
        ),

        // The pure core.
        .target(name: "Monitoring"),
        .target(name: "FieldFormats", dependencies: ["Monitoring", "CSimdJSON"]),
        .target(name: "Alerting", dependencies: ["Monitoring"]),

        // The shell.
        .target(
            name: "TimeSeriesStore",
            dependencies: ["Monitoring", "CZstd", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .target(
            name: "Ingest",
            dependencies: [
                "Monitoring", "FieldFormats", "Alerting", "TimeSeriesStore", "CMosquitto",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "Notifications",
            dependencies: [
                "Monitoring", "TimeSeriesStore",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "DataLake",
            dependencies: [
                "Monitoring", "TimeSeriesStore",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]
        ),
        .target(
            name: "WebServer",
            dependencies: [
                "Monitoring", "TimeSeriesStore", "DataLake", "CTimex",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(
            name: "quantrac",
            dependencies: [
                "Monitoring", "FieldFormats", "Alerting", "TimeSeriesStore", "Ingest", "Notifications", "DataLake",
                "WebServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),

        // The simulators never see the store: they are the independent oracle.
        .target(name: "Simulation", dependencies: ["Monitoring"], path: "Simulators/Simulation"),
        .executableTarget(
            name: "quantrac-sim",
            dependencies: [
                "Simulation", "Monitoring", "CMosquitto",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Simulators/quantrac-sim"
        ),

        // Part of `make bench`: drives the store with a virtual clock.
        .executableTarget(
            name: "store-bench", dependencies: ["TimeSeriesStore", "Monitoring"], path: "Tests/Benchmarks/StoreBench"
        ),

        .testTarget(name: "MonitoringTests", dependencies: ["Monitoring"]),
        .testTarget(name: "FieldFormatsTests", dependencies: ["FieldFormats", "Monitoring"]),
        .testTarget(name: "AlertingTests", dependencies: ["Alerting", "Monitoring"]),
        .testTarget(
            name: "TimeSeriesStoreTests",
            dependencies: ["TimeSeriesStore", "Monitoring", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .testTarget(
            name: "IngestTests",
            dependencies: ["Ingest", "TimeSeriesStore", "FieldFormats", "Alerting", "Monitoring"]),
        .testTarget(
            name: "NotificationsTests",
            dependencies: [
                "Notifications", "TimeSeriesStore", "Monitoring",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "DataLakeTests",
            dependencies: [
                "DataLake", "TimeSeriesStore", "Monitoring",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "WebServerTests",
            dependencies: [
                "WebServer", "TimeSeriesStore", "Monitoring",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(name: "SimulationTests", dependencies: ["Simulation", "Monitoring"]),
        .testTarget(
            name: "QuantracTests",
            dependencies: [
                "quantrac", "Alerting", "Monitoring", "TimeSeriesStore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]
        ),
        .testTarget(name: "EndToEndTests", dependencies: ["Monitoring"]),
        .testTarget(name: "TidyTests"),
    ]
)

// In release builds the rooms between socket and disk do not check at run time that accesses to a property do not
// overlap; debug builds, and with them all tests, do (measured: 2 % of the ingest's time).
let unchecked: Set = ["FieldFormats", "Ingest", "TimeSeriesStore"]
for target in package.targets where unchecked.contains(target.name) {
    target.swiftSettings = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]
}

for target in package.targets where ![.system, .plugin].contains(target.type) && target.name != "CSimdJSON" {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .treatAllWarnings(as: .error),
        ]
}
