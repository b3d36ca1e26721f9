import Conformance
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("The bootstrap role in a script of pg_dumpall")
struct BootstrapRoleTests {
    @Test("Only the statements that create or drop it become comments, and the script keeps its length")
    func commentsOut() async throws {
        let padding = String(repeating: "-- a long line of another role ", count: 3000)
        try await expect(
            """
            DROP ROLE IF EXISTS postgres;
            DROP ROLE IF EXISTS postgres2;
            \(padding)
            CREATE ROLE "postgres";
             CREATE ROLE postgres;
            CREATE ROLE postgres;
            ALTER ROLE postgres WITH SUPERUSER;
            \\connect shop
            CREATE ROLE postgres;
            """,
            becomes: """
                --OP ROLE IF EXISTS postgres;
                DROP ROLE IF EXISTS postgres2;
                \(padding)
                CREATE ROLE "postgres";
                 CREATE ROLE postgres;
                --EATE ROLE postgres;
                ALTER ROLE postgres WITH SUPERUSER;
                \\connect shop
                CREATE ROLE postgres;
                """, found: true, of: "postgres")
    }

    @Test("A name that must be quoted is known as pg_dumpall quotes it, also at the very end of a script")
    func quoted() async throws {
        try await expect(
            "CREATE ROLE \"Ad\"\"min\";", becomes: "--EATE ROLE \"Ad\"\"min\";", found: true, of: "\"Ad\"\"min\"")
    }

    @Test(
        "Lines of a name, a comment or a setting that look like its statements, or like the end of roles, stay as they are"
    )
    func quotedLines() async throws {
        let lines = """

            CREATE ROLE postgres;
            \\connect x

            """
        let decoys = """
            CREATE ROLE "a\(lines)";
            COMMENT ON ROLE "a\(lines)" IS 'it''s "odd\(lines)';
            ALTER ROLE b SET x TO E'\\\\''\\'\(lines)';
            -- User Config "b' isn't

            """
        try await expect(
            decoys + "CREATE ROLE postgres;\n\\connect x\nCREATE ROLE postgres;\n",
            becomes: decoys + "--EATE ROLE postgres;\n\\connect x\nCREATE ROLE postgres;\n", found: true, of: "postgres"
        )
    }

    @Test("A script that says it in another way is left alone, and that is told")
    func anotherWay() async throws {
        let script = "CREATE ROLE postgres WITH SUPERUSER;\nCREATE ROLE x;\n"
        try await expect(script, becomes: script, found: false, of: "postgres")
        #expect(
            role("postgres").findingOfCreation.message
                == "the script still creates role postgres, which every server has")
    }

    @Test("The prologue creates it where it has another name, and may be run again")
    func prologue() async throws {
        try await ClusterFixture.with { cluster in
            let role = BootstrapRole(
                identifier: "\"Ad\"\"m'in\"", literal: "'Ad\"m''in'", creation: "'CREATE ROLE \"Ad\"\"m''in\"'",
                spelled: [])
            let script = cluster.server.directory.appending("prologue.sql")
            try write(role.prologue, to: script, mode: FilePermissions(rawValue: 0o644))
            for _ in 0..<2 {
                try await PostgreSQLServer.run(
                    "psql",
                    ["-Xq", "-v", "ON_ERROR_STOP=1", "-d", cluster.server.connection, "-f", script.string])
            }
            let made = try await cluster.server.psql("select count(*) from pg_roles where rolname = 'Ad\"m''in'")
            #expect(made == "1")
        }
    }

    @Test("is found in a script of any encoding, whatever it is called", arguments: ["UTF8", "LATIN1"])
    func anyEncoding(encoding: String) async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql(
                "create database control encoding '\(encoding)' locale 'C' template template0")
            // Who is connected cannot be renamed. Names of roles are kept in the encoding of whatever database one is in.
            try await cluster.server.psql("create role other superuser")
            try await cluster.server.psql(
                """
                set session authorization other; alter role postgres rename to U&"b\\00F6ot x";
                create role postgres superuser login
                """, in: "control")
            let provider = cluster.provider { $0.connection += " dbname=control" }
            let directory = try cluster.newDirectory()
            try await TestRun().dump(provider, into: directory)
            let file = try FileDescriptor.open(directory.appending("globals.sql"), .readOnly)
            let script = try file.closeAfter {
                try [UInt8](unsafeUninitializedCapacity: 1 << 16) { bytes, count in
                    count = try file.read(into: UnsafeMutableRawBufferPointer(bytes))
                }
            }
            let name = encoding == "UTF8" ? Array("böot x".utf8) : Array("b".utf8) + [0xF6] + Array("ot x".utf8)
            let commented = Array("\n--EATE ROLE \"".utf8) + name + Array("\";\n".utf8)
            #expect(!script.ranges(of: commented).isEmpty)
            #expect(script.starts(with: "\\encoding UTF8\n".utf8))
        }
    }

    private func role(_ identifier: String) -> BootstrapRole {
        BootstrapRole(identifier: identifier, literal: "", creation: "", spelled: Array(identifier.utf8))
    }

    private func expect(_ script: String, becomes expected: String, found: Bool, of identifier: String) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("script.sql")
            try write(script, to: path)
            let file = try FileDescriptor.open(path, .readWrite)
            let wasFound = try file.closeAfter { try role(identifier).commentOut(in: file) }
            #expect(wasFound == found)
            #expect(try read(path) == expected)
        }
    }
}
