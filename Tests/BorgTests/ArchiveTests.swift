import Borg
import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Archives")
struct ArchiveTests {
    @Test("An archive holds exactly the set, and says where it comes from", arguments: BorgUnderTest.allCases)
    func created(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let repository = host.repository()
            let confirmed = try await repository.create(set, at: Host.time)

            let provenance = Provenance(of: set.manifest, sha256: set.manifestSHA256)
            #expect(provenance.series == Host.series && provenance.runID == set.manifest.runID)
            #expect(confirmed.archive.name == Host.archiveName)
            #expect(confirmed.archive.provenance == provenance)
            #expect(confirmed.files == 3)
            let bytes = try set.entries().reduce(0) { $0 + $1.bytes }
            #expect(confirmed.bytes == bytes)

            let archives = try await repository.archives()
            #expect(archives.map(\.name) == ["foreign", Host.archiveName])
            #expect(archives.map { Host.owner.owns($0) } == [false, true])
            #expect(archives.last == confirmed.archive)
            #expect(try await repository.archives(of: Host.owner) == [confirmed.archive])
            #expect(try await repository.manifest(of: confirmed.archive) == set.manifest)
        }
    }

    @Test(
        "Extracting an archive gives the set back and leaves the directory it is put in as it was",
        arguments: BorgUnderTest.allCases)
    func extracted(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            _ = try await host.repository().create(set, at: Host.time)
            let into = host.borg.scratch.appending("into")
            try FileSystem.createDirectory(into, mode: 0o751)
            try await host.borg.borg(["extract", "::" + Host.archiveName], in: into)
            #expect(try FileSystem.status(of: into).mode == 0o751)
            #expect(try FileTree(into).entries().map(\.path) == set.entries().map(\.path))
            #expect(try read(into.appending("manifest.json")) == read(host.current.appending("manifest.json")))
        }
    }

    @Test(
        "An unchanged file is not read again when a new set takes the old one's place, unless Borg may not know it",
        arguments: BorgUnderTest.allCases)
    func unchangedFiles(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let repository = host.repository()
            let first = try await repository.create(
                try host.seal(["app/orders": "first", "app/users": "users"]), at: Host.time)

            // As publishing does: the new set has hard links to the unchanged files of the old one, and takes its path.
            let (current, previous) = (host.current, host.borg.scratch.appending("previous"))
            try FileSystem.rename(current, to: previous)
            for directory in [current, current.appending("app")] { try FileSystem.createDirectory(directory) }
            for name in ["orders", "users"] {
                try FileSystem.link(
                    previous.appending("app").appending(name), as: current.appending("app").appending(name))
            }
            // Other bytes behind the same inode, size and time: whoever does not read the file cannot know.
            try host.overwriteUnnoticed(current.pushing("app/orders"), with: "other")
            for (seconds, mayKnow) in [(1, true), (2, false)] as [(Int64, Bool)] {
                let time = Timestamp(milliseconds: Host.time.milliseconds + seconds * 1000)
                let made = try await repository.create(
                    try host.seal([:]), at: time, knowing: mayKnow ? first.filesCache : nil)
                let orders = try await host.borg.borg(["extract", "--stdout", "::" + made.archive.name, "app/orders"])
                #expect(orders == (mayKnow ? "first" : "other"))
            }
        }
    }

    @Test("Any name that a dump can have comes through", arguments: BorgUnderTest.allCases)
    func names(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let names = ["-x", "--help", "a b", "{now}", "*", "ümlaut", "two\nlines", "quote\"'", "a:b", "::c", "pp:x"]
            let set = try host.seal(
                Dictionary(uniqueKeysWithValues: names.map { (FilePath($0).appending($0), $0) }))
            let confirmed = try await host.repository().create(set)
            #expect(confirmed.files == names.count + 1)
        }
    }

    @Test("Two names of one file in a set are one file in the archive, and accepted", arguments: BorgUnderTest.allCases)
    func hardLinks(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            _ = try host.seal(["docs/one": "text"])
            try FileSystem.link(host.current.pushing("docs/one"), as: host.current.pushing("docs/two"))
            let confirmed = try await host.repository().create(try host.seal([:]))
            #expect(confirmed.files == 3)
        }
    }

    @Test(
        "A list of paths that is too long for memory is compared as any other: alike names, many names of one file",
        arguments: BorgUnderTest.allCases)
    func longList(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.sealManyNames()
            let entries = try set.entries()
            #expect(entries.map(\.path.bytes.count).reduce(0, +) > 2_500_000)
            let confirmed = try await host.repository().create(set, at: Host.time)
            #expect(confirmed.files == 3603 && confirmed.bytes == entries.reduce(0) { $0 + $1.bytes })
            #expect(try FileSystem.names(in: set.workspace) == [])

            let fake = try host.borg.fakeBorg(
                "[ $VERB != create ] || { rm \(host.current)/app/removed; echo more >>\(host.current)/app/grown; }")
            let error = try await borgError { _ = try await host.repository(program: fake).create(set) }
            #expect(error?.code == .notFaithful)
            #expect(
                error?.message.hasSuffix("app/grown has 9 bytes instead of 4; app/removed is missing") == true,
                "\(error?.message ?? "")")
        }
    }

    @Test("Progress is told and grows", arguments: BorgUnderTest.allCases)
    func progress(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let seen = Recorded<ArchiveProgress>()
            let set = try host.seal(["app/big": String(8 << 20, of: "x")])
            _ = try await host.repository().create(set) { seen.append($0) }
            #expect(!seen.all.isEmpty)
            #expect(seen.all.map(\.bytes) == seen.all.map(\.bytes).sorted())
        }
    }

    @Test("A series has its own archives and no other's, however alike their names", arguments: BorgUnderTest.allCases)
    func series(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let time = "2026-11-23T08:01:02Z"
            let ours = Provenance(
                series: Host.series, runID: RunID("20261123T080000Z-5f3a")!,
                manifestSHA256: String(repeating: "0", count: 64))
            var alike = ours
            alike.series = ArchiveSeries(host: "web1-nightly", job: "old")
            for (name, comment) in [
                ("web1-nightly-\(time)", ours.comment), ("web1-nightly2-\(time)", ours.comment),
                ("web1-nightly-old-\(time)", alike.comment), ("web1-nightly-2026-11-24T08:01:02Z", "by hand"),
                ("web1-nightly-2026", ours.comment), ("web1-nightly-2026-11-25T08:01:02Z", alike.comment),
                ("x-web1-nightly-\(time)", ours.comment), ("web1-nightly-\(time).copy", ours.comment),
            ] {
                try await host.borg.borg(["create", "--comment", comment, "::" + name, "/etc/hostname"])
            }
            let archives = try await host.repository().archives(of: Host.owner)
            #expect(archives.map(\.name) == ["web1-nightly-\(time)"])
            // What Borg's own pruning would be given matches all of ours, and no more than the two that only comments tell apart.
            let globbed = try await host.borg.borg(["list", "--short", "--glob-archives", Host.series.glob])
            #expect(
                globbed.split(separator: "\n") == [
                    "web1-nightly-\(time)", "web1-nightly-2026-11-24T08:01:02Z", "web1-nightly-2026-11-25T08:01:02Z",
                ])
        }
    }

    @Test("An archive that Muster did not make has no manifest to show", arguments: BorgUnderTest.allCases)
    func foreignManifest(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let repository = host.repository()
            let foreign = try #require(try await repository.archives(beginningWith: "for").first)
            let error = try await borgError { _ = try await repository.manifest(of: foreign) }
            #expect(
                error?.description == """
                    archive 'foreign' in repository 'offsite' holds no manifest
                      hint: It was not made by Muster: look into it with muster borg offsite -- list ::foreign
                    """)
            #expect(try await repository.archives(beginningWith: "f[o]r").isEmpty)
            var gone = foreign
            gone.name = "gone"
            gone.provenance = Provenance(of: Host.manifest(), sha256: "0")
            let missing = try await borgError { _ = try await repository.manifest(of: gone) }
            #expect(missing?.code == .archiveMissing)
            let unknown = try await borgError { _ = try await repository.info(of: gone) }
            #expect(unknown?.code == .archiveMissing)
        }
    }
}

extension Host {
    func overwriteUnnoticed(_ path: FilePath, with text: String) throws {
        var facts = stat()
        guard stat(path.string, &facts) == 0, facts.st_size == text.utf8.count else { throw Errno.invalidArgument }
        let file = try FileDescriptor.open(path, .writeOnly)
        try file.closeAfter { _ = try file.writeAll(text.utf8) }
        guard utimensat(AT_FDCWD, path.string, [facts.st_atim, facts.st_mtim], 0) == 0 else {
            throw Errno(rawValue: errno)
        }
    }
}
