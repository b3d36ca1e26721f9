import Checksums
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("An archive whose manifest Muster did not write")
struct ForgedManifestTests {
    private static let commands = [["list"], ["diff", "latest"], ["extract"]]

    @Test("A newer one is refused as such by whatever reads it", arguments: BorgUnderTest.allCases)
    func newer(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version) { host in
            try await host.mustSucceed("run")
            let name = try await host.forgedArchive {
                $0.replacing("\"format_version\" : 1", with: "\"format_version\" : 3")
            }
            for command in Self.commands {
                let refused = try await host.reading(command, name)
                #expect(refused.status == .exited(4), "\(command): \(refused.errors)")
                #expect(
                    refused.errors.contains(
                        """
                        the manifest in archive '\(name)' of repository 'local' has format version 3, and this Muster knows up to 2
                          hint: Use the Muster that wrote it, or a newer one.
                        """), "\(command): \(refused.errors)")
            }
            // The others are listed all the same.
            #expect(try await host.mustSucceed("list").contains(name))
        }
    }

    @Test("A hostile one is refused by whatever reads it, and nothing is made of it", arguments: BorgUnderTest.allCases)
    func hostile(version: BorgUnderTest) async throws {
        try await TestHost.with(version) { host in
            try await host.mustSucceed("run")
            let name = try await host.forgedArchive {
                $0.replacing("\"path\" : \"databases/", with: "\"path\" : \"../../databases/")
            }
            for command in Self.commands {
                let refused = try await host.reading(command, name)
                #expect(refused.status == .exited(5), "\(command): \(refused.errors)")
                #expect(
                    refused.errors.contains("is not a manifest that Muster wrote: the place of database "),
                    "\(command): \(refused.errors)")
            }
        }
    }

    @Test("No difference is made of a list of files that is not the one its manifest vouches for")
    func otherList() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let name = try await host.forgedArchive {
                $0.replacing(/(checksums\/[a-z]+\.sha256",\s*"sha256" : ")[0-9a-f]{4}/) { "\($0.output.1)0000" }
            }
            let refused = try await host.reading(["diff", "latest"], name)
            #expect(refused.status == .exited(5), "\(refused.errors)")
            #expect(
                refused.errors.contains(
                    ".sha256 in archive '\(name)' of repository 'local' is not the list that the manifest vouches for"),
                "\(refused.errors)")
        }
    }
}

extension TestHost {
    fileprivate func reading(_ command: [String], _ archive: String) async throws -> Command.Result {
        let target = scratch.appending("restored")
        let words = command + [archive] + (command == ["extract"] ? ["--into", target.string] : [])
        let result = try await start(words).result()
        #expect(access(target.string, F_OK) != 0)
        return result
    }

    /// Has plain Borg archive a copy of the current set with another manifest, which the archive's comment vouches for.
    ///
    /// - Parameter year: tells one from another.
    func forgedArchive(inYear year: Int = 2040, _ forge: (String) -> String) async throws -> String {
        let honest = try read(current.appending("manifest.json"))
        let forged = forge(honest)
        try #require(forged != honest)
        let digests = try [honest, forged].map { try sha256(of: Array($0.utf8)) }
        let archive = try await newestArchive()
        let comment = try await comment(of: archive).replacing(digests[0], with: digests[1])
        return try await damagedArchive(like: archive, comment, inYear: year) {
            try write(forged, to: $0.appending("manifest.json"))
        }
    }
}
