import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

@Suite("A source")
struct SourceTests {
    @Test("that is empty, missing, a file, a link or not mounted is no dump")
    func unsuitable() async throws {
        try await TreeHost.with { host in
            let root = host.scratch
            try FileSystem.createDirectory(root.appending("empty"))
            try write("", to: root.appending("file"))
            #expect(symlink("source", root.appending("link").string) == 0)
            for (name, message) in [
                ("empty", "\(root)/empty is empty"), ("missing", "\(root)/missing does not exist"),
                ("file", "\(root)/file is no directory"), ("link", "\(root)/link is a symbolic link"),
            ] {
                host.settings.path = root.appending(name)
                let error = try await host.failure("dump-\(name)")
                #expect(error?.message == message)
                #expect(error?.code == .sourceUnavailable)
            }
            host.settings.path = root.appending("source")
            host.settings.requiresMount = true
            let error = try await host.failure("dump-mount")
            #expect(error?.message.hasPrefix("\(root)/source is not a mount point: it lies on ") == true)
            let disk = root.appending("empty")
            host.settings.path = disk
            try await withMemoryFileSystem(kibibytes: 256, at: disk) { [host] in
                try write("1", to: disk.appending("there"))
                #expect(try await host.dump("mounted").status("there").bytes == 1)
            }
        }
    }

    @Test("loses what its patterns, markers and caches say, and each of them is told")
    func omissions() async throws {
        try await TreeHost.with { host in
            try await host.source.shell(
                """
                mkdir -p cache kept hidden && printf 'Signature: 8a477f597d28d172789f06886806bc55' > cache/CACHEDIR.TAG
                printf 'no signature' > kept/CACHEDIR.TAG && touch hidden/.nobackup hidden/x a.tmp kept/b.tmp keep.tmp cache/y
                """)
            host.settings.selection.exclude = ["*.tmp", "!keep.tmp", "/plain/", "/nothing-like-this"]
            host.settings.selection.excludesCaches = true
            host.settings.selection.excludeIfPresent = [".nobackup"]
            let dump = try await host.dump()
            let there = try FileTree(dump.tree).entries().map(\.path.string)
            #expect(there == ["empty", "keep.tmp", "kept", "kept/CACHEDIR.TAG"])
            #expect(
                dump.codes() == [
                    "excluded *.tmp", "excluded /plain/", "excluded_by_marker hidden", "excluded_cache cache",
                ])
        }
    }

    @Test("on several file systems is dumped with all of them, unless it is told to keep to its own")
    func otherFileSystem() async throws {
        try await TreeHost.with { host in
            let mountPoint = host.source.root.appending("mounted")
            try FileSystem.createDirectory(mountPoint)
            try await withMemoryFileSystem(kibibytes: 256, at: mountPoint) { [host] in
                try write("1", to: mountPoint.appending("there"))
                let all = try await host.dump("all")
                #expect(try all.status("mounted/there").bytes == 1)
                var own = host
                own.settings.selection.isOneFileSystem = true
                let dump = try await own.dump("own")
                #expect(throws: Errno.noSuchFileOrDirectory) { try dump.status("mounted/there") }
                #expect(dump.codes() == ["other_file_system mounted"])
            }
        }
    }

    @Test("with a file that somebody writes to all the time is no dump, and the file is named")
    func changing() async throws {
        try await TreeHost.with { host in
            try await host.whileRewriting("busy") { [host] in
                let error = try await host.failure()
                #expect(error?.code.rawValue == "file_changed")
                let message = "\(host.source.root)/busy changed each of 5 times that it was copied"
                #expect(error?.message == message)
                #expect(error?.hint?.contains("changed_files: warn") == true)
            }
        }
    }

    @Test("with such a file is a dump with a warning where the job says so, and the next dump does not trust that copy")
    func changingAllowed() async throws {
        try await TreeHost.with { host in
            host.settings.changedFiles = .warn
            let first = try await host.whileRewriting("busy") { [host] in
                let dump = try await host.dump()
                #expect(dump.codes() == ["file_changed busy"])
                #expect(dump.summary.findings.allSatisfy { $0.severity == .warning })
                return dump
            }
            let second = try await host.dump("second", after: first)
            #expect(second.codes() == [])
            #expect(try await host.source.differences(from: second.tree) == "")
        }
    }

    @Test("with an attribute whose name is no UTF-8 is no dump: it would be lost")
    func attributeOfAnotherName() async throws {
        try await TreeHost.with { host in
            try await host.source.shell(#"python3 -c 'import os; os.setxattr("plain/large", b"user.\xff", b"v")'"#)
            let error = try await host.failure()
            #expect(
                error?.message.hasPrefix("cannot read \(host.source.root)/plain/large: ") == true,
                "\(error?.message ?? "")")
        }
    }

    @Test("with such a file says of its copy what is in it, whatever the file was meanwhile", arguments: [false, true])
    func torn(isCloned: Bool) async throws {
        let dumpTorn: (inout TreeHost) async throws -> Void = { host in
            host.settings.changedFiles = .warn
            let dump = try await host.whileRewriting("busy") { [host] in try await host.dump() }
            #expect(dump.codes() == ["file_changed busy"])
            let entry = try #require(try dump.entry("busy"))
            let copy = dump.tree.appending("busy")
            #expect(try await output("sha256sum", copy.string).prefix(64) == "\(try #require(entry.sha256))")
            #expect(try dump.status("busy").bytes == entry.bytes)
        }
        if isCloned { try await TreeHost.withBtrfs(dumpTorn) } else { try await TreeHost.with(dumpTorn) }
    }
}
