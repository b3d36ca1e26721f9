import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

/// One after the other: each mounts something.
@Suite("A restore of a directory that could not be made", .serialized)
struct RestoreFindingTests {
    private func failures(
        _ host: RestoreHost, _ placement: RestoreRequest.Placement, _ items: [String] = []
    ) async throws -> [String] {
        try await host.prepared(placement, items).findings.filter { $0.severity == .failure }.map(\.code)
    }

    @Test("says so before anything is changed")
    func findings() async throws {
        try await RestoreHost.with { host in
            #expect(try await failures(host, .beside) == [])
            #expect(try await failures(host, .replacing) == [])
            #expect(try await failures(host, .named("\(host.target)")) == ["occupied"])
            #expect(try await failures(host, .named("/nowhere/at/all")) == ["no_parent"])
            #expect(try await failures(host, .beside, ["plain/fiel"]) == ["not_in_dump"])
            let link = host.host.scratch.appending("moved")
            try FileSystem.rename(host.target, to: link)
            #expect(symlink("moved", host.target.string) == 0)
            #expect(try await failures(host, .replacing) == ["target"])
        }
    }

    @Test("is refused for what cannot be meant")
    func settings() async throws {
        try await RestoreHost.with { host in
            for (placement, items) in [
                (.beside, ["../etc"]), (.beside, ["/etc"]), (.named("relative"), []),
                (.named("/srv/x"), ["plain/file", "plain/old"]), (.beside, ["plain", "plain/sub"]),
            ] as [(RestoreRequest.Placement, [String])] {
                let error = await #expect(throws: DumpError.self) { try await host.prepared(placement, items) }
                #expect(error?.code == .settings, "\(items)")
            }
        }
    }

    @Test("is refused where something is mounted: there, below, or elsewhere from there")
    func mounts() async throws {
        try await RestoreHost.with { host in
            let (target, elsewhere) = (host.target.string, host.host.scratch.appending("elsewhere"))
            try FileSystem.createDirectory(elsewhere)
            for (words, code) in [
                (["--bind", target, target], "mount_point"),
                (["-t", "tmpfs", "tmpfs", "\(target)/empty"], "mounted_below"),
                (["--bind", "\(target)/plain", elsewhere.string], "in_use"),
            ] {
                let mounted = try await runProgram("mount", words)
                try #require(mounted.succeeded, "\(mounted.lastErrors)")
                let found = try await failures(host, .replacing)
                try await unmount(FilePath(words.last ?? ""))
                #expect(found == [code])
                // Beside it, nothing is exchanged.
                #expect(try await failures(host, .beside) == [])
            }
        }
    }

    @Test("of owners that this host does not know has a note that names their numbers")
    func unknownOwners() async throws {
        try await RestoreHost.with { host in
            let notes = try await host.prepared(.beside).findings
            #expect(notes.map(\.code) == ["unknown_owner"])
            #expect(notes.first?.severity == .note)
            #expect(
                notes.first?.message.contains("user 1234") == true
                    && notes.first?.message.contains("group 4321") == true)
        }
    }

    @Test("by a user who is not root has a finding, if the tree has files of others")
    func notRoot() async throws {
        try await RestoreHost.with { host in
            let digest = try #require(host.dump.summary.tree?.inventorySHA256)
            await #expect(processExitsWith: .success) {
                [path = host.dump.directory.string as String, digest = digest as String] in
                let tree = TreeContents(
                    path: "tree", inventory: "tree.mtree", inventorySHA256: digest, entries: 100, bytes: 1 << 20)
                let files = HeldFile(bytes: try FileSystem.bytes(of: FilePath(path).appending("tree.mtree")))
                let codes = { try await InventorySurvey(of: tree, [FilePath()], reading: files).findings.map(\.code) }
                #expect(try await codes() == ["unknown_owner"])
                #expect(seteuid(65534) == 0)
                #expect(try await codes() == ["cannot_preserve", "unknown_owner"])
                // The address sanitizer looks for leaks at the end, and only root may look into a process that was another user's.
                #expect(seteuid(0) == 0)
            }
        }
    }
}

/// A file that was read while that was allowed.
private struct HeldFile: DumpFiles {
    let bytes: [UInt8]

    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8] { bytes }
}
