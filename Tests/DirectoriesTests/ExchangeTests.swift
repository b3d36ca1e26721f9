import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

/// The owner of a directory exchanges what is in it while root copies.
@Suite("A copy of a tree in which names are exchanged as fast as can be")
struct ExchangeTests {
    private static let rounds = 12
    private static let user = "23456"

    /// A tree whose directory `home` belongs to a user, with `home/own` in it, and a private directory of root's with the same names.
    private func withTree(
        private place: String, _ body: (inout TreeHost, _ own: FilePath, _ secret: FilePath) async throws -> Void
    ) async throws {
        try await TreeHost.with { host in
            let home = host.source.root.appending("home")
            let own = home.appending("own")
            let secret = FilePath(place == "inside" ? home.string : host.scratch.string).appending("private")
            try await run(
                "/bin/sh", "-c",
                """
                set -e; mkdir -p \(own) \(secret); chmod 700 \(secret)
                for number in $(seq 40); do
                    echo mine > \(own)/f$number; ln -s mine \(own)/l$number
                    mkdir \(own)/s$number; echo mine > \(own)/s$number/g
                    echo PRIVATE > \(secret)/f$number; ln -s PRIVATE \(secret)/l$number
                    mkdir \(secret)/s$number; echo PRIVATE > \(secret)/s$number/g
                    setfattr -n user.note -v PRIVATE \(secret)/f$number \(secret)/s$number
                done
                setfattr -n user.note -v PRIVATE \(secret)
                chown -hR \(Self.user):\(Self.user) \(own); chown \(Self.user) \(home)
                """)
            host.settings.changedFiles = .warn
            try await body(&host, own, secret)
        }
    }

    /// What of a copy is private although a user could enter each directory on the way to it, and read it.
    private func leaks(in tree: FilePath, below name: String) async throws -> String {
        let directory = tree.appending("home").appending(name)
        guard let status = try? FileSystem.status(of: directory), status.kind == .directory else { return "" }
        // Closed, as the private one is: nobody comes to what is in it.
        guard status.mode & 0o005 != 0 || status.uid != 0 else { return "" }
        return try await output(
            "/bin/sh", "-c",
            """
            grep -rl PRIVATE \(directory); find \(directory) -lname '*PRIVATE*'
            getfattr -hRd --absolute-names \(directory) 2>/dev/null | grep PRIVATE || true
            """)
    }

    @Test("has nothing private in a directory that is exchanged with a link to a private one")
    func link() async throws {
        try await withTree(private: "outside") { host, own, secret in
            let link = own.removingLastComponent().appending("link")
            try await run("/bin/ln", "-s", secret.string, link.string)
            let copier = host
            try await Swapper.exchanging(own, link, scratch: host.scratch) { () async throws in
                for round in 1...Self.rounds {
                    let taken = try await copier.dump("dump-\(round)")
                    for name in ["own", "link"] { #expect(try await leaks(in: taken.tree, below: name) == "") }
                }
            }
        }
    }

    @Test("has nothing private under the owner and mode of another directory that it is exchanged with")
    func directory() async throws {
        try await withTree(private: "inside") { host, own, secret in
            let copier = host
            try await Swapper.exchanging(own, secret, scratch: host.scratch) { () async throws in
                for round in 1...Self.rounds {
                    let taken = try await copier.dump("dump-\(round)")
                    for name in ["own", "private"] { #expect(try await leaks(in: taken.tree, below: name) == "") }
                }
            }
        }
    }

    @Test(
        "has the bytes of a file under its own owner and mode, whatever it is exchanged with", arguments: [false, true])
    func file(withLink: Bool) async throws {
        try await withTree(private: "outside") { host, own, secret in
            let other = own.appending("other")
            // Where the kernel lets a user make such a hard link, he may have it too.
            try await run("/bin/ln", withLink ? "-s" : "-T", secret.appending("f1").string, other.string)
            try await run("/bin/chmod", "600", secret.appending("f1").string)
            let copier = host
            try await Swapper.exchanging(own.appending("f1"), other, scratch: host.scratch) { () async throws in
                for round in 1...Self.rounds {
                    let taken = try await copier.dump("dump-\(round)")
                    for name in ["f1", "other"] {
                        let path = taken.tree.pushing("home/own").appending(name)
                        guard let status = try? FileSystem.status(of: path), status.kind == .file else { continue }
                        guard try read(path) == "PRIVATE\n" else { continue }
                        #expect(status.uid == 0 && status.mode == 0o600)
                    }
                }
            }
        }
    }
}

@Suite("What one user's files can do to a dump")
struct TenantTests {
    @Test("A link of a user's on the way to a path leads to nothing but what is that user's")
    func linkOnTheWay() async throws {
        try await TreeHost.with { host in
            let link = host.scratch.appending("link")
            let secret = host.scratch.appending("secret")
            try await run(
                "/bin/sh", "-c",
                "mkdir -p \(secret)/deep/docs && echo x > \(secret)/deep/docs/file && ln -s \(secret) \(link)")
            host.settings.path = link.pushing("deep/docs")
            _ = try await host.dump("by-link-of-root")
            try await run("/bin/chown", "-h", "23456", link.string)
            let error = try await host.failure("refused")
            #expect(
                error?.message
                    == "a link on the way to \(host.settings.path) belongs to a user, and leads to what is not that user's"
            )
            try await run("/bin/chown", "-R", "23456", secret.string)
            _ = try await host.dump("own")
        }
    }

    @Test("A file with more holes than anyone reads fails the dump, is named, and can be left out or read")
    func holes() async throws {
        try await TreeHost.with { host in
            let sparse = host.source.root.appending("sparse")
            try await run("/usr/bin/truncate", "--size=2T", sparse.string)
            try await run("/bin/chown", "23456", sparse.string)
            let error = try await host.failure()
            #expect(
                error?.description == """
                    \(sparse) has 2.00 TiB of holes, which all have to be read
                      dump: app
                      owner: 23456
                      hint: Leave it out with exclude:, or set sparse_files: read if it is a real file.
                    """)
            host.settings.selection.exclude = ["/sparse"]
            _ = try await host.dump("without")
        }
    }

