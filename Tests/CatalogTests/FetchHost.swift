import Borg
import DumpCore
import Linux
import Logging
import Processes
import SystemPackage
import TestSupport

@testable import Catalog

extension TestHost {
    /// A host with two dumps, `app` of databases and `documents` of a directory, and an archive of both.
    static func withArchive(
        _ body: (inout TestHost, _ set: ArchivedSet) async throws -> Void
    ) async throws {
        try await TestHost.with { host in
            try FileSystem.createDirectory(host.source)
            try FileSystem.createDirectory(host.source.appending("drawer"))
            try write("dear\n", to: host.letter)
            try write("one\ntwo\n", to: host.source.appending("drawer/list"))
            host.job.dumpLines += ["  documents:", "    provider: directory", "    path: \(host.source)"]
            try await host.mustRun()
            let catalog = ArchiveCatalog(of: try await host.openRepository(), log: .silent)
            try await body(&host, ArchivedSet(try await catalog.find("latest")[0]))
        }
    }

    private func mustRun() async throws {
        let result = try await muster("run")
        guard result.status == .exited(0) else { throw HostError(description: result.errors) }
    }

    /// The repository by its location alone. What Borg is asked for is in `asked`.
    func openRepository() async throws -> BorgRepository {
        let borg = try await BorgUnderTest.oldstable.warm
        try fake("borg-asked", "echo \"$*\" >> \(scratch)/asked\nexec \(borg) \"$@\"")
        var settings = RepositorySettings()
        settings.location = repository.string
        settings.program = bin.appending("borg-asked").string
        let home = scratch.appending("borg-of-test")
        return BorgRepository(
            name: "local", settings: settings,
            passphrase: Secret(String(try read(scratch.appending("passphrase")).dropLast())),
            environment: ["BORG_BASE_DIR": home.string, "BORG_SELFTEST": "disabled"],
            runner: ProgramRunner(keeper: keeperExecutable, log: .silent), log: .silent)
    }

    /// Everything below a directory, directories left out.
    func names(in root: FilePath) throws -> [String] {
        try FileTree(root).entries().filter { $0.status.kind != .directory }.map(\.path.string)
    }
}
