// swift-tools-version: 6.1
import PackageDescription

/// C that root runs on what others have made. Optimized in every build: FORTIFY needs that. `.ci/hardening` looks at what came of it.
var hardened: [CSetting] = [
    .unsafeFlags([
        "-O2", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fno-sanitize=all",
    ])
]
#if arch(x86_64)
    hardened.append(.unsafeFlags(["-fcf-protection"]))
#endif
/// A warning ends the build. An older or a newer compiler may warn of what is right with ours, and must not keep anyone from building: its
/// warnings stay warnings.
#if compiler(>=6.3) && compiler(<6.4)
    let warnings: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]
    hardened.append(.unsafeFlags(["-Wall", "-Wextra", "-Werror"]))
#else
    let warnings: [SwiftSetting] = []
#endif
/// No address that is called can be changed later (full RELRO).
let boundAtStart = LinkerSetting.unsafeFlags([
    "-Xlinker", "-z", "-Xlinker", "now", "-Xlinker", "-z", "-Xlinker", "relro",
])

let package = Package(
    name: "muster",
    products: [
        .executable(name: "muster", targets: ["muster"]),
        .executable(name: "muster-keeper", targets: ["muster-keeper"]),
    ],
    dependencies: [
        // Commands, options, help and completion scripts.
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        // The logging interface that every module writes to.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        // FilePath, FileDescriptor and Errno: typed system calls without Foundation.
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
    ],
    targets: [
        .executableTarget(name: "muster", dependencies: ["MusterCommands"], linkerSettings: [boundAtStart]),
        .target(
            name: "MusterCommands",
            dependencies: [
                "MusterConfig", "Monitoring", "Pipeline", "Restoring", "Catalog", "Notices", "Reporting", "Jobs",
                "PostgreSQL", "Directories", "Plugins", "Snapshots", "Conformance",
                "Borg", "Staging", "Documents", "Settings", "Processes", "Linux", "DumpCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), .logging, .system,
            ]),
        // What Muster runs every program under; in C, because there is one for each of them.
        .executableTarget(
            name: "muster-keeper", dependencies: ["CKeeper"],
            cSettings: hardened,
            // It holds no Swift, and must not load Swift's runtime: that takes longer than all that it does.
            linkerSettings: [
                .unsafeFlags(["-nostartfiles", "-static-stdlib"]), boundAtStart,
            ]),
        // What both sides of it call things.
        .target(name: "CKeeper"),
        .target(
            name: "MusterConfig",
            dependencies: ["Jobs", "YAML", "Settings", "Borg", "Documents", "Linux", "DumpCore", .system]),
        .target(
            name: "Plugins",
            dependencies: [
                "YAML", "Settings", "Documents", "Processes", "Checksums", "Linux", "DumpCore", .logging, .system,
            ]),
        .target(name: "YAML", dependencies: ["Settings", "CLibYAML", "DumpCore"]),
        .target(
            name: "Monitoring",
            dependencies: [
                "Restoring", "Catalog", "Reporting", "Jobs", "Borg", "Staging", "Checksums", "Linux", "DumpCore",
                .system,
            ]),
        .target(
            name: "Pipeline",
            dependencies: [
                "Catalog", "Notices", "Reporting", "Jobs", "Borg", "Staging", "Processes", "Linux", "DumpCore",
                .logging, .system,
            ]),
        .target(
            name: "Restoring",
            dependencies: [
                "Catalog", "Reporting", "Jobs", "Borg", "Staging", "Documents", "Settings", "Processes", "Checksums",
                "Linux", "DumpCore", .logging, .system,
            ]),
        .target(
            name: "Catalog",
            dependencies: [
                "Reporting", "Jobs", "Borg", "Staging", "Documents", "Settings", "Trees", "Checksums", "Linux",
                "DumpCore",
                .logging,
                .system,
            ]),
        .target(
            name: "Notices",
            dependencies: [
                "Reporting", "Jobs", "Staging", "Documents", "Processes", "Checksums", "Linux", "DumpCore", .logging,
                .system,
            ]),
        .target(
            name: "Jobs", dependencies: ["Borg", "Staging", "Settings", "Processes", "Linux", "DumpCore", .system]),
        .target(
            name: "Reporting", dependencies: ["Staging", "Documents", "Linux", "DumpCore", .system]),
        .target(
            name: "PostgreSQL",
            dependencies: ["Settings", "Processes", "RowDelta", "Checksums", "Linux", "DumpCore", "CLibPQ", .system]),
        .target(
            name: "Borg",
            dependencies: [
                "Settings", "Staging", "Documents", "Processes", "Trees", "Checksums", "Linux", "DumpCore", .logging,
                .system,
            ]),
        .target(
            name: "Directories",
            dependencies: [
                "Settings", "Snapshots", "Trees", "Checksums", "Linux", "DumpCore", .system,
            ]),
        .target(
            name: "Snapshots",
            dependencies: ["Settings", "Processes", "Linux", "CKeeper", "DumpCore", .logging, .system]),
        .target(
            name: "Staging",
            dependencies: ["Documents", "Trees", "RowDelta", "Checksums", "Linux", "DumpCore", .logging, .system]),
        .target(name: "RowDelta", dependencies: ["Checksums", "Linux", "DumpCore", .system]),
        .target(name: "Documents", dependencies: ["DumpCore"]),
        .target(name: "Trees", dependencies: ["Checksums", "Linux", "DumpCore", .system]),
        .target(
            name: "Processes",
            dependencies: [
                "Linux", "CKeeper", "CLinux", "DumpCore", .logging, .system,
            ]),
        .target(name: "Settings", dependencies: ["Processes", "DumpCore", .system]),
        // The contract of a provider as claims that its tests make of it.
        .target(name: "Conformance", dependencies: ["Checksums", "Linux", "DumpCore", .logging, .system]),
        .target(name: "Checksums", dependencies: ["Linux", "DumpCore", "CLibCrypto", .system]),
        .target(name: "Linux", dependencies: ["DumpCore", "CLinux", .system]),
        .target(name: "DumpCore", dependencies: [.logging, .system]),
        .target(name: "CLinux", cSettings: hardened),
        // Tests, against real servers and a real Borg.
        .target(
            name: "TestSupport",
            dependencies: [
                "PostgreSQL", "Conformance", "Staging", "Processes", "Linux", "DumpCore", .logging, .system,
            ],
            path: "Tests/TestSupport"),
        .testTarget(name: "DumpCoreTests", dependencies: ["DumpCore", "TestSupport", .system]),
        .testTarget(
            name: "MusterConfigTests",
            dependencies: [
                "MusterConfig", "Jobs", "PostgreSQL", "Directories", "Borg", "Settings", "Processes", "Linux",
                "DumpCore",
                "TestSupport", .logging, .system,
            ]),
        .testTarget(
            name: "ChecksumsTests", dependencies: ["Checksums", "Linux", "DumpCore", "TestSupport", .system]),
        .testTarget(
            name: "RowDeltaTests", dependencies: ["RowDelta", "Checksums", "Linux", "DumpCore", "TestSupport", .system]),
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "Conformance", "Settings", "Processes", "Linux", "DumpCore", "TestSupport", .logging, .system,
            ]),
        .testTarget(
            name: "PostgreSQLTests",
            dependencies: [
                "PostgreSQL", "Conformance", "Processes", "Linux", "DumpCore", "TestSupport", .logging, .system,
            ],
            exclude: ["Archives"]),
        .testTarget(
            name: "PluginTests",
            dependencies: [
                "Plugins", "Conformance", "Settings", "Processes", "Linux", "DumpCore", "TestSupport", .logging,
                .system,
            ],
            exclude: ["Examples"]),
        .testTarget(
            name: "DirectoriesTests",
            dependencies: [
                "Directories", "Conformance", "Snapshots", "Processes", "Trees", "Checksums", "Linux", "DumpCore",
                "CFaults", "TestSupport", .logging, .system,
            ]),
        .testTarget(
            name: "TreesTests", dependencies: ["Trees", "Linux", "DumpCore", "CFaults", "TestSupport", .system]),
        // What a user does to his own directories while Muster works in them.
        .executableTarget(name: "swapper", path: "Tests/Swapper"),
        // A program that does not want to end.
        .executableTarget(name: "hostile", path: "Tests/Hostile"),
        // A Borg that is there at once.
        .executableTarget(name: "warm-borg", path: "Tests/WarmBorg", exclude: ["serve.py"]),
        // Makes system calls of a test process fail.
        .target(name: "CFaults", path: "Tests/CFaults"),
        .testTarget(
            name: "StagingTests",
            dependencies: [
                "Documents", "Staging", "Trees", "Checksums", "Linux", "DumpCore", "CFaults", "TestSupport", .system,
            ]),
        .testTarget(
            name: "MonitoringTests",
            dependencies: [
                "Monitoring", "Restoring", "Catalog", "Reporting", "Jobs", "Directories", "Borg", "Settings", "Linux",
                "DumpCore", "TestSupport", .system,
            ]),
        .testTarget(
            name: "PipelineTests",
            dependencies: [
                "Pipeline", "Catalog", "Reporting", "Jobs", "Borg", "Staging", "Linux", "DumpCore", "TestSupport",
                .logging, .system,
            ]),
        .testTarget(
            name: "NoticesTests",
            dependencies: [
                "Notices", "Jobs", "Reporting", "Processes", "Linux", "DumpCore", "TestSupport", .logging, .system,
            ]),
        .testTarget(
            name: "MusterCommandsTests",
            dependencies: ["MusterCommands", "MusterConfig", "Reporting", "Linux", "DumpCore", "TestSupport", .system]),
        .testTarget(
            name: "CatalogTests",
            dependencies: [
                "Catalog", "Reporting", "Borg", "Staging", "Processes", "Linux", "DumpCore", "TestSupport", .logging,
                .system,
            ]),
        .testTarget(name: "DocumentsTests", dependencies: ["Staging", "Documents", "TestSupport"]),
        .testTarget(
            name: "SnapshotsTests",
            dependencies: [
                "Snapshots", "Staging", "Documents", "MusterConfig", "Conformance", "Settings", "Processes", "Linux",
                "CKeeper", "DumpCore", "TestSupport", .system,
            ]),
        .testTarget(
            name: "BorgTests",
            dependencies: [
                "Documents", "Borg", "Staging", "Processes", "Checksums", "Linux", "DumpCore", "TestSupport", .logging,
                .system,
            ]),
        // Every parser of what others wrote, with changed input; make fuzz gives it more time.
        .testTarget(
            name: "Fuzzing",
            dependencies: [
                "MusterCommands", "MusterConfig", "Monitoring", "Restoring", "Catalog", "Notices", "Reporting", "Jobs",
                "PostgreSQL", "Directories", "Plugins", "Snapshots", "Borg", "Staging", "RowDelta", "Documents", "YAML",
                "Settings", "Trees", "Checksums", "Linux", "DumpCore", "TestSupport", .system,
            ]),
        .testTarget(
            name: "EndToEnd", dependencies: ["Checksums", "DumpCore", "Linux", "TestSupport", .system],
            path: "Tests/EndToEnd"),
        .testTarget(name: "Faults", dependencies: ["Borg", "Linux", "TestSupport", .system], path: "Tests/Faults"),
        .testTarget(
            name: "ProcessesTests", dependencies: ["Processes", "Linux", "DumpCore", "TestSupport", .logging, .system]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = warnings + [.enableUpcomingFeature("ExistentialAny")]
}

// To optimize the tests themselves takes longer than it saves, and so it is with most of Muster. So `make test` has only that optimized which every
// byte, name or entry goes through.
let isForTests = Context.environment["MUSTER_BUILD"] == "tests"
let optimizedForTests: Set = [
    "DumpCore", "Linux", "Checksums", "RowDelta", "Trees", "Staging", "Documents", "YAML", "Directories",
]
for target in package.targets {
    // Nothing waits for the interface of tests, so it is made along with their code, and their source is read once.
    if target.type == .test {
        target.swiftSettings?.append(.unsafeFlags(["-no-emit-module-separately-wmo"], .when(configuration: .release)))
    }
    let isTest = target.type == .test || target.path != nil
    if isTest || (isForTests && target.type != .system && !optimizedForTests.contains(target.name)) {
        target.swiftSettings?.append(.unsafeFlags(["-Onone"], .when(configuration: .release)))
    }
}

extension Target.Dependency {
    static let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
    static let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
}