    @Test("A file that grows by holes after the dump was prepared fails it too")
    func holesLater() async throws {
        try await TreeHost.with { host in
            let sparse = host.source.root.appending("sparse")
            try write("", to: sparse)
            let error = try await host.failure {
                try await run("/usr/bin/truncate", "--size=2T", sparse.string)
            }
            #expect(error?.code == .tooManyHoles)
        }
    }

    @Test("A dump that takes too long names the file that it was at")
    func culprit() async throws {
        try await TreeHost.with { host in
            let slow = host.source.root.appending("slow")
            try await run("/usr/bin/truncate", "--size=900G", slow.string)
            // On a busy machine the first of them may end before the file is come to.
            var error: DumpError?
            for seconds in [5, 30, 120] where error?.context["copying"] == nil {
                host.settings.deadline = .seconds(seconds)
                error = try await host.failure("dump-\(seconds)")
                #expect(error?.code == .deadline)
            }
            #expect(error?.context["copying"] == slow.string)
        }
    }

    @Test("Looking at a tree has the dump's deadline too, as a tree may grow without end")
    func endlessTree() async throws {
        try await TreeHost.with { host in
            host.settings.deadline = .nanoseconds(1)
            let error = try #require(await host.failure())
            #expect(error.code == .deadline)
            // The one that watches over the dump may be first.
            let words = ["looking at \(host.source.root)", "the dump"].map {
                "\($0) did not end within its deadline of "
            }
            #expect(words.contains { error.message.hasPrefix($0) }, "\(error.message)")
        }
    }

    @Test("A walk knows the directory that it is in at any moment, to name the one that holds it up")
    func directoryAtHand() async throws {
        try await TreeHost.with { host in
            let (atHand, selection) = (
                FilesAtHand(), Selection(host.settings.selection, device: 0, ownPlaces: OwnPlaces())
            )
            var walk = TreeWalk(
                try OpenDirectory(host.source.root), selection, longestPath: 4095, atHand: atHand, until: StopSign())
            var count = 0
            try walk.visitAll { (path, status) throws(DumpError) in
                guard !path.isEmpty else { return true }
                count += 1
                let culprit = atHand.culprit
                #expect(culprit?.doing == "reading")
                #expect(culprit?.path == (status.kind == .directory ? path : path.removingLastComponent()))
                return true
            }
            #expect(count > 20)
            #expect(atHand.culprit == nil)
        }
    }

    @Test("An extended attribute is kept whose name is not UTF-8, beside one that only differs in such bytes")
    func attributeName() async throws {
        try await TreeHost.with { host in
            let file = host.source.root.appending("named")
            try write("x", to: file)
            let set =
                "import os, sys; [os.setxattr(sys.argv[1], name, b'v') for name in (b'user.\\xff\\xfe', b'user.\\xff')]"
            try await run("/usr/bin/python3", "-c", set, file.string)
            let taken = try await host.dump()
            let names = [[UInt8]("user.".utf8) + [0xff], [UInt8]("user.".utf8) + [0xff, 0xfe]]
            #expect(try taken.entry("named")?.attributes.map(\.name) == names)
            let copy = try OpenDirectory(taken.tree)
            #expect(try copy.attributes(of: "named", kind: .file).map(\.name) == names)
            // It counts as unchanged the next time.
            let again = try await host.dump("again", after: taken)
            #expect(try again.status("named").inode == taken.status("named").inode)
        }
    }
}
