import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Opening a staging area")
struct OpeningTests {
    @Test("A new area is private from the start, and opening it again changes nothing")
    func new() async throws {
        try await withScratch { scratch in
            let root = scratch.appending("staging")
            _ = try await StagingArea.open(root)
            let before = try FileTree(root).entries()
            #expect(before.map(\.path) == ["incoming", "journal", "lock", "repositories", "runs"])
            #expect(before.map(\.status.mode) == [0o700, 0o700, 0o600, 0o700, 0o700])
            #expect(try FileSystem.status(of: root).mode == 0o700)
            _ = try await StagingArea.open(root)
            #expect(try FileTree(root).entries() == before)
        }
    }

    @Test("A directory on the way of another user's is refused, and warned of if the dumps are handed to that user")
    func exposed() async throws {
        try await withScratch { scratch in
            let home = scratch.appending("home")
            try FileSystem.createDirectory(home, mode: 0o755)
            let root = home.appending("staging")
            #expect(try await StagingArea.exposure(of: root, toAllBut: []) == nil)
            let user = try #require(UserAccount(named: "nobody"))
            #expect(chown(home.string, user.uid, 0) == 0)
            let message =
                "\(root) is not safe from other users: \(home) belongs to user \(user.uid) (mode 0755)"
            let warning = try await StagingArea.exposure(of: root, toAllBut: [user.name, "no-such-user"])
            #expect(warning?.severity == .warning && warning?.message == message)
            for users in [[], ["daemon"]] {
                let error = await #expect(throws: StagingError.self) {
                    try await StagingArea.exposure(of: root, toAllBut: users)
                }
                #expect(error?.message == message)
                #expect(error?.hint?.hasSuffix("set MUSTER_TRUST=\(home) in the environment.") == true)
            }
            #expect(chmod(home.string, 0o777) == 0 && chown(home.string, 0, 0) == 0)
            let open = await #expect(throws: StagingError.self) {
                try await StagingArea.exposure(of: root, toAllBut: [user.name])
            }
            #expect(open?.message.hasSuffix("\(home) is writable by all users (mode 0777)") == true)
        }
    }

    @Test("Many processes may open a new area at once")
    func concurrently() async throws {
        try await withScratch { scratch in
            let root = scratch.appending("staging")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await StagingArea.open(root) } }
                try await group.waitForAll()
            }
            #expect(try FileTree(root).entries().count == 5)
        }
    }

    @Test("An empty directory of ours becomes one, and private, also as the root of a new file system")
    func emptyDirectory() async throws {
        try await withScratch { root in
            try FileSystem.createDirectory(root.appending("lost+found"))
            _ = try await StagingArea.open(root)
            #expect(try FileSystem.status(of: root).mode == 0o700)
        }
    }

    @Test("Looking whether an area is there makes none")
    func existing() async throws {
        try await withScratch { scratch in
            let root = scratch.appending("staging")
            #expect(try await StagingArea.openExisting(root) == nil)
            #expect(access(root.string, F_OK) != 0)
            try FileSystem.createDirectory(root, mode: 0o755)
            #expect(try await StagingArea.openExisting(root) == nil)
            #expect(try FileSystem.status(of: root).mode == 0o755)
            let area = try await StagingArea.open(root)
            #expect(try await StagingArea.openExisting(root) == area)
            try FileSystem.removeFile(root.appending("lock"))
            await #expect(throws: StagingError.self) { try await StagingArea.openExisting(root) }
        }
    }

    @Test("A crash while the area was made does no harm")
    func halfMade() async throws {
        try await withScratch { root in
            #expect(chmod(root.string, 0o700) == 0)
            try write("", to: root.appending("lock"))
            try FileSystem.createDirectory(root.appending("journal"))
            _ = try await StagingArea.open(root)
            #expect(try FileTree(root).entries().count == 5)
        }
    }

    @Test("A stranger's directory is refused and not touched", arguments: ["notes", "lock"])
    func stranger(name: String) async throws {
        try await withScratch { root in
            try write("x", to: root.appending(name))
            try FileSystem.createDirectory(root.appending("mail"))
            #expect(chmod(root.string, 0o700) == 0)
            let before = try FileTree(root).entries()
            let why =
                name == "lock"
                ? "is not a staging area: it holds mail" : "is not empty and is not a staging area: it holds mail"
            await expectRefusal(
                of: root,
                """
                directory \(root) \(why)
                  hint: Name a directory that does not exist yet, or an empty one.
                """)
            #expect(try FileTree(root).entries() == before)
        }
    }

    @Test("A directory that others may enter is refused when it has contents")
    func open() async throws {
        try await withArea { area in
            #expect(chmod(area.root.string, 0o750) == 0)
            await expectRefusal(
                of: area.root,
                """
                staging directory \(area.root) is open to other users (mode 0750)
                  hint: Run: chmod 0700 \(area.root)
                """)
        }
        try await withScratch { root in
            try write("x", to: root.appending("notes"))
            await expectRefusal(
                of: root,
                """
                directory \(root) is not empty and is not a staging area: it holds notes
                  hint: Name a directory that does not exist yet, or an empty one.
                """)
            #expect(try FileSystem.status(of: root).mode == 0o711)
        }
    }

    @Test("A symbolic link, a file, another user's directory, a relative path, a missing parent are refused")
    func unsuitable() async throws {
        try await withScratch { scratch in
            let link = scratch.appending("link")
            #expect(symlink("/tmp", link.string) == 0)
            await expectRefusal(
                of: link,
                """
                staging path \(link) is a symbolic link
                  hint: Name the directory itself: archives hold its real path.
                """)
            let file = scratch.appending("file")
            try write("x", to: file)
            await expectRefusal(
                of: file,
                """
                staging path \(file) is not a directory
                  hint: Name a directory, or remove what is there.
                """)
            let other = scratch.appending("other")
            try FileSystem.createDirectory(other)
            #expect(chown(other.string, 65534, 65534) == 0)
            await expectRefusal(
                of: other,
                """
                staging directory \(other) belongs to user 65534, not to user 0
                  hint: Run muster as its owner, or name another directory.
                """)
            await expectRefusal(
                of: "staging",
                """
                staging path staging is not absolute
                  hint: Write it with a leading slash.
                """)
            let parent = scratch.appending("not-mounted")
            await expectRefusal(
                of: parent.appending("staging"),
                """
                cannot create staging directory \(parent)/staging: \(parent) does not exist
                  hint: Create \(parent), or mount the file system that it should be on.
                """)
        }
    }

    @Test(
        "A part of the area that is not a private directory any more is refused", arguments: ["link", "mode", "owner"])
    func damaged(how: String) async throws {
        try await withArea { area in
            let path = area.root.appending("incoming")
            switch how {
            case "link":
                try FileTree(path).remove()
                #expect(symlink("/tmp", path.string) == 0)
            case "mode": #expect(chmod(path.string, 0o755) == 0)
            default: #expect(chown(path.string, 65534, 65534) == 0)
            }
            await expectRefusal(
                of: area.root,
                """
                \(path) is not a private directory of user 0
                  hint: It should be a directory of mode 0700. Find out who changed it.
                """)
        }
    }

    private func expectRefusal(of root: FilePath, _ description: String) async {
        let error = await #expect(throws: StagingError.self) { try await StagingArea.open(root) }
        #expect(error?.code == .unsuitableDirectory)
        #expect(error?.description == description)
    }
}
