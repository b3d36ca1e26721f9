import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

@Suite("A copy after a copy")
struct ReuseTests {
    @Test("of a tree in which nothing changed is the same files, all of them linked, and no set is changed by that")
    func unchanged() async throws {
        try await TreeHost.with { host in
            let first = try await host.dump()
            let before = try fingerprint(of: first)
            let second = try await host.dump("second", after: first)
            #expect(try await host.source.differences(from: second.tree) == "")
            for path in try files(of: first) {
                #expect(try second.status(path).inode == first.status(path).inode, "\(path)")
            }
            #expect(try fingerprint(of: first) == before)
            #expect(second.summary.digests["tree.mtree"]?.sha256 == first.summary.digests["tree.mtree"]?.sha256)
            let third = try await host.dump("third", after: second)
            #expect(try third.status("plain/large").inode == first.status("plain/large").inode)
        }
    }

    @Test(
        "copies what changed in any respect, and nothing else",
        arguments: [
            "printf more >> plain/large",
            "printf x | dd of=plain/large conv=notrunc status=none && touch -d '2020-02-02' plain/large",
            "chmod 0640 plain/large", "chown 99 plain/large", "setfattr -n user.x -v y plain/large",
            "setfacl -m u:7:r plain/large",
            "touch -d '2020-02-02 02:02:02.02' plain/large",
            "cp plain/large x && mv x plain/large && chmod 0600 plain/large",
        ])
    func changed(change: String) async throws {
        try await TreeHost.with { host in
            let first = try await host.dump()
            let before = try fingerprint(of: first)
            try await host.source.shell(change)
            let second = try await host.dump("second", after: first)
            #expect(try await host.source.differences(from: second.tree) == "")
            let copied = try files(of: second).filter { try second.status($0).inode != first.status($0).inode }
            #expect(copied == ["plain/large"])
            #expect(try fingerprint(of: first) == before)
        }
    }

    @Test("links a file that is the same in another inode, as after a restore, once it has been read")
    func sameContents() async throws {
        try await TreeHost.with { host in
            let first = try await host.dump()
            try await host.source.shell(
                "cp -a plain/large x && mv x plain/large && touch -d '2011-11-11 11:11:11.111111111' plain")
            let second = try await host.dump("second", after: first)
            #expect(try second.status("plain/large").inode == first.status("plain/large").inode)
            #expect(try await host.source.differences(from: second.tree) == "")
        }
    }

    @Test(
        "trusts no copy that was touched since, and no inventory that is not the one that was sealed",
        arguments: [
            ("printf x >> tree/plain/large", "app/tree/plain/large"), ("chmod 0666 tree/plain/large", nil),
            ("chown 5 tree/plain/large", nil), ("rm tree/plain/large", "app/tree/plain/large"),
            ("touch tree/plain/large", "app/tree/plain/large"), ("setfattr -n user.x -v y tree/plain/large", nil),
            ("printf '#\\n' >> tree.mtree", "app/tree.mtree"), ("rm tree.mtree", "app/tree.mtree"),
            ("sed -i s/size=300000/size=300001/ tree.mtree", "app/tree.mtree"),
        ] as [(String, String?)])
    func touched(change: String, damaged: String?) async throws {
        try await TreeHost.with { host in
            let first = try await host.dump()
            let outcome = try await runProgram("bash", ["-euc", change], in: first.directory)
            #expect(outcome.succeeded, "\(outcome.lastErrors)")
            let second = try await host.dump("second", after: first)
            #expect(try await host.source.differences(from: second.tree) == "")
            #expect((try? first.status("plain/large").inode) != (try second.status("plain/large").inode))
            let told = second.summary.findings.filter { $0.code == "previous_set_damaged" }
            #expect(told.map(\.object) == [damaged].compactMap(\.self), "\(told)")
            #expect(told.allSatisfy { $0.severity == .warning })
        }
    }

    @Test("makes two files of what were two names of one, when they are two files now")
    func separated() async throws {
        try await TreeHost.with { host in
            try await host.source.shell("printf x > one && ln one two")
            let first = try await host.dump()
            try await host.source.shell("cp -a two other && mv other two")
            let second = try await host.dump("second", after: first)
            #expect(try second.status("one").inode != second.status("two").inode)
            #expect(try await host.source.differences(from: second.tree) == "")
            let third = try await host.dump("third", after: second)
            for name in ["one", "two"] as [FilePath] {
                #expect(try third.status(name).inode == second.status(name).inode)
            }
        }
    }

    @Test("of a file with as many names in all dumps as the file system allows has it anew, under all of its names")
    func tooManyNames() async throws {
        try await TreeHost.with { host in
            try await withExt4FileSystem(in: host.scratch, size: "64M") { [host] point in
                try await host.source.shell("printf x > one && ln one three && ln one two")
                let first = try await host.dump("ext4/first")
                let fill = """
                    import os, sys
                    os.mkdir(sys.argv[2])
                    # Of 65000, two more.
                    for number in range(65000 - 2 - 3): os.link(sys.argv[1], f"{sys.argv[2]}/{number}")
                    """
                let more = point.appending("more").string
                try await output("/usr/bin/python3", "-c", fill, first.tree.appending("one").string, more)
                let second = try await host.dump("ext4/second", after: first)
                #expect(try second.status("one").inode != first.status("one").inode)
                #expect(try second.status("one").links == 3)
                #expect(try await host.source.differences(from: second.tree) == "")
                #expect(try second.entry("two")?.firstName == "one")
            }
        }
    }

    @Test("has nothing of the access control lists that directories above it hand on")
    func inheritedAccess() async throws {
        try await TreeHost.with { host in
            try await output("setfacl", "-d", "-m", "u:1234:rwx", host.scratch.string)
            let dump = try await host.dump()
            #expect(try await host.source.differences(from: dump.tree) == "")
        }
    }

    @Test("leaves out what is gone, takes in what is new, and follows a change of kind")
    func otherNames() async throws {
        try await TreeHost.with { host in
            let first = try await host.dump()
            try await host.source.shell(
                "rm plain/large plain/fifo; mkdir plain/fifo; printf 1 > plain/fifo/in; rm -r plain/sub; printf 2 > plain/sub; mv plain/file plain/moved"
            )
            let second = try await host.dump("second", after: first)
            #expect(try await host.source.differences(from: second.tree) == "")
        }
    }

    private func files(of dump: TreeHost.Taken) throws -> [FilePath] {
        let files = try FileTree(dump.tree).entries().filter { $0.status.kind == .file }.map(\.path)
        try #require(files.count > 10)
        return files
    }

    /// Of everything but the number of names.
    private func fingerprint(of dump: TreeHost.Taken) throws -> [String] {
        try FileTree(dump.directory).entries().map { entry in
            let status = entry.status
            return
                "\(entry.path) \(status.inode) \(status.mode) \(status.uid) \(status.gid) \(status.bytes) \(status.modified)"
        }
    }
}
