import Borg
import DumpCore
import Glibc
import Linux
import Reporting
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Catalog

@Suite("Fetching for a restore")
struct FetchTests {
    @Test("takes parts of several dumps and what vouches for them, and asks Borg for nothing else")
    func parts() async throws {
        try await TestHost.withArchive { host, set in
            let parts = try await set.parts(["app": "databases/shop/toc.dat", "documents": "tree/drawer"])
            let fetched = try await host.fetch(parts, from: set)
            #expect(
                try host.names(in: fetched.room.path)
                    == [
                        "app/databases/shop/toc.dat", "checksums/app.sha256", "checksums/documents.sha256",
                        "documents/tree/drawer/list", "documents/tree.mtree", "manifest.json",
                    ].inOrderOfWalk)
            #expect(fetched.files == 2)
            let asked = try read(host.scratch.appending("asked")).split(separator: "\n")
            let exports = asked.filter { $0.contains("export-tar") }
            #expect(exports.count == 1)
            #expect(
                exports.first?.split(separator: " ").filter { $0.hasPrefix("pp:") }.sorted() == [
                    "pp:app/databases/shop/toc.dat", "pp:checksums/app.sha256", "pp:checksums/documents.sha256",
                    "pp:documents/tree.mtree", "pp:documents/tree/drawer", "pp:manifest.json",
                ])
            #expect(!asked.contains { $0.contains(" list ") && $0.contains("{size}") }, "it is clear that they fit")
            try fetched.room.remove()
            #expect(access(fetched.room.path.string, F_OK) != 0)
        }
    }

    @Test("takes the same from a set on disk, whole or in parts, and changes nothing of the set")
    func stored() async throws {
        try await TestHost.withArchive { host, archived in
            let set = StoredSet(at: host.current)
            func state() throws -> [FileTree.Entry] { try FileTree(host.current).entries() }
            let before = try state()
            let parts = try await set.parts(["app": "databases/shop", "documents": "tree/drawer"])
            for parts in [nil, parts] {
                let (one, other) = (try await host.fetch(parts, from: set), try await host.fetch(parts, from: archived))
                #expect(one.manifest == other.manifest && one.files == other.files && one.bytes == other.bytes)
                let (ours, theirs) = (try host.names(in: one.room.path), try host.names(in: other.room.path))
                #expect(ours == theirs && ours.count > 3)
                for name in ours {
                    let paths = [one, other].map { $0.room.path.pushing(FilePath(name)) }
                    #expect(try read(paths[0]) == read(paths[1]), "\(name)")
                    let statuses = try paths.map { try FileSystem.status(of: $0) }
                    #expect((statuses[0].mode, statuses[0].uid) == (statuses[1].mode, statuses[1].uid), "\(name)")
                }
            }
            #expect(try state() == before, "not even a time of change")
        }
    }

    @Test("refuses a set on disk that is not what was sealed, and what a set does not hold")
    func damaged() async throws {
        try await TestHost.withArchive { host, archived in
            let letter = host.current.appending("documents/tree/letter")
            let modified = try FileSystem.status(of: letter).modified
            try write("deer\n", to: letter)
            try FileSystem.setModified(letter, to: modified)
            let error = await #expect(throws: ArchiveError.self) {
                _ = try await host.fetch(nil, from: StoredSet(at: host.current))
            }
            #expect(error?.code == .notVerified)
            #expect(error?.context["problems"]?.hasPrefix("documents/tree/letter: changed, its SHA-256 is ") == true)
            for set in [archived, StoredSet(at: host.current)] as [any SetSource] {
                let parts = try await set.parts(["documents": "tree/drawr"])
                let missing = await #expect(throws: ArchiveError.self) { _ = try await host.fetch(parts, from: set) }
                #expect(missing?.code == .notInArchive)
            }
            // What is whole can be had.
            let whole = StoredSet(at: host.current)
            #expect(try await host.fetch(whole.parts(["documents": "tree/drawer"]), from: whole).files == 1)
        }
    }

    @Test("reads single files, which are compared with what was sealed")
    func singleFiles() async throws {
        try await TestHost.withArchive { host, archived in
            for set in [archived, StoredSet(at: host.current)] as [any SetSource] {
                let manifest = try await set.manifest()
                let (app, documents) = (manifest.dumps[0], manifest.dumps[1])
                let files = set.files(of: app)
                let contents = try await files.contents(of: "databases/shop/toc.dat", limit: 1 << 20)
                #expect(contents == (try FileSystem.bytes(of: host.current.appending("app/databases/shop/toc.dat"))))
                // The list is known by now.
                _ = try await files.contents(of: "databases/library/toc.dat", limit: 1 << 20)
                let inventory = try await set.files(of: documents).contents(of: "tree.mtree", limit: 1 << 20)
                #expect(inventory.starts(with: "#mtree\n".utf8))
                for (path, limit) in [("databases/shop/toc.dat", 10), ("databases/shpo/toc.dat", 1 << 20)] {
                    let error = await #expect(throws: DumpError.self) {
                        _ = try await files.contents(of: FilePath(path), limit: Int64(limit))
                    }
                    #expect([.incompleteDump, .system].contains(error?.code))
                }
            }
            let path = host.current.appending("app/databases/shop/toc.dat")
            try write("P" + read(path).dropFirst(), to: path)
            let stored = StoredSet(at: host.current)
            let files = stored.files(of: try await stored.manifest().dumps[0])
            let error = await #expect(throws: DumpError.self) {
                _ = try await files.contents(of: "databases/shop/toc.dat", limit: 1 << 20)
            }
            #expect(
                error?.code == .incompleteDump && error?.message.contains("toc.dat changed, its SHA-256 is ") == true)
        }
    }

    @Test("lets one user read a dump and change nothing of it, and no other user even see it")
    func readable() async throws {
        try await TestHost.withArchive { host, archived in
            let nobody = try #require(UserAccount(named: "nobody"))
            let room = try FetchRoom(in: "/tmp", readableBy: [nobody])
            let set = StoredSet(at: host.current)
            let fetched = try await set.fetch(nil, into: room, log: .silent)
            let app = fetched.manifest.dumps[0]
            func can(_ uid: UInt32, _ gid: UInt32, _ command: String) async throws -> Bool {
                try await runProgram(
                    "setpriv", ["--reuid=\(uid)", "--regid=\(gid)", "--clear-groups", "sh", "-c", command]
                ).succeeded
            }
            let (file, list) = ("\(room.path)/app/databases/shop/toc.dat", "\(room.path)/checksums/app.sha256")
            #expect(try await !can(nobody.uid, nobody.gid, "cat \(file)"), "it is not verified until it is fetched")
            try await fetched.makeReadable(app, by: nobody)
            #expect(try await can(nobody.uid, nobody.gid, "cat \(file) && ls \(room.path)/app/databases/shop"))
            #expect(try await !can(nobody.uid, nobody.gid, "echo x >> \(file)"))
            #expect(try await !can(nobody.uid, nobody.gid, "rm \(file)"))
            #expect(try await !can(nobody.uid, nobody.gid, "ls \(room.path)"))
            #expect(try await !can(23456, 23456, "cat \(file)"))
            #expect(try await !can(23456, 23456, "ls \(room.path)/app"))
            #expect(try await !can(23456, 23456, "cat \(list)"))
            try room.remove()
        }
    }

    @Test("says first that a user cannot get to the directory")
    func unreachable() async throws {
        try await withScratch { scratch in
            let closed = scratch.appending("closed")
            try FileSystem.createDirectory(closed)
            let nobody = try #require(UserAccount(named: "nobody"))
            let error = #expect(throws: ArchiveError.self) { _ = try FetchRoom(in: closed, readableBy: [nobody]) }
            #expect(error?.message == "user 'nobody' cannot get to \(closed): \(closed) is closed to that user")
            #expect(try FileSystem.names(in: closed).isEmpty)
        }
    }

    @Test("without room for it is refused before anything is read")
    func noSpace() async throws {
        try await TestHost.withArchive { host, archived in
            let small = host.scratch.appending("small")
            try FileSystem.createDirectory(small)
            try await withMemoryFileSystem(kibibytes: 4, at: small) {
                for set in [archived, StoredSet(at: host.current)] as [any SetSource] {
                    let room = try FetchRoom(in: small)
                    let error = await #expect(throws: ArchiveError.self) {
                        _ = try await set.fetch(nil, into: room, display: NoDisplay(), log: .silent)
                    }
                    #expect(error?.code == .noSpace)
                    #expect(try FileSystem.names(in: room.path).isEmpty)
                    try room.remove()
                }
            }
        }
    }
}

extension TestHost {
    fileprivate func fetch(_ parts: [SetPart]?, from set: any SetSource) async throws -> FetchedSet {
        try await set.fetch(parts, into: FetchRoom(in: scratch), display: NoDisplay(), log: .silent)
    }
}

extension SetSource {
    /// - Parameter paths: one for each dump, relative to its directory.
    fileprivate func parts(_ paths: [String: FilePath]) async throws -> [SetPart] {
        try await manifest().dumps.compactMap { dump in
            paths[dump.name].map { SetPart(of: dump, path: dump.directory.pushing($0)) }
        }
    }
}

extension [String] {
    /// As a walk comes upon the paths.
    fileprivate var inOrderOfWalk: [String] {
        sorted {
            $0.replacing("/", with: "\u{1}").utf8.lexicographicallyPrecedes($1.replacing("/", with: "\u{1}").utf8)
        }
    }
}
