import DumpCore
import Linux
import Processes
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("Acceptance")
struct AcceptanceTests {
    /// What goes wrong in one create, as a script in front of the real Borg, and the clauses that must notice.
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var script: String
        var clauses: [Acceptance.Clause]

        init(_ description: String, _ script: String, _ clauses: [Acceptance.Clause]) {
            testDescription = description
            self.script = "if [ $VERB = create ]; then cd $SET; \(script)\nfi"
            self.clauses = clauses
        }

        static let all = [
            Fault("Borg exits with 1 and says nothing", "$BORG \"$@\"; exit 1", [.exitStatus]),
            Fault("Borg makes the archive and reports none", "$BORG \"$@\" >/dev/null; exit 0", [.reported]),
            Fault("Borg exits with 0 and makes no archive", "exit 0", [.reported]),
            Fault("Borg exits with 1 and makes no archive", "exit 1", [.exitStatus, .reported]),
            Fault(
                "Borg reports an archive of another name",
                "$BORG \"$@\" | sed 's/\"name\": \"web1/\"name\": \"web2/'; exit",
                [.reported]),
            Fault(
                "a file changed while Borg read it, and no more is said",
                #"echo '{"type": "file_status", "status": "C", "path": "app/x"}' >&2"#, [.files]),
            Fault(
                "a file could not be read, and no more is said",
                #"echo '{"type": "file_status", "status": "E", "path": "app/x"}' >&2"#, [.files]),
            Fault(
                "Borg warns of something",
                #"echo '{"type": "log_message", "levelname": "WARNING", "name": "borg.archiver", "message": "hm"}' >&2"#,
                [.warnings]),
            Fault("Borg says what cannot be read", #"echo '{"type": "log_mess' >&2"#, [.warnings]),
            Fault(
                "Borg reports the id of another archive",
                #"$BORG "$@" | sed -E 's/"id": "[0-9a-f]{64}"/"id": "'$(printf 'a%.0s' {1..64})'"/'; exit"#, [.identity]
            ),
            Fault("a file vanished before Borg came to it", "rm app/globals.sql", [.listing]),
            Fault("a file has grown", "echo more >> app/globals.sql", [.listing]),
            Fault("a file has come", "echo new > app/new", [.listing]),
            Fault("a file became a directory", "rm app/globals.sql; mkdir app/globals.sql", [.listing]),
            Fault("a file became a link", "ln -sf /etc/hostname app/globals.sql", [.listing]),
            Fault(
                "the manifest has other bytes, for the while",
                "cp manifest.json ../m; tr 0-9 5 <../m >manifest.json; $BORG \"$@\"; s=$?; cp ../m manifest.json; exit $s",
                [.manifest]),
            Fault("the manifest is cut short", "truncate -s -5 manifest.json", [.listing, .manifest]),
        ]
    }

    @Test(
        "An archive with a fault is refused, named by its clauses, and deleted; another's stays",
        arguments: BorgUnderTest.allCases, Fault.all)
    func refused(version: BorgUnderTest, fault: Fault) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let fake = try host.borg.fakeBorg("SET=\(host.current)\n\(fault.script)")
            let error = try #require(
                try await borgError { _ = try await host.repository(program: fake).create(set, at: Host.time) })
            #expect(error.code == .notFaithful)
            let failed = error.context["violated"]?.split(separator: "\n").map { $0.prefix { $0 != ":" } }
            #expect(failed == fault.clauses.map { $0.rawValue[...] })
            #expect(error.untrustedArchive == nil, "\(error)")
            #expect(try await host.archives() == ["foreign"])
        }
    }

    @Test("The error says which clause failed, what was found, and that the archive is gone")
    func errorText() async throws {
        try await Host.withRepository(.stable) { host in
            let set = try host.seal()
            let fake = try host.borg.fakeBorg("if [ $VERB = create ]; then rm \(host.current)/app/globals.sql; fi")
            let error = try await borgError { _ = try await host.repository(program: fake).create(set, at: Host.time) }
            #expect(
                error?.description == """
                    archive '\(Host.archiveName)' in repository 'offsite' is not a faithful copy of the set: \
                    app/globals.sql is missing
                      location: \(host.borg.repository)
                      violated: the archive lists exactly the set: app/globals.sql is missing
                      archive: \(Host.archiveName) (deleted)
                      hint: Find out what else writes to the staging area, then run muster archive.
                    """)
        }
    }

    @Test(
        "An archive that cannot be read back is deleted, and the error is of the reading",
        arguments: BorgUnderTest.allCases)
    func unreadable(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let fake = try host.borg.fakeBorg(#"[[ "$*" != *"list ::"* ]] || { echo broken >&2; exit 2; }"#)
            let error = try await borgError { _ = try await host.repository(program: fake).create(set, at: Host.time) }
            #expect(
                error?.description == """
                    borg list on repository 'offsite' exited with status 2
                      location: \(host.borg.repository)
                      borg: broken
                      archive: \(Host.archiveName) (deleted)
                    """)
            #expect(try await host.archives() == ["foreign"])
        }
    }

    @Test("A refused archive that cannot be deleted is named as one not to trust", arguments: BorgUnderTest.allCases)
    func undeletable(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let fake = try host.borg.fakeBorg(
                "[ $VERB != create ] || rm \(host.current)/app/globals.sql; [ $VERB != delete ] || exit 2")
            let error = try await borgError { _ = try await host.repository(program: fake).create(set, at: Host.time) }
            #expect(error?.untrustedArchive == Host.archiveName)
            #expect(error?.context["archive"] == "\(Host.archiveName) (may be there, could not be deleted)")
            #expect(error?.context["obstacle"] == "borg delete on repository 'offsite' exited with status 2")
            #expect(
                error?.hint == """
                    Do not trust archive '\(Host.archiveName)': delete it with borg delete. \
                    Find out what else writes to the staging area, then run muster archive.
                    """)
        }
    }

    @Test(
        "An archive of the same name that was there before is neither replaced nor deleted",
        arguments: BorgUnderTest.allCases)
    func nameTaken(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            try await host.borg.borg(["create", "::" + Host.archiveName, "/etc/hostname"])
            let error = try await borgError { _ = try await host.repository().create(set, at: Host.time) }
            #expect(error?.code == .archiveExists)
            // Even if Borg says nothing of it.
            let silent = try host.borg.fakeBorg("[ $VERB != create ] || exit 0")
            let refused = try await borgError {
                _ = try await host.repository(program: silent).create(set, at: Host.time)
            }
            #expect(refused?.context["archive"] == "\(Host.archiveName) (left alone, another made it)")
            #expect(try await host.archives() == ["foreign", Host.archiveName])
        }
    }

    @Test("A file that changes while Borg reads it", arguments: BorgUnderTest.allCases)
    func reallyChanging(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal(["app/big": String(64 << 20, of: "x")])
            let fake = try host.borg.fakeBorg(
                """
                if [ $VERB = create ]; then
                    (while :; do chmod 600 \(host.current)/app/big; sleep 0.01; done) &
                fi
                """)
            let error = try await borgError { _ = try await host.repository(program: fake).create(set, at: Host.time) }
            #expect(error?.code == .notFaithful)
            #expect(error?.context["violated"]?.contains("no file changed or was unreadable: C app/big") == true)
            #expect(try await host.archives() == ["foreign"])
        }
    }

    @Test("A whole dump that vanishes", arguments: BorgUnderTest.allCases)
    func dumpVanishes(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let fake = try host.borg.fakeBorg("[ $VERB != create ] || rm -r \(host.current)/app")
            let error = try await borgError { _ = try await host.repository(program: fake).create(set, at: Host.time) }
            #expect(error?.code == .notFaithful)
            #expect(error?.context["violated"]?.contains("Borg warns of nothing: ") == true)
            #expect(try await host.archives() == ["foreign"])
        }
    }
}
