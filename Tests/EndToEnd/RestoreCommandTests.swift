import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Restoring from an archive")
struct RestoreCommandTests {
    @Test("puts a database beside the one there is, equal to it, and names it for people and for scripts")
    func beside() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let before = try await host.server.fingerprint(of: "shop")
            try await host.sql("DELETE FROM orders", in: "shop")
            let told = try await host.mustSucceed(
                "restore", "latest", "--database", "shop", "--to", host.server.connection)
            let name = try #require(told.firstMatch(of: /shop is in (shop_restored_[0-9TZ]+); equal/)?.output.1)
            #expect(try await host.server.fingerprint(of: String(name)) == before)
            #expect(try await host.server.psql("SELECT count(*) FROM orders", in: "shop") == "0")
            let document = try await host.mustSucceed(
                "restore", "latest", "--database", "library", "--to", host.server.connection, "--json")
            #expect(
                try await host.value(
                    "d['format_version'], len(d['dumps']), d['dumps'][0]['outcome']['items'][0]['item'], d['origin']['repository']",
                    of: document) == "(1, 1, 'library', 'local')")
            #expect(try host.leftovers().isEmpty)
        }
    }

    @Test("replaces a database that clients use, keeps the old one, and drops it on request")
    func replaced() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            try await host.sql("DELETE FROM orders WHERE id > 10", in: "shop")
            let told = try await host.mustSucceed(
                "restore", "latest", "--database", "shop", "--replace", "--to", host.server.connection)
            let old = try #require(told.firstMatch(of: /kept as (shop_before_[0-9TZ]+)/)?.output.1)
            let count = "SELECT count(*) FROM orders"
            #expect(try await host.server.psql(count, in: "shop") == "1000")
            #expect(try await host.server.psql(count, in: String(old)) == "10")
            let kept = try await host.mustSucceed("restore", "--drop-old", "--to", host.server.connection)
            #expect(kept.contains("\(old): was shop until "), "\(kept)")
            try await host.mustSucceed("restore", "--drop-old", "--database", "shop", "--to", host.server.connection)
            #expect(try await !host.databases().contains(String(old)))
            let none = try await host.muster(
                "restore", "--drop-old", "--database", "library", "--to", host.server.connection)
            #expect(none.status == .exited(7) && none.errors.contains("no restore has kept anything called 'library'"))
            #expect(try await host.databases() == ["library", "shop"])
        }
    }

    @Test(
        "that is killed leaves the old database or the new one under the name, and the next one undoes the rest",
        arguments: ["fetched", "filled", "closed", "exchanged"])
    func killed(at point: String) async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            try await host.sql("DELETE FROM orders WHERE id > 10", in: "shop")
            let arguments = ["restore", "latest", "--database", "shop", "--replace", "--to", host.server.connection]
            let restore = try host.start(arguments, environment: ["MUSTER_STOP_AT": "restore.\(point)"])
            try #require(await restore.stopped(), "it passes '\(point)'")
            restore.send(SIGKILL)
            _ = try await restore.result()
            try await host.mustSucceed("restore", "--undo")
            let rows = try await host.server.psql("SELECT count(*) FROM orders", in: "shop")
            #expect(rows == (point == "exchanged" ? "1000" : "10"))
            #expect(try await host.databases().filter { !$0.hasPrefix("shop_before_") } == ["library", "shop"])
            #expect(try host.leftovers().isEmpty)
            try await host.start(arguments).requireSuccess()
            #expect(try await host.server.psql("SELECT count(*) FROM orders", in: "shop") == "1000")
        }
    }

    @Test("fetches of one table its own files alone, and puts it where it is wanted")
    func table() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let document = try await host.mustSucceed(
                "restore", "latest", "--database", "shop", "--table", "public.orders", "--schema", "old", "--to",
                host.server.connection, "--json")
            #expect(try await host.value("d['fetched']['files']", of: document) == "2", "a list and the rows")
            let name = try await host.value("d['dumps'][0]['outcome']['items'][0]['name']", of: document)
            #expect(try await host.server.psql("SELECT count(*) FROM old.orders", in: name) == "1000")
            let near = try await host.muster(
                "restore", "latest", "--database", "shop", "--table", "public.order", "--to", host.server.connection)
            #expect(near.status == .exited(7) && near.errors.contains("public.orders"), "\(near.errors)")
        }
    }

    @Test("of a table starts Borg twice, and once more where notes and guesses are wrong")
    func starts() async throws {
        try await TestHost.with { host in
            let asked = host.scratch.appending("asked")
            try host.fake("recording-borg", "echo \"$*\" >> \(asked)\nexec \(host.job.borg) \"$@\"")
            host.job.borg = host.bin.appending("recording-borg").string
            try await host.mustSucceed("run")
            try FileTree(asked).remove()
            let arguments = [
                "restore", "latest", "--database", "shop", "--table", "public.orders", "--to", host.server.connection,
            ]
            try await host.start(arguments).requireSuccess()
            let starts = try read(asked).split(separator: "\n").filter { !$0.contains("--version") }
            #expect(starts.count == 2 && starts.allSatisfy { $0.contains(" export-tar ") }, "\(starts)")
            #expect(
                starts.contains {
                    $0.contains("pp:manifest.json pp:app/databases/shop/toc.dat pp:checksums/app.sha256")
                })
            // What the notes and the last set say is a guess: another archive of the name, and no such file in it.
            try FileTree(host.current).remove()
            try await host.start(arguments).requireSuccess()
            let name = try await host.newestArchive()
            let renamed = try await host.borg("rename", "::\(name)", "other")
            #expect(renamed.status == .exited(0))
            let gone = try await host.start(arguments).result()
            #expect(gone.status == .exited(7) && gone.errors.contains("has no archive"), "\(gone.errors)")
        }
    }

    @Test("says everything that stands in the way before anything is made")
    func refused() async throws {
        try await TestHost.with { host in
            try await host.sql("ALTER DATABASE shop SET work_mem = '7MB'", in: "postgres")
            try await host.mustSucceed("run")
            let before = try await host.databases()
            let missing = try await host.muster(
                "restore", "latest", "--database", "shpo", "--to", host.server.connection)
            #expect(missing.status == .exited(7))
            #expect(missing.errors.contains("there is no database 'shpo' in it\n  hint: Did you mean 'shop'?"))
            let taken = try await host.muster(
                "restore", "latest", "--database", "shop", "--as", "library", "--to", host.server.connection)
            #expect(taken.status == .exited(7) && taken.errors.contains("library"), "\(taken.errors)")
            let planned = try await host.mustSucceed(
                "restore", "latest", "--to", host.server.connection, "--dry-run")
            #expect(
                planned.contains("would restore shop as shop_restored_") && planned.hasSuffix("nothing was restored\n"))
            #expect(try await host.databases() == before)
            #expect(try host.leftovers().isEmpty)
        }
    }

    @Test("prints commands that do the same without Muster")
    func guide() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let guide = try await host.mustSucceed("restore", "latest", "--database", "shop", "--print")
            let name = try await host.newestArchive()
            #expect(guide.contains("borg extract \(host.repository)::\(name)\n"), "\(guide)")
            #expect(guide.contains("sha256sum --quiet -c checksums/*.sha256"))
            #expect(guide.contains("pg_restore") && guide.contains("/databases/shop"))
        }
    }

    @Test("works on a host that has neither a job file nor a staging directory")
    func newHost() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            try FileTree(host.staging).remove()
            let result = try await host.command(
                musterExecutable, "restore", "latest", "--repository-location", host.repository.string,
                "--passphrase-file", host.job.passphraseFile, "--database", "library", "--to", host.server.connection,
                environment: host.environment)
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.output.contains("library is in library_restored_"), "\(result.output)")
        }
    }

    @Test("takes a set on disk as well, which stays as it is, and not while a run has it")
    func set() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("dump")
            let before = try host.currentFingerprint()
            let arguments = [
                "restore", "--set", host.current.string, "--database", "shop", "--to", host.server.connection,
            ]
            let restored = try await host.start(arguments).result()
            #expect(
                restored.status == .exited(0) && restored.output.contains("shop is in shop_restored_"),
                "\(restored.errors)")
            #expect(try host.currentFingerprint() == before)
            let run = try host.start(["dump"], environment: ["MUSTER_STOP_AT": "dumped"])
            try #require(await run.stopped())
            let refused = try await host.start(arguments).result()
            run.send(SIGCONT)
            _ = try await run.result()
            #expect(refused.status == .exited(7), "\(refused.output)")
        }
    }

    @Test("puts a directory beside the one there is, or in its place")
    func directory() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let sealed = try host.contents(of: host.source)
            try write("changed\n", to: host.letter)
            let told = try await host.mustSucceed("restore", "latest")
            let beside = try #require(told.firstMatch(of: /is in (\S+_restored_[0-9TZ]+);/)?.output.1)
            #expect(try host.contents(of: FilePath(String(beside))) == sealed)
            let replaced = try await host.mustSucceed("restore", "latest", "--replace")
            let old = try #require(replaced.firstMatch(of: /kept as (\S+_before_[0-9TZ]+)/)?.output.1)
            #expect(try read(host.letter) == "dear\n")
            #expect(try read(FilePath(String(old)).appending("letter")) == "changed\n")
            let list = try await host.command(
                musterExecutable, "restore", "--drop-old", environment: host.environment.merging(["PGPORT": "1"]) { $1 }
            )
            #expect(list.output.contains("\(old): was \(host.source) until "), "\(list)")
            #expect(
                try await host.mustSucceed("restore", "--drop-old", "--path", host.source.string) == "dropped: \(old)\n"
            )
            #expect(access(String(old), F_OK) != 0 && access(host.source.string, F_OK) == 0)
            let none = try await host.muster("restore", "--drop-old", "--path", host.source.string)
            #expect(none.status == .exited(7) && none.errors.contains("no restore has kept anything"), "\(none.errors)")
        }
    }

    @Test("drops no directory that only has the name of one that was kept")
    func otherDirectory() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let replaced = try await host.mustSucceed("restore", "latest", "--replace")
            let old = FilePath(String(try #require(replaced.firstMatch(of: /kept as (\S+_before_[0-9TZ]+)/)?.output.1)))
            try FileSystem.rename(old, to: old.removingLastComponent().appending("moved"))
            try FileSystem.createDirectory(old)
            let refused = try await host.muster("restore", "--drop-old", "--path", host.source.string)
            #expect(refused.status == .exited(7) && access(old.string, F_OK) == 0, "\(refused.output)")
        }
    }

    @Test("of an archive whose repository is damaged ends with 7, and nothing is made")
    func damaged() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            try host.damageData(of: host.repository)
            let before = try await host.databases()
            let result = try await host.muster("restore", "latest", "--to", host.server.connection)
            #expect(result.status == .exited(7), "\(result.status) \(result.errors)")
            #expect(try await host.databases() == before)
            #expect(try host.leftovers().isEmpty)
        }
    }
}

