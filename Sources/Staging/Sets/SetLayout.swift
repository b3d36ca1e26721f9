import DumpCore
import SystemPackage

/// Where things lie in a set, relative to its root.
enum SetLayout {
    static let manifest = FilePath.Component("manifest.json")
    static let checksums = FilePath.Component("checksums")

    static func directory(ofDump name: String) -> FilePath.Component { escapedPathComponent(name) }

    static func checksums(ofDump name: String) -> FilePath {
        FilePath(root: nil, [checksums, FilePath.Component(directory(ofDump: name).string + ".sha256")!])
    }
}

extension StagingArea {
    /// Names that a dump cannot have, because its directory would lie where a set has something else.
    public static let reservedDumpNames: Set<String> = [SetLayout.manifest.string, SetLayout.checksums.string]
}
