import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// What was done to a set before plain Borg archived it under a name and comment of ours.
enum ArchiveDamage: String, CaseIterable, CustomTestStringConvertible {
    case content, missing, extra, list, listMissing, manifest

    var testDescription: String { rawValue }

    func `do`(to set: FilePath) throws {
        let file = set.appending("app/databases/shop/toc.dat")
        let list = set.appending("checksums/app.sha256")
        switch self {
        case .content: try write("P" + read(file).dropFirst(), to: file)
        case .missing: try FileSystem.removeFile(file)
        case .extra: try write("x", to: set.appending("app/stray"))
        case .list: try write(read(list).replacing("a", with: "b"), to: list)
        case .listMissing: try FileSystem.removeFile(list)
        case .manifest: try write(read(set.appending("manifest.json")) + "\n", to: set.appending("manifest.json"))
        }
    }

    /// What the error names.
    var named: String {
        switch self {
        case .content: "app/databases/shop/toc.dat: changed, its SHA-256 is "
        case .missing: "app/databases/shop/toc.dat: missing"
        case .extra: "app/stray: not in the manifest"
        case .list, .listMissing: "checksums"
        case .manifest: "manifest.json in archive"
        }
    }

    /// Without manifest and lists there is nothing to verify anything against, and nothing is extracted.
    var stopsEarly: Bool { [.list, .listMissing, .manifest].contains(self) }
}

@Suite("Extracting from an archive that is not what was sealed")
struct ExtractDamageTests {
    @Test(
        "ends with 5, names the file, makes no directory of that name and keeps what there is",
        arguments: ArchiveDamage.allCases,
        BorgUnderTest.allCases)
    func damaged(damage: ArchiveDamage, version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            try await host.mustSucceed("run")
            let name = try await host.damagedArchive(damage.do)
            let target = host.scratch.appending("restored")
            let refused = try await host.muster("extract", name, "--into", target.string)
            #expect(refused.status == .exited(5), "\(refused.errors)")
            #expect(refused.errors.contains(damage.named), "\(refused.errors)")
            #expect(access(target.string, F_OK) != 0)
            let kept = host.scratch.appending("restored.unverified")
            #expect((access(kept.string, F_OK) == 0) != damage.stopsEarly)
            #expect(try host.hiddenNames().isEmpty)
            guard !damage.stopsEarly else { return }
            #expect(refused.errors.contains("kept: \(kept), which is NOT VERIFIED"), "\(refused.errors)")
            // What is whole can be had, and what is not cannot be had by another way.
            try await host.mustSucceed("extract", name, "app/databases/library", "--into", target.string)
            let part =
                damage == .missing
                ? nil
                : try await host.muster(
                    "extract", name, damage == .extra ? "app" : "app/databases/shop", "--into", "\(target)-part")
            #expect(part == nil || part?.status == .exited(5))
        }
    }
}

extension TestHost {
    /// Has plain Borg archive a copy of the current set to which something was done, in the job's name. Returns the archive's name.
    func damagedArchive(
        _ damage: (FilePath) throws -> Void, comment change: (String) -> String = { $0 }
    ) async throws -> String {
        let info = try await borg("info", "--json", "::" + newestArchive())
        let comment = try await value("d['archives'][0]['comment']", of: info.output)
        let copy = scratch.appending("copy")
        let copied = try await command("/bin/cp", "-a", current.string, copy.string)
        try #require(copied.status == .exited(0))
        try damage(copy)
        let name = try await newestArchive().dropLast("2026-11-23T08:01:02Z".count) + "2040-01-01T00:00:00Z"
        let created = try await borg(
            "create", "--comment", change(comment), "::\(name)", "app", "checksums", "manifest.json", in: copy)
        try #require(created.status == .exited(0), "\(created.errors)")
        return String(name)
    }
}
