import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing
import Trees

@testable import Directories

@Suite("A copy of a tree")
struct CopyTests {
    @Test("holds all that the tree does: another program finds no difference, and its own inventory none")
    func fidelity() async throws {
        try await TreeHost.with(deep: true) { host in
            try await host.source.addDeepest()
            let dump = try await host.dump()
            #expect(try await host.source.differences(from: dump.tree) == "")
            #expect(dump.summary.findings.isEmpty && dump.summary.omissions.isEmpty)
            #expect(dump.summary.moment.kind == .live)

            let tree = try OpenDirectory(dump.tree)
            var reader = InventoryReader(try FileDescriptor.open(dump.directory.appending("tree.mtree"), .readOnly))
            var files = 0
            while let entry = try reader.next() {
                #expect(try TreeEntry(reading: entry.path, of: tree).differences(from: entry) == [], "\(entry.path)")
                guard entry.kind == .file else { continue }
                files += 1
                #expect(
                    try FileScan(entry.path, of: tree).digest().sha256 == entry.sha256?.description, "\(entry.path)")
            }
            // A check that sees nothing shows nothing.
            #expect(files > 12)
            try await host.source.shell("chmod 0711 plain/old; setfattr -n user.more -v 1 plain/large; rm plain/link")
            let found = try await host.source.differences(from: dump.tree)
            #expect(found.split(separator: "\n").count == 4, "and plain itself, whose time changed: \(found)")
        }
    }

    @Test("has the holes of a sparse file, and takes no more space")
    func holes() async throws {
        try await TreeHost.with { host in
            try await host.source.shell(
                "truncate -s 2G huge; printf middle | dd of=huge bs=1 seek=1000000000 conv=notrunc status=none")
            let dump = try await host.dump()
            let (old, new) = (try FileSystem.status(of: host.source.root.appending("huge")), try dump.status("huge"))
            #expect(new.bytes == 2 << 30)
            #expect(new.allocatedBytes <= old.allocatedBytes)
            #expect(try await host.source.differences(from: dump.tree) == "")
        }
    }

    @Test("keeps the names of one file together, however they are spread")
    func hardLinks() async throws {
        try await TreeHost.with { host in
            let dump = try await host.dump()
            let inodes = try ["plain/file", "plain/zweitname", "plain/sub/drittname"].map {
                try dump.status(FilePath($0)).inode
            }
            #expect(Set(inodes).count == 1)
            let second = try await host.dump("second", after: dump)
            #expect(try second.status("plain/zweitname").inode == inodes[0])
            #expect(try second.status("plain/sub/drittname").inode == inodes[0])
        }
    }

    @Test("keeps names apart that are equal as characters, also when one of them changes, and when one is excluded")
    func canonicalNames() async throws {
        try await TreeHost.with { host in
            let names = ["\u{E9}", "e\u{301}", "\u{C5}", "A\u{30A}", "\u{212B}"]
            func contents(of dump: TreeHost.Taken) throws -> [String] {
                try names.map { try read(dump.tree.appending($0).appending($0)) }
            }
            for (number, name) in names.enumerated() {
                try FileSystem.createDirectory(host.source.root.appending(name))
                try write("\(number)", to: host.source.root.appending(name).appending(name))
            }
            let first = try await host.dump()
            #expect(try contents(of: first) == ["0", "1", "2", "3", "4"])
            try write("x", to: host.source.root.appending(names[1]).appending(names[1]))
            let second = try await host.dump("second", after: first)
            #expect(try contents(of: second) == ["0", "x", "2", "3", "4"])
            #expect(try await host.source.differences(from: second.tree) == "")
            host.settings.selection.exclude = ["A\u{30A}"]
            let third = try await host.dump("third", after: second)
            #expect(try FileSystem.names(in: third.tree).filter { !$0.string.utf8.allSatisfy { $0 < 0x80 } }.count == 4)
            #expect(throws: Errno.noSuchFileOrDirectory) { try third.status(FilePath(names[3])) }
        }
    }

    @Test("passes sockets over, and opens no FIFO and no device")
    func specialFiles() async throws {
        try await TreeHost.with { host in
            try await host.source.shell(
                "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'")
            let dump = try await host.dump()
            #expect(throws: Errno.noSuchFileOrDirectory) { try dump.status("socket") }
            #expect(try dump.status("plain/fifo").kind == .fifo)
            #expect(try dump.status("plain/null").node == makeDevice(1, 3))
            #expect(dump.summary.findings.isEmpty)
        }
    }

    @Test("on a file system without room fails, and says how much is needed and free")
    func fullDisk() async throws {
        try await TreeHost.with { host in
            let full = host.scratch.appending("full")
            try FileSystem.createDirectory(full)
            try await withMemoryFileSystem(kibibytes: 256, at: full) { [host] in
                let error = try await host.failure("full/dump")
                #expect(error?.code == .noSpace)
                #expect(error?.message.contains(" needed, ") == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test("of a disk that fails is none: the file is named")
    func failingDisk() async throws {
        try await TreeHost.with { host in
            let (image, disk) = (host.scratch.appending("image"), host.scratch.appending("disk"))
            try FileSystem.createDirectory(disk)
            try await run("truncate", "-s", "64M", image.string)
            try await run("mkfs.ext4", "-q", "-F", image.string)
            try await run("mount", "-o", "loop", image.string, disk.string)
            try await run(
                "dd", "if=/dev/urandom", "of=\(disk)/victim", "bs=1M", "count=8", "conv=fsync", "status=none")
            try await unmount(disk)
            try await run("mount", "-o", "loop,ro", image.string, disk.string)
            host.settings.path = disk
            // The end of the disk is gone: what lies there cannot be read.
            let error = try await host.failure { try await run("truncate", "-s", "1M", image.string) }
            try await unmount(disk)
            #expect(error?.code == .system)
            #expect(error?.message.contains("read \(disk)/victim: ") == true, "\(error?.message ?? "")")
            #expect(error?.hint == "The disk may be failing: look at the kernel's log.")
        }
    }

    @Test(
        "takes two files with one number for one only if all is alike that one file has: FUSE may give a number twice")
    func numberedAlike() {
        var facts = stat()
        facts.st_mode = S_IFREG | 0o644
        (facts.st_nlink, facts.st_size, facts.st_uid, facts.st_gid) = (2, 6, 1, 1)
        let one = FileStatus(facts)
        #expect(one.isOfSameFile(as: one))
        let changes: [(inout stat) -> Void] = [
            { $0.st_size = 5000 }, { $0.st_mode = S_IFREG | 0o600 }, { $0.st_uid = 0 }, { $0.st_gid = 0 },
            { $0.st_nlink = 3 }, { $0.st_mtim.tv_nsec = 1 }, { $0.st_ctim.tv_nsec = 1 },
        ]
        for change in changes {
            var other = facts
            change(&other)
            #expect(!FileStatus(other).isOfSameFile(as: one))
        }
    }
}