extension TestHost {
    func databases() async throws -> [String] {
        try await server.psql(
            "SELECT datname FROM pg_database WHERE datname !~ '^(template.|postgres)$' ORDER BY datname COLLATE \"C\""
        ).split(separator: "\n").map(String.init)
    }

    /// What restores and drills have left of their work: rooms, and records of what is to be undone.
    func leftovers() throws -> [String] {
        let journal = scratch.appending("state/restore/journal")
        let records = (try? FileSystem.names(in: journal)) ?? []
        let rooms = try FileSystem.names(in: FilePath(environment["TMPDIR"] ?? "/var/tmp")).filter {
            $0.string.hasPrefix("muster-restore-")
        }
        return records.map(\.string) + (environment["TMPDIR"] == nil ? [] : rooms.map(\.string))
    }

    /// Changes some bytes all over the largest segment: any single one might be of what no archive uses any longer.
    func damageData(of repository: FilePath) throws {
        let data = repository.appending("data/0")
        let segments = try FileSystem.names(in: data).map { data.appending($0) }
        let largest = try #require(
            try segments.max { try FileSystem.status(of: $0).bytes < FileSystem.status(of: $1).bytes })
        let file = try FileDescriptor.open(largest, .readWrite)
        try file.closeAfter {
            let part = try FileSystem.status(of: largest).bytes / 16
            for place in 1...15 {
                var byte: [UInt8] = [0]
                _ = try byte.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: part * Int64(place), into: $0) }
                byte[0] ^= 1
                _ = try byte.withUnsafeBytes { try file.write(toAbsoluteOffset: part * Int64(place), $0) }
            }
        }
    }
}

extension Command {
    fileprivate func requireSuccess() async throws {
        let result = try await result()
        try #require(result.status == .exited(0), "\(result.errors)")
    }
}
