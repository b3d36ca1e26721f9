import Linux
import SystemPackage

/// An ext4 file system in a file, mounted at `<scratch>/ext4` for as long as `body` runs.
///
/// - Parameters:
///   - size: as truncate(1) takes it.
///   - options: of mkfs.ext4(8).
public func withExt4FileSystem<Result>(
    in scratch: FilePath, size: String, _ options: String..., body: (FilePath) async throws -> Result
) async throws -> Result {
    let (image, point) = (scratch.appending("ext4.image"), scratch.appending("ext4"))
    try FileSystem.createDirectory(point)
    try await output("truncate", "--size", size, image.string)
    for words in [
        ["mkfs.ext4", "-q"] + options + [image.string], ["mount", "-o", "loop", image.string, point.string],
    ] {
        let outcome = try await runProgram(words[0], Array(words.dropFirst()))
        guard outcome.succeeded else { throw HostError(description: "\(words): \(outcome.lastErrors)") }
    }
    return try await withCleanup { cleanup in
        cleanup.append { try await unmount(point) }
        return try await body(point)
    }
}
