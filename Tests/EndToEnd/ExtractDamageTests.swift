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

    var index: Int { Self.allCases.firstIndex(of: self)! }

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
        arguments: BorgUnderTest.allCases)
    func damaged(version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            let comment = try await host.comment(of: name)
            for damage in ArchiveDamage.allCases {
                let damaged = try await host.damagedArchive(like: name, comment, inYear: 2040 + damage.index, damage.do)
                try await expectRefusal(of: damaged, damage, host)
            }
        }
    }

    private func expectRefusal(of name: String, _ damage: ArchiveDamage, _ host: TestHost) async throws {
        let target = host.scratch.appending("restored-\(damage)")
        let refused = try await host.muster("extract", name, "--into", target.string)
        #expect(refused.status == .exited(5), "\(damage): \(refused.errors)")
        #expect(refused.errors.contains(damage.named), "\(damage): \(refused.errors)")
        #expect(access(target.string, F_OK) != 0, "\(damage)")
        let kept = "\(target).unverified"
        #expect((access(kept, F_OK) == 0) != damage.stopsEarly, "\(damage)")
        #expect(try host.hiddenNames().isEmpty, "\(damage)")
        guard !damage.stopsEarly else { return }
        #expect(refused.errors.contains("kept: \(kept), which is NOT VERIFIED"), "\(damage): \(refused.errors)")
        // What is whole can be had, and what is not cannot be had by another way.
        try await host.mustSucceed("extract", name, "app/databases/library", "--into", target.string)
        guard damage != .missing else { return }
        let part = damage == .extra ? "app" : "app/databases/shop"
        let partly = try await host.muster("extract", name, part, "--into", "\(target)-part")
        #expect(partly.status == .exited(5), "\(damage): \(partly.errors)")
    }
}

extension TestHost {
    /// Has plain Borg archive a copy of the current set to which something was done, in the job's name. Returns the archive's name.
    ///
    /// - Parameters:
    ///   - archive: of that set.
    ///   - comment: of the new archive.
    ///   - year: in its name.
    func damagedArchive(
        like archive: String, _ comment: String, inYear year: Int = 2040, _ damage: (FilePath) throws -> Void
    ) async throws -> String {
        let copy = scratch.appending("copy-\(year)")
        let copied = try await command("/bin/cp", "-a", current.string, copy.string)
        try #require(copied.status == .exited(0))
        try damage(copy)
        let name = archive.dropLast("2026-11-23T08:01:02Z".count) + "\(year)-01-01T00:00:00Z"
        let created = try await borg(
            "create", "--comment", comment, "::\(name)", "app", "checksums", "manifest.json", in: copy)
        try #require(created.status == .exited(0), "\(created.errors)")
        return String(name)
    }
}
