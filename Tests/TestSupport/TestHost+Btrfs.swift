import Linux
import SystemPackage

extension TestHost {
    /// A host whose job has a second dump, `documents`: a directory of a Btrfs volume, of which a snapshot is taken. The job has
    /// a name of its own, because that is what its mount points are told apart by.
    ///
    /// - Parameters:
    ///   - borg: the job's, as `with` takes it.
    ///   - hasServer: whether the dump `app` is of a server, and not of a directory.
    ///   - size: of the volume, as `BtrfsVolume.with` takes it.
    ///   - lines: of the dump, each indented by four spaces, after its path.
    public static func withBtrfs(
        _ borg: BorgUnderTest? = nil, hasServer: Bool = false, size: String = "128M",
        lines: [String] = ["    snapshot: btrfs"],
        _ body: (inout TestHost, BtrfsVolume) async throws -> Void
    ) async throws {
        let withHost = hasServer ? with(_:hasRepository:_:) : withFiles(_:hasRepository:_:)
        try await withHost(borg, true) { host in
            host.nameJobUniquely()
            try await BtrfsVolume.with(in: host.scratch, size: size) { volume in
                host.job.dumpLines +=
                    ["  documents:", "    provider: directory", "    path: \(volume.documents)"] + lines
                try await body(&host, volume)
            }
        }
    }

    /// So that what it mounts is told from what the jobs of other tests mount.
    public mutating func nameJobUniquely() { jobName = "nightly-\(UInt32.random(in: .min ... .max))" }

    /// The directory in which the job's snapshots are mounted.
    public var mounts: FilePath { FilePath("/run/muster").appending(jobName) }

    /// Where the job's snapshots are mounted now.
    public func mountPoints() throws -> [FilePath] { try MountTable.current().mounts(below: mounts).map(\.point) }

    /// The files of what is to be undone should the process that wrote them die.
    public func journal() throws -> [FilePath.Component] { try FileSystem.names(in: staging.appending("journal")) }
}
