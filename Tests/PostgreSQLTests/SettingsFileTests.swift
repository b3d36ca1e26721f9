import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("The server's settings files")
struct SettingsFileTests {
    @Test("They are an omission, unless the job has them copied: then they are in the dump to the byte")
    func copied() async throws {
        try await ClusterFixture.with { cluster in
            let data = cluster.server.directory.appending("data")
            let names = ["pg_hba.conf", "pg_ident.conf", "postgresql.auto.conf", "postgresql.conf"]
            let left = try await cluster.omissions(.serverSettings, cluster.provider())
            #expect(
                left.map(\.message) == [
                    "the server's settings files are not dumped: "
                        + names.map { "\(data)/\($0)" }.joined(separator: ", ")
                ])

            let provider = cluster.provider { $0.copiesSettings = true }
            #expect(try await cluster.omissions(.serverSettings, provider) == [])
            #expect(try await cluster.omissions(.settingsFileUnreadable, provider) == [])
            let run = TestRun()
            let directory = try cluster.newDirectory()
            try await run.prepared(provider) { source in
                #expect(source.units.last?.path == "settings")
                let summary = try await run.dump(source, into: directory)
                #expect(summary.omissions == source.omissions)
            }
            let copies = directory.appending("settings")
            #expect(try FileSystem.names(in: copies).map(\.string).sorted() == names)
            for name in names {
                #expect(try read(copies.appending(name)) == read(data.appending(name)), "\(name)")
            }
        }
    }

    @Test("Files that are included are copied too")
    func included() async throws {
        try await ClusterFixture.with { cluster in
            let data = cluster.server.directory.appending("data")
            try await cluster.server.psql("copy (select 'work_mem = ''5MB''') to '\(data)/more.conf'")
            try await cluster.server.psql(
                "copy (select 'include ''more.conf''') to program 'cat >> postgresql.conf'; select pg_reload_conf()")
            try await eventually { try await cluster.server.psql("show work_mem") == "5MB" }
            let directory = try cluster.newDirectory()
            try await TestRun().dump(cluster.provider { $0.copiesSettings = true }, into: directory)
            #expect(try read(directory.appending("settings/more.conf")) == "work_mem = '5MB'\n")
        }
    }

    @Test("Files that the role may not read are omissions by name, and the others are copied")
    func unreadable() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createBackupRole()
            let provider = cluster.backupProvider { $0.copiesSettings = true }
            let ignorant = try await cluster.omissions(.settingsFileUnreadable, provider)
            #expect(
                ignorant.map(\.message) == ["role 'backup' may not see where the server's settings files are"])

            try await cluster.server.psql("grant pg_read_all_settings to backup")
            let refused = try await cluster.omissions(.settingsFileUnreadable, provider)
            #expect(
                refused.map { $0.object.split(separator: "/").last } == [
                    "pg_hba.conf", "pg_ident.conf", "postgresql.auto.conf", "postgresql.conf",
                ])
            #expect(refused.first?.message.hasSuffix("permission denied for function pg_read_binary_file") == true)
            let directory = try cluster.newDirectory()
            let summary = try await TestRun().dump(provider, into: directory)
            #expect(summary.omissions.filter { $0.code == "settings_file_unreadable" } == refused)
            #expect(try FileSystem.names(in: directory.appending("settings")) == [])

            let grant = "execute on function pg_read_binary_file(text)"
            try await cluster.server.psql("grant pg_read_server_files to backup; grant \(grant) to backup")
            let run = TestRun()
            try await run.prepared(provider) { source in
                #expect(!source.omissions.contains { $0.code == "settings_file_unreadable" })
                try await cluster.server.psql("revoke \(grant) from backup")
                let summary = try await run.dump(source, into: try cluster.newDirectory("revoked"))
                #expect(summary.omissions.filter { $0.code == "settings_file_unreadable" } == refused)
            }
        }
    }

    @Test("A file that can no longer be read when it is copied is never left out in silence")
    func lost() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createBackupRole()
            try await cluster.server.psql("grant pg_read_all_settings to backup")
            let session = try await Session.connect(
                ConnectionOptions(parsing: cluster.server.connection(as: "backup") + " dbname=postgres"),
                password: Secret("backup-password"), as: nil)
            let copy = SettingsDump(
                files: ServerSettingsFiles(server: try await ServerFacts.ask(session)),
                directory: try cluster.newDirectory())
            let error = try await dumpError { _ = try await copy.take(from: session, knowing: []) }
            #expect(error.code == .incompleteDump)
            #expect(error.message.contains("pg_hba.conf could not be copied: "))
        }
    }

    @Test("Two files that are called alike do not become one")
    func alike() {
        #expect(
            SettingsDump.names(for: ["/a/postgresql.conf", "/a/conf.d/x.conf", "/b/x.conf"])
                == ["postgresql.conf", "%2Fa%2Fconf.d%2Fx.conf", "%2Fb%2Fx.conf"])
    }
}
