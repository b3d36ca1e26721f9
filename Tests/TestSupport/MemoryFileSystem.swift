import SystemPackage

/// A file system in memory with room for `kibibytes`, mounted for as long as `body` runs. It serves as a disk that really fills up soon, or
/// on which a thousand files are created and removed in no time.
public func withMemoryFileSystem<Result>(
    kibibytes: Int, mode: String = "0700", at directory: FilePath, _ body: () async throws -> Result
) async throws -> Result {
    let mounted = try await runProgram(
        "mount", ["-t", "tmpfs", "-o", "size=\(kibibytes)k,mode=\(mode)", "tmpfs", directory.string])
    precondition(mounted.succeeded, mounted.lastErrors)
    func unmount() async throws { _ = try await runProgram("umount", ["--lazy", directory.string]) }
    do {
        let result = try await body()
        try await unmount()
        return result
    } catch {
        try await unmount()
        throw error
    }
}
