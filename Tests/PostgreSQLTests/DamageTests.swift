import Conformance
import DumpCore
import Linux
import PostgreSQL
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite("Dumps that come out damaged")
struct DamageTests {
    /// What a pg_dump may do instead of a good dump of `shop`, whose largest data file is that of `orders`.
    enum Fault: String, CaseIterable, CustomTestStringConvertible {
        case fails = "echo 'pg_dump: error: out of luck' >&2; exit 1"
        case isKilled = "$REAL/pg_dump \"$@\"; rm $OUT/toc.dat; kill -9 $$"
        case cutsARow = "$REAL/pg_dump \"$@\" && truncate -s 1000 $(largest)"
        case leavesOutTheTerminator = "$REAL/pg_dump \"$@\" && truncate -s -5 $(largest)"
        case cutsOneByte = "$REAL/pg_dump \"$@\" && truncate -s -1 $(largest)"
        case writesAnEmptyFile = "$REAL/pg_dump \"$@\" && truncate -s 0 $(largest)"
        case leavesOutAFile = "$REAL/pg_dump \"$@\" && rm $(largest)"
        case writesAnotherFile = "$REAL/pg_dump \"$@\" && echo > $OUT/1.dat"
        case leavesALink = "$REAL/pg_dump \"$@\" && ln -s /etc/passwd $OUT/1.dat"
        case cutsTheContents = "$REAL/pg_dump \"$@\" && truncate -s -100 $OUT/toc.dat"
        case writesNothing = "exit 0"
        case compresses = "$REAL/pg_dump \"${@/--compress=0/--compress=1}\""

        var testDescription: String { "pg_dump \(self)" }

        var script: String {
            """
            OUT=\(Program.directoryPath)
            largest() { ls -S $OUT/*.dat | grep -v toc.dat | head -1; }
            \(rawValue)
            """
        }
    }

    @Test("No damage that pg_dump leaves passes for a dump", arguments: Fault.allCases)
    func damage(fault: Fault) async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider {
                $0.binDirectory = try? cluster.clientPrograms(pgDump: fault.script)
                $0.include = ["shop"]
            }
            let directory = try cluster.newDirectory()
            let error = try await dumpError { try await TestRun().dump(provider, into: directory) }
            let target = directory.appending("databases/shop")
            // The files are still there: the pipeline throws them away, not the provider.
            let data = try FileSystem.names(in: target).map(\.string).filter { $0.hasSuffix(".dat") }
            let incomplete = "the dump of database 'shop' is not complete: "
            switch fault {
            case .fails:
                #expect(
                    error.description == """
                        pg_dump of database 'shop' exited with status 1
                          dump: app
                          stderr: pg_dump: error: out of luck
                          database: shop
                        """)
            case .isKilled:
                #expect(error.code == .programFailed)
                #expect(error.message == "pg_dump of database 'shop' was ended by signal 9 (SIGKILL)")
            case .cutsARow, .leavesOutTheTerminator, .cutsOneByte:
                #expect(
                    data.contains {
                        error.message
                            == incomplete + "the data file \($0) of table public.orders ends before its last line"
                    }, "\(error.message)")
                #expect(error.context["database"] == "shop")
            case .writesAnEmptyFile:
                #expect(
                    data.contains {
                        error.message == incomplete + "the data file \($0) of table public.orders is empty"
                    }, "\(error.message)")
            case .leavesOutAFile:
                #expect(error.message.hasPrefix(incomplete + "the data file "))
                #expect(error.message.hasSuffix(".dat of table public.orders is missing"), "\(error.message)")
            case .writesAnotherFile:
                #expect(error.message == incomplete + "its table of contents does not name the file 1.dat")
                #expect(error.context["file"] == "\(target)/1.dat")
            case .leavesALink:
                #expect(error.code.rawValue == "foreign_file")
                #expect(error.message == "\(target)/1.dat is not a regular file")
                #expect(try FileSystem.status(of: "/etc/passwd").mode == 0o644)
            case .cutsTheContents, .writesNothing:
                // pg_restore cannot read that either, and says so with the real path.
                #expect(error.message == "pg_restore of database 'shop' exited with status 1")
                #expect(error.context["stderr"]?.contains(Program.directoryPath.string) == false)
            case .compresses:
                #expect(error.message == incomplete + "pg_dump compressed it although it was told not to")
            }
            if error.code == .incompleteDump {
                #expect(error.hint?.hasPrefix("Run it again.") == true)
            }
            try await eventually { try await cluster.leftovers().isEmpty }
        }
    }

    enum ScriptFault: String, CaseIterable {
        case fails = "exit 1"
        case isCut = "$REAL/pg_dumpall \"$@\" | head -c 3000"
        case losesItsEnd = "$REAL/pg_dumpall \"$@\" | grep -v 'cluster dump complete'"
        case isEmpty = "exit 0"
        case losesADatabase = "$REAL/pg_dumpall --exclude-database=app \"$@\""
        case losesADatabasesEnd =
            "$REAL/pg_dumpall \"$@\" | sed '0,/database dump complete/ s/database dump complete//'"
    }

    @Test(
        "A script that an old pg_dumpall wrote is warned of, as psql obeys what names in it say",
        arguments: [true, false])
    func unrestricted(isOld: Bool) async throws {
        try await ClusterFixture.withShop { cluster in
            let old = #"$REAL/pg_dumpall "$@" | sed '/^\\\(un\)\?restrict /d'"#
            let provider = cluster.provider {
                $0.binDirectory = try? cluster.clientPrograms(
                    pgDump: "exec $REAL/pg_dump \"$@\"", pgDumpAll: isOld ? old : nil)
            }
            let findings = try await TestRun().dump(provider, into: cluster.newDirectory()).findings
            #expect(findings.filter { $0.code == "script_not_restricted" }.map(\.object) == (isOld ? ["globals"] : []))
        }
    }

    @Test("No damage that pg_dumpall leaves passes for a dump of the cluster", arguments: ScriptFault.allCases)
    func scriptDamage(fault: ScriptFault) async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider {
                $0.binDirectory = try? cluster.clientPrograms(
                    pgDump: "exec $REAL/pg_dump \"$@\"", pgDumpAll: fault.rawValue)
                $0.layout = .cluster
            }
            let error = try await dumpError { try await TestRun().dump(provider, into: cluster.newDirectory()) }
            let incomplete = "the dump of the cluster is not complete: "
            switch fault {
            case .fails: #expect(error.message == "pg_dumpall of the cluster exited with status 1")
            case .isCut, .losesItsEnd, .isEmpty:
                #expect(error.message == incomplete + "it does not end with 'database cluster dump complete'")
            case .losesADatabase: #expect(error.message == incomplete + "not in it: database 'app'")
            case .losesADatabasesEnd:
                #expect(error.message == incomplete + "not in it: database 'app', 'postgres', 'shop', 'template1'")
            }
        }
    }
}
