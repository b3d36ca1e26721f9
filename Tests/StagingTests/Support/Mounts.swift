import Linux
import SystemPackage
import TestSupport
import Testing

/// A file system of its own in memory, mounted for one test.
func withTmpfs(size: String, _ body: (FilePath) async throws -> Void) async throws {
    try await withScratch { scratch in
        try await withMount(["-t", "tmpfs", "-o", "size=\(size)", "tmpfs"], at: scratch.appending("tmpfs"), body)
    }
}

/// An ext4 file system of its own, made with these options of mkfs.
func withExt4(options: [String], _ body: (FilePath) async throws -> Void) async throws {
    try await withScratch { scratch in
        let image = scratch.appending("image")
        try write("", to: image)
        let made = try await runProgram("mkfs.ext4", ["-q", "-F"] + options + [image.string, "8m"])
        try #require(made.succeeded, "\(made.lastErrors)")
        try await withMount(["-o", "loop", image.string], at: scratch.appending("ext4"), body)
    }
}

func withMount(
    _ arguments: [String], at mountPoint: FilePath, _ body: (FilePath) async throws -> Void
) async throws {
    if (try? FileSystem.status(of: mountPoint)) == nil { try FileSystem.createDirectory(mountPoint) }
    let mount = try await runProgram("mount", arguments + [mountPoint.string])
    try #require(mount.succeeded, "\(mount.lastErrors)")
    do {
        try await body(mountPoint)
    } catch {
        try await unmount(mountPoint)
        throw error
    }
    try await unmount(mountPoint)
}
