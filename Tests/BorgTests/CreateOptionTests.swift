import DumpCore
import Linux
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("How archives are created")
struct CreateOptionTests {
    @Test("What the job file says of a creation reaches Borg", arguments: BorgUnderTest.allCases)
    func options(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let said = host.borg.scratch.appending("said")
            let fake = try host.borg.fakeBorg("[ $VERB = create ] && printf '%s\\n' \"$@\" > \(said)")
            let repository = host.repository(program: fake) {
                $0.creation.compression = "zstd,3"
                $0.creation.chunkerParams = "buzhash,15,19,17,4095"
                $0.creation.uploadRateLimit = 1_000_000
                $0.creation.extraArguments = ["--checkpoint-interval=600", "--noatime"]
            }
            let confirmed = try await repository.create(try host.seal())
            let arguments = try read(said)
            for option in [
                "--compression\nzstd,3\n", "--chunker-params\nbuzhash,15,19,17,4095\n", "--upload-ratelimit\n1000000\n",
                "--checkpoint-interval=600\n", "--noatime\n",
            ] { #expect(arguments.contains(option)) }
            let info = try await host.borg.borg(["info", "--json", "::" + confirmed.archive.name])
            let chunker = info.filter { !$0.isWhitespace }
            #expect(chunker.contains(#""chunker_params":["buzhash",15,19,17,4095]"#), "\(info)")
        }
    }

    @Test("An option that Borg does not know is an error, and makes no archive", arguments: BorgUnderTest.allCases)
    func unknownOption(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let repository = host.repository { $0.creation.extraArguments = ["--no-such-option"] }
            let set = try host.seal()
            let error = try await borgError { _ = try await repository.create(set) }
            #expect(error?.context["borg"]?.contains("--no-such-option") == true, "\(String(describing: error))")
            #expect(try await host.archives() == ["foreign"])
        }
    }

    @Test("The key goes to a file of its owner's, with which the repository opens", arguments: BorgUnderTest.allCases)
    func keyExport(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let path = host.borg.scratch.appending("key")
            let repository = host.repository()
            try await repository.exportKey(to: path)
            #expect(try FileSystem.status(of: path).mode == 0o600)
            #expect(try read(path).hasPrefix("BORG_KEY "))
            try await repository.exportKey(to: path)

            // Without its key, the repository opens no more. With the exported one it does again.
            let configuration = host.borg.repository.appending("config")
            let text = try read(configuration)
            let keyless = text.split(separator: "\n", omittingEmptySubsequences: false).filter {
                !$0.hasPrefix("key =") && !$0.hasPrefix("\t")
            }
            try write(keyless.joined(separator: "\n"), to: configuration)
            #expect(try await borgError { _ = try await repository.archives() }?.code == .keyUnusable)
            try await host.borg.borg(["key", "import", "::", path.string])
            #expect(try await repository.archives().map(\.name) == ["foreign"])
        }
    }

    @Test("The key is closed to others whatever its directory hands on, and follows no link that is in its place")
    func keyExportExposed() async throws {
        try await Host.withRepository(.stable) { host in
            let directory = host.borg.scratch.appending("open")
            try FileSystem.createDirectory(directory)
            try await output("setfacl", "-d", "-m", "u:23456:rwx,o::rwx", directory.string)
            let path = directory.appending("key")
            try await host.repository().exportKey(to: path)
            #expect(try FileSystem.status(of: path).mode == 0o600)
            let access = try await output("getfacl", "--omit-header", "--absolute-names", path.string)
            #expect(access.split(separator: "\n") == ["user::rw-", "group::---", "other::---"])
            #expect(try FileSystem.names(in: directory) == ["key"])

            let victim = host.borg.scratch.appending("victim")
            try write("original", to: victim)
            for name in ["linked", "linked.new"] {
                try await output("ln", "-s", victim.string, directory.appending(name).string)
            }
            let error = try await borgError { try await host.repository().exportKey(to: directory.appending("linked")) }
            #expect(error?.message.hasSuffix(": there is another file") == true)
            #expect(try read(victim) == "original")
        }
    }

    @Test("A file that is there already is not overwritten by a key")
    func keyExportTaken() async throws {
        try await Host.withRepository(.stable) { host in
            let path = host.borg.scratch.appending("key")
            try write("mine", to: path)
            let error = try await borgError { try await host.repository().exportKey(to: path) }
            #expect(
                error?.description == """
                    cannot export the key of repository 'offsite' to \(path): there is another file
                      key_export: \(path)
                      hint: Move it away, or change key_export:.
                    """)
            #expect(try read(path) == "mine")
            // The key of a repository that was here before, or is elsewhere.
            let other = "BORG_KEY \(String(repeating: "0f", count: 32))\n"
            try write(other, to: path)
            let stale = try await borgError { try await host.repository().exportKey(to: path) }
            #expect(stale?.message.hasSuffix("to \(path): it holds the key of another repository") == true)
            #expect(try read(path) == other)
            #expect(try !FileSystem.names(in: host.borg.scratch).contains { $0.string.hasPrefix(".muster-") })
        }
    }
}
