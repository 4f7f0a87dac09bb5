// swift-tools-version: 6.2
import PackageDescription

// Every Swift target is held to the same rules.
let rules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: rules)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: rules)
}

/// A protocol's backend: its sources stand in the protocol's folder, beside the manifest.
func backend(_ name: String, _ more: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: "haul-\(name)", dependencies: ["HaulModel", "HaulProtocol"] + more, path: "protocols/\(name)",
        exclude: ["protocol.json"], swiftSettings: rules)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: rules)
}

func debian(_ name: String, pkgConfig: String, package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

/// Where the parsers are that `Tests/Fuzz` feeds.
let fuzzed: [Target.Dependency] = [
    "HaulModel", "HaulConfig", "HaulCrypto", "HaulHTTP", "HaulWire", "HaulStore", "HaulLogs", "HaulAuth",
    "HaulProtocol", "HaulCurl", "HaulWorker", "HaulCLI", "hauld", "haul-worker", "haul-ssh", "haul-http", "haul-s3",
    "haul-gridftp",
    "haul-xrootd", "haul-rclone",
]

let package = Package(
    name: "haul",
    products: [
        .executable(name: "hauld", targets: ["hauld"]),
        .executable(name: "haul-worker", targets: ["haul-worker"]),
        .executable(name: "haul", targets: ["haul"]),
        .executable(name: "haul-bench", targets: ["haul-bench"]),
        .executable(name: "haul-playground", targets: ["haul-playground"]),
        .executable(name: "haul-local", targets: ["haul-local"]),
        .executable(name: "haul-ssh", targets: ["haul-ssh"]),
        .executable(name: "haul-http", targets: ["haul-http"]),
        .executable(name: "haul-s3", targets: ["haul-s3"]),
        .executable(name: "haul-gridftp", targets: ["haul-gridftp"]),
        .executable(name: "haul-gsi", targets: ["haul-gsi"]),
        .executable(name: "haul-xrootd", targets: ["haul-xrootd"]),
        .executable(name: "haul-rclone", targets: ["haul-rclone"]),
        .executable(name: "haul-fake", targets: ["haul-fake"]),
    ],
    targets: [
        // Debian's C libraries, and what of Linux Swift cannot call, in C of our own.
        debian("CSQLite", pkgConfig: "sqlite3", package: "libsqlite3-dev"),
        debian("CPostgreSQL", pkgConfig: "libpq", package: "libpq-dev"),
        debian("CCurl", pkgConfig: "libcurl", package: "libcurl4-openssl-dev"),
        debian("CMicroHTTPD", pkgConfig: "libmicrohttpd", package: "libmicrohttpd-dev"),
        debian("CSodium", pkgConfig: "libsodium", package: "libsodium-dev"),
        debian("CCrypto", pkgConfig: "libcrypto", package: "libssl-dev"),
        debian("CGnuTLS", pkgConfig: "gnutls", package: "libgnutls28-dev"),
        debian("CGlobusGSI", pkgConfig: "globus-gssapi-gsi", package: "libglobus-gssapi-gsi-dev"),
        .target(name: "CSpawn"),
        .target(name: "CDisk"),
        .target(name: "CFiles"),
        .target(name: "CAnswers"),

        // Libraries, from the rules outward.
        library("HaulModel"),
        library("HaulConfig"),
        library("HaulProcess"),
        library("HaulCrypto", ["CSodium", "CCrypto"]),
        library("HaulMulti", ["CCurl"]),
        library("HaulHTTP", ["HaulMulti", "CMicroHTTPD", "CGnuTLS", "CAnswers", "CCurl"]),
        library("HaulWire", ["HaulModel"]),
        library("HaulStore", ["HaulModel", "CSQLite", "CPostgreSQL"]),
        library("HaulLogs", ["HaulModel", "HaulHTTP", "HaulCrypto", "CDisk"]),
        library("HaulEngine", ["HaulModel", "HaulStore", "HaulLogs", "HaulCrypto"]),
        library("HaulAuth", ["HaulModel", "HaulStore", "HaulCrypto", "HaulHTTP"]),
        library("HaulAPI", ["HaulModel", "HaulWire", "HaulEngine", "HaulAuth", "HaulHTTP"]),
        library("HaulProtocol", ["HaulModel", "CSpawn", "CCrypto", "CFiles"]),
        library("HaulCurl", ["HaulMulti", "HaulModel", "HaulProtocol", "CCurl"]),
        library("HaulWorker", ["HaulModel", "HaulConfig", "HaulWire", "HaulHTTP", "HaulProtocol"]),
        library("HaulCLI", ["HaulModel", "HaulWire", "HaulHTTP", "HaulProtocol", "HaulConfig"]),
        library("HaulPlayground", ["HaulProcess", "HaulModel", "HaulWire", "HaulHTTP", "HaulProtocol", "CSpawn"]),

        // Programs: parse, compose, run.
        program(
            "hauld",
            [
                "HaulModel", "HaulConfig", "HaulCrypto", "HaulStore", "HaulLogs", "HaulEngine", "HaulAuth", "HaulAPI",
                "HaulHTTP", "HaulProtocol", "HaulProcess",
            ]),
        program(
            "haul-worker", ["HaulModel", "HaulConfig", "HaulWorker", "HaulProtocol", "HaulHTTP", "HaulProcess"]),
        program("haul", ["HaulCLI"]),
        program("haul-bench", ["HaulModel", "HaulWire", "HaulHTTP", "CSQLite"]),
        program("haul-playground", ["HaulPlayground"]),

        // Backends, each beside its manifest.
        backend("local", ["CFiles"]),
        backend("ssh"),
        backend("http", ["HaulCurl"]),
        backend("s3", ["HaulCurl", "HaulCrypto"]),
        backend("gridftp"),
        // What haul-gridftp shows X.509 proxies with: C, because the library is.
        .executableTarget(
            name: "haul-gsi", dependencies: ["CGlobusGSI"],
            linkerSettings: [.linkedLibrary("globus_gssapi_gsi"), .linkedLibrary("globus_common")]),
        backend("xrootd", ["HaulCrypto"]),
        backend("rclone"),
        backend("fake"),

        // Holds README's table of targets against this file and the imports; see `make lint`.
        .executableTarget(name: "haul-layout", path: "Tests/Layout", swiftSettings: rules),

        // Tests: a folder a target, then what crosses targets.
        .target(
            name: "Support",
            dependencies: [
                "HaulModel", "HaulWire", "HaulHTTP", "HaulCrypto", "HaulProtocol", "HaulPlayground", "CCrypto",
            ],
            path: "Tests/Support", swiftSettings: rules),
        tests("HaulModelTests", ["HaulModel"]),
        tests("HaulConfigTests", ["HaulConfig"]),
        tests("HaulProcessTests", ["HaulProcess"]),
        tests("HaulCryptoTests", ["HaulCrypto", "HaulModel", "Support"]),
        tests("HaulAuthTests", ["HaulAuth", "HaulCrypto", "HaulHTTP", "HaulModel", "HaulStore", "Support"]),
        tests("HaulHTTPTests", ["HaulHTTP", "Support"]),
        tests("HaulStoreTests", ["HaulStore", "HaulModel", "Support"]),
        tests("HaulLogsTests", ["HaulLogs", "HaulHTTP", "HaulModel", "Support"]),
        tests("HaulProtocolTests", ["HaulProtocol", "HaulModel", "Support"]),
        tests("LocalBackendTests", ["haul-local", "HaulProtocol", "HaulModel", "Support"]),
        tests("HTTPBackendTests", ["haul-http", "HaulCurl", "HaulProtocol", "HaulModel", "HaulPlayground", "Support"]),
        tests(
            "S3BackendTests", ["haul-s3", "HaulCurl", "HaulCrypto", "HaulHTTP", "HaulProtocol", "HaulModel", "Support"]),
        tests(
            "GridFTPBackendTests",
            ["haul-gridftp", "HaulProtocol", "HaulModel", "HaulPlayground", "Support"]),
        tests("SSHBackendTests", ["haul-ssh", "HaulProtocol", "HaulModel", "HaulPlayground", "Support"]),
        tests("XRootDBackendTests", ["haul-xrootd", "HaulProtocol", "HaulModel", "HaulPlayground", "Support"]),
        tests("RcloneBackendTests", ["haul-rclone", "HaulProtocol", "HaulModel", "HaulPlayground", "Support"]),
        tests(
            "HaulAPITests",
            [
                "HaulAPI", "HaulWire", "HaulEngine", "HaulAuth", "HaulStore", "HaulLogs", "HaulHTTP", "HaulModel",
                "HaulCrypto", "Support",
            ], exclude: ["UWSGolden", "QdoGolden"]),
        tests("HaulEngineTests", ["HaulEngine", "HaulStore", "HaulLogs", "HaulModel", "Support"]),
        tests("Simulation", ["HaulEngine", "HaulStore", "HaulLogs", "HaulModel", "Support"]),
        tests(
            "HaulWorkerTests",
            [
                "haul-worker", "haul-fake", "haul-local", "haul-http", "HaulWorker", "HaulWire", "HaulHTTP",
                "HaulProtocol",
                "HaulModel", "Support",
            ]),
        tests("HaulCLITests", ["haul", "HaulCLI", "HaulHTTP", "HaulModel", "HaulProtocol", "HaulWire"]),
        tests("ProtocolConformance", ["HaulProtocol", "HaulModel", "HaulPlayground", "Support"]),
        tests(
            "Integration",
            [
                "Support", "HaulModel", "HaulCrypto", "HaulWire", "HaulHTTP", "HaulAuth", "HaulProtocol",
                "HaulPlayground", "CSQLite",
            ],
            exclude: [
                "Schemathesis", "UWS/Golden", "UWS/Python", "UWS/Schema", "Qdo/Golden", "Qdo/Python",
                "Clockwork/Golden",
                "Clockwork/Python", "Overview/Golden",
                "Overview/Python",
            ]),
        tests("Fuzz", fuzzed, exclude: ["Corpus", "Main.swift", "Words", "fuzz"]),
        tests("Chaos", ["Support", "HaulModel", "HaulWire", "HaulHTTP", "HaulProtocol", "HaulPlayground"]),
    ]
)

// What `make fuzz` builds, and nothing else does: libFuzzer over our parsers. Those of programs are in programs, which only
// tests can link: here each is a library, but for the file that starts it.
if Context.environment["HAUL_FUZZ"] != nil {
    let starts = ["hauld": "Hauld.swift"]
    let others: Set = [
        "haul", "haul-bench", "haul-fake", "haul-gsi", "haul-layout", "haul-local", "haul-playground",
        "HaulPlayground", "Support",
    ]
    package.products = []
    package.targets = package.targets.filter { $0.type != .test && !others.contains($0.name) }.map { target in
        guard target.type == .executable else { return target }
        return .target(
            name: target.name, dependencies: target.dependencies, path: target.path,
            exclude: target.exclude + [starts[target.name] ?? "Main.swift"], swiftSettings: rules)
    }
    package.targets.append(
        .executableTarget(
            name: "haul-fuzz", dependencies: fuzzed, path: "Tests/Fuzz",
            exclude: ["Corpus", "CorpusTests.swift", "Words", "fuzz"],
            swiftSettings: rules))
}
