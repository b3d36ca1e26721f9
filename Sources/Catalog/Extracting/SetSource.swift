import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// Where a restore finds a set: in an archive, or on disk.
public protocol SetSource: Sendable {
    /// For people and reports, such as `archive 'web1-nightly-2026-11-23T08:01:02Z' in offsite`.
    var description: String { get }

    /// What the set holds. Asked once; later calls cost nothing.
    func manifest() async throws -> Manifest

    /// For a look at single files of a dump, before anything is fetched.
    func files(of dump: Manifest.DumpRecord) -> any DumpFiles

    /// Puts the set, or parts of it, into a room, and shows that they are what was sealed. Only what is asked for is read, and what vouches
    /// for it.
    ///
    /// Throws errors for the operator only. What is in the room then is not verified, and of no use.
    ///
    /// - Parameters:
    ///   - parts: of any dumps; nil is all of the set.
    ///   - room: with nothing in it.
    func fetch(
        _ parts: [SetPart]?, into room: FetchRoom, display: any ProgressDisplay, log: Logger
    ) async throws -> FetchedSet
}

/// A manifest that is read once.
actor KnownManifest {
    private var known: Manifest?

    func read(_ read: @Sendable () async throws -> Manifest) async throws -> Manifest {
        if let known { return known }
        let manifest = try await read()
        known = manifest
        return manifest
    }
}

extension Manifest {
    /// What the parts have at most: the bytes of their dumps.
    func mostBytes(of parts: [SetPart]?) -> Int64 {
        guard let parts else { return archivedBytes }
        let names = Set(parts.map(\.dump))
        return dumps.lazy.filter { names.contains($0.name) }.map(\.archivedBytes).total
    }

    /// Whether the parts are whole dumps.
    func areWholeDumps(_ parts: [SetPart]?) -> Bool {
        let directories = Set(dumps.map(\.directory))
        return parts?.allSatisfy { directories.contains($0.path) } ?? true
    }
}

extension FetchRoom {
    /// Throws unless so many bytes fit.
    func requireSpace(for bytes: Int64) throws(ArchiveError) {
        let free: Int64
        do {
            free = try availableBytes()
        } catch {
            throw ArchiveError(.target, "cannot use \(path): \(error)")
        }
        guard free < bytes else { return }
        throw ArchiveError(
            .noSpace,
            "no space in \(path.removingLastComponent()): \(formatBytes(bytes)) needed, \(formatBytes(free)) free",
            hint: "Restore less at once, or name a larger file system: TMPDIR=/path/of/a/directory muster restore …",
            context: ["needed_bytes": "\(bytes)", "free_bytes": "\(free)"])
    }

    func availableBytes() throws(Errno) -> Int64 { try FileSystem.availableBytes(at: directory.unmistakablePath) }
}
