import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Restoring where something is wrong")
struct RestoreFaultTests {
    @Test("A directory that is full before all is fetched ends it with 7, nothing is left, and with space it succeeds")
    func fullWorkDirectory() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let before = try await host.databases()
            let work = host.scratch.appending("work")
            try FileSystem.createDirectory(work)
            // Room for the bytes, and not for the ends of blocks, which nothing could know.
            let bytes = FileTree(host.current.appending("app")).bytes()
            let arguments = ["restore", "latest", "--to", host.server.connection, "--work", work.string]
            try await withMemoryFileSystem(kibibytes: Int(bytes / 1024) + 12, mode: "0711", at: work) {
                let full = try await host.start(arguments).result()
                #expect(full.status == .exited(7))
                #expect(full.errors.contains("cannot write to \(work)/muster-restore-"), "\(full.errors)")
                #expect(full.errors.contains("No space left on device"), "\(full.errors)")
                #expect(try FileSystem.names(in: work).isEmpty)
                let drill = try await host.muster("drill", "--work", work.string)
                #expect(drill.status == .exited(7) && drill.output.contains("No space left on device"), "\(drill)")
                #expect(try FileSystem.names(in: work).isEmpty)
            }
            #expect(try await host.databases() == before)
            let enough = try await host.start(Array(arguments.dropLast(2))).result()
            #expect(enough.status == .exited(0), "\(enough.errors)")
        }
    }

    @Test("One chunk that is missing in the repository ends with 7 what needs it, and nothing else")
    func missingChunk() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let before = try await host.databases()
            let id = try await host.largestChunk(of: "app/databases/shop/", in: host.newestArchive())
            let deleted = try await host.borg("debug", "delete-obj", "::", id)
            try #require(deleted.status == .exited(0) && deleted.output.contains("deleted"), "\(deleted)")
            let shop = try await host.muster("restore", "latest", "--database", "shop", "--to", host.server.connection)
            #expect(shop.status == .exited(7), "\(shop.errors)")
            #expect(shop.errors.contains("hint:"), "\(shop.errors)")
            #expect(try await host.databases() == before)
            #expect(try host.leftovers().isEmpty)
            let drill = try await host.muster("drill")
            #expect(drill.status == .exited(7) && drill.output.hasPrefix("FAILED: "), "\(drill.output)")
            try await host.mustSucceed("restore", "latest", "--database", "library", "--to", host.server.connection)
        }
    }

    @Test(
        "A manifest that leads out, or lists what is not there, ends with 7 before anything has a name",
        arguments: [
            ("\"databases/shop\"", "\"../../databases/shop\"", "is not a manifest that Muster wrote"),
            ("\"databases/shop\"", "\"/etc/databases/shop\"", "is not a manifest that Muster wrote"),
            ("\"path\" : \"app\"", "\"path\" : \"../app\"", "is not a manifest that Muster wrote"),
            ("\"checksums/app.sha256\"", "\"../../etc/passwd\"", "is not a manifest that Muster wrote"),
            ("\"databases/shop\"", "\"databases/shap\"", "holds no path 'app/databases/shap'"),
            ("\"name\" : \"orders\"", "\"name\" : \"ordres\"", "rows of public.ordres"),
        ])
    func forgedManifest(honest: String, forged: String, said: String) async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let before = try await host.databases()
            let name = try await host.forgedArchive { $0.replacing(honest, with: forged) }
            let result = try await host.muster("restore", name, "--database", "shop", "--to", host.server.connection)
            #expect(result.status == .exited(7), "\(result.errors)")
            #expect(result.errors.contains(said), "\(result.errors)")
            #expect(try await host.databases() == before)
            let drill = try await host.muster("drill", "--archive", name)
            #expect(drill.status == .exited(7), "\(drill.output)")
            #expect(try host.leftovers().isEmpty)
            let again = try await host.muster("restore", "latest", "--database", "shop", "--to", host.server.connection)
            #expect(again.status == .exited(0), "\(again.errors)")
        }
    }

    @Test("An archive with links that lead out ends with 7, and nothing outside is touched")
    func hostileArchive() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let comment = try await host.comment(of: host.newestArchive())
            let victim = try host.makeVictim()
            let (before, databases) = (try FileTree(victim).entries(), try await host.databases())
            for entry in HostileEntry.allCases {
                let name = try await host.hostileArchive(entry, comment)
                let ended = try await host.muster("restore", name, "--to", host.server.connection)
                #expect(ended.status == .exited(7), "\(entry): \(ended.errors)")
                // One of them Borg itself cannot export.
                #expect(ended.errors.contains("app/") || ended.errors.contains("'../victim/file'"), "\(ended.errors)")
                #expect(try FileTree(victim).entries() == before, "\(entry)")
                #expect(try await host.databases() == databases, "\(entry)")
                #expect(try host.leftovers().isEmpty, "\(entry)")
            }
        }
    }

    @Test("A server that is reached by TCP gets its password from the environment or a passfile, and shows it nowhere")
    func network() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            try await host.sql("create role restorer superuser login password 'hunter2secret'", in: "postgres")
            let relay = try await Relay(to: host.server.directory.appending(".s.PGSQL.5432"), in: host.scratch)
            defer { relay.end() }
            let target = "host=127.0.0.1 port=\(relay.port) user=restorer"
            let passfile = host.scratch.appending("passfile")
            try write("127.0.0.1:*:*:restorer:hunter2secret\n", to: passfile)
            let ways: [(String, [String: String])] = [
                (target, ["PGPASSWORD": "hunter2secret"]), ("\(target) passfile=\(passfile)", [:]),
                ("postgresql://restorer@127.0.0.1:\(relay.port)/?passfile=\(passfile)", [:]),
            ]
            for (place, (target, environment)) in ways.enumerated() {
                let restored = try await host.start(
                    ["restore", "latest", "--database", "shop", "--as", "shop_\(place)", "--to", target, "-vv"],
                    environment: environment
                ).result()
                #expect(restored.status == .exited(0), "\(restored.errors)")
                #expect(!(restored.output + restored.errors).contains("hunter2"), "\(restored.errors)")
                #expect(try await host.server.psql("select count(*) from orders", in: "shop_\(place)") == "1000")
            }
            let replaced = try await host.start(
                ["restore", "latest", "--database", "shop", "--replace", "--to", target], environment: ways[0].1
            ).result()
            #expect(replaced.status == .exited(0) && replaced.output.contains("kept as shop_before_"), "\(replaced)")
            let refused = try await host.muster(
                "restore", "latest", "--database", "shop", "--to", target + " password=hunter2secret")
            #expect(refused.status == .exited(7) && !refused.errors.contains("hunter2"), "\(refused.errors)")
            let none = try await host.muster("restore", "latest", "--database", "shop", "--to", target)
            #expect(none.status == .exited(7) && none.errors.contains("password"), "\(none.errors)")
        }
    }
}

