import Linux
import SystemPackage

/// A Btrfs file system in a file, with the subvolume `data` in it, which holds `data/documents/letter`.
public struct BtrfsVolume: Sendable {
    public let root: FilePath
    private let device: String

    public var data: FilePath { root.appending("data") }
    public var documents: FilePath { data.appending("documents") }
    public var letter: FilePath { documents.appending("letter") }

    /// Made and mounted for as long as `body` runs.
    ///
    /// - Parameter size: of the file system, as truncate(1) takes it. What is not used takes no space.
    public static func with<Result>(
        in scratch: FilePath, size: String = "128M", _ body: (BtrfsVolume) async throws -> Result
    ) async throws -> Result {
        let image = scratch.appending("btrfs.image")
        let root = scratch.appending("volume")
        return try await withCleanup { cleanup in
            try await output("truncate", "--size", size, image.string)
            try await output("mkfs.btrfs", "--quiet", image.string)
            let device = try await output("losetup", "--find", "--show", image.string).filter { $0 != "\n" }
            cleanup.append { try await output("losetup", "--detach", device) }
            try FileSystem.createDirectory(root)
            let volume = BtrfsVolume(root: root, device: device)
            try await volume.mount()
            cleanup.append { try await volume.unmountAll() }
            try await output("btrfs", "subvolume", "create", volume.data.string)
            try FileSystem.createDirectory(volume.documents)
            try write("old", to: volume.letter)
            return try await body(volume)
        }
    }

    public func mount() async throws { try await output("mount", device, root.string) }

    public func unmount() async throws { try await TestSupport.unmount(root) }

    /// The last one first: what is mounted in it, its snapshots, which may be mounted anywhere, and what is mounted over those.
    private func unmountAll() async throws {
        let mounts = try MountTable.current().mounts
        let points = Set(mounts.filter { $0.source == device || $0.point.starts(with: root) }.map(\.point))
        for mount in mounts.reversed() where points.contains(mount.point) {
            try await TestSupport.unmount(mount.point)
        }
    }

    public func create(subvolume path: FilePath) async throws {
        try await output("btrfs", "subvolume", "create", path.string)
    }

    /// Every subvolume and snapshot, by its path from the top.
    public func subvolumes() async throws -> [String] {
        try await output("btrfs", "subvolume", "list", root.string).split(separator: "\n")
            .map { $0.split(separator: " ").last.map(String.init) ?? "" }.sorted()
    }
}
