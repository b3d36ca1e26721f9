import DumpCore

/// What an archive of Muster's says that it holds: the archive's comment vouches for the manifest.
public struct ArchiveContents: Sendable {
    public var archive: Archive
    public var manifest: Manifest

    public init(archive: Archive, manifest: Manifest) {
        self.archive = archive
        self.manifest = manifest
    }
}

/// A file in an archive that is not what was sealed.
struct UnfaithfulFile: Error {
    var path: String
    var found: String
}