extension TestHost {
    /// The id of the largest chunk of what lies below a path, as Borg tells it.
    fileprivate func largestChunk(of path: String, in archive: String) async throws -> String {
        let dump = scratch.appending("archive.json")
        let dumped = try await borg("debug", "dump-archive", "::\(archive)", dump.string)
        try #require(dumped.status == .exited(0), "\(dumped.errors)")
        return try await value(
            "max((c[1], c[0]) for i in d['_items'] if i['path'].startswith('\(path)') for c in i.get('chunks', []))[1].lstrip(chr(127))",
            of: read(dump))
    }
}

/// A port of this host that leads to a server's socket.
private struct Relay {
    let port: String
    private let command: Command

    init(to socket: FilePath, in scratch: FilePath) async throws {
        let told = scratch.appending("relay-port")
        let script = """
            import os, socket, sys, threading
            def pump(source, sink):
                while data := source.recv(65536): sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            listener = socket.create_server(('127.0.0.1', 0))
            with open(sys.argv[2] + '.new', 'w') as file: file.write(str(listener.getsockname()[1]))
            os.rename(sys.argv[2] + '.new', sys.argv[2])
            while True:
                client, server = listener.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(sys.argv[1])
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()
            """
        command = try Command(
            "/usr/bin/python3", ["-c", script, socket.string, told.string], environment: [:], scratch: scratch)
        try await eventually { access(told.string, F_OK) == 0 }
        port = try read(told)
    }

    func end() { command.end() }
}
