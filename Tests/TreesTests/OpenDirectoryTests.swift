import CFaults
import Glibc
import Linux
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// How a kernel answers openat2(2).
enum OpenCall: String, CaseIterable, CustomTestStringConvertible {
    case known, unknown, forbidden

    var testDescription: String { rawValue }

    /// Runs `body` on a thread of its own, for which alone the call is so.
    func run(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await onOwnThread {
            switch self {
            case .known: break
            case .unknown: #expect(cfaults_fail_openat2_on_this_thread(ENOSYS) == 0)
            case .forbidden: #expect(cfaults_fail_openat2_on_this_thread(EPERM) == 0)
            }
            try body()
        }
    }
}

/// What can be asked of an open directory, each with a path below it.
private let operations: [(String, @Sendable (OpenDirectory, FilePath) throws -> Void)] = [
    ("status", { _ = try $0.status(of: $1) }),
    ("names", { _ = try $0.names(in: $1) }),
    ("open", { try $0.openFile($1).close() }),
    ("target", { _ = try $0.target(ofLink: $1) }),
    ("create a file", { try $0.createFile($1).close() }),
    ("create a directory", { try $0.createDirectory($1) }),
    ("create a link", { try $0.createLink($1, to: Array("target".utf8)) }),
    ("create a FIFO", { try $0.createNode($1, like: FileSystem.status(of: "/dev/null")) }),
    ("link from", { try $0.link($1, of: $0, as: "second") }),
    ("link to", { try $0.link("file", of: $0, as: $1) }),
    ("remove a file", { try $0.remove($1) }),
    ("remove a directory", { try $0.remove($1, isDirectory: true) }),
    ("rename", { try $0.rename($1, to: "renamed") }),
    ("rename to", { try $0.rename("file", to: $1) }),
    ("rename to a new name", { try $0.renameNew("file", to: $1) }),
    ("own", { try $0.setOwner(of: $1, to: 4711, 4711) }),
    ("mode", { try $0.setMode(of: $1, to: 0o777) }),
    ("time", { try $0.setModified($1, to: 1) }),
    ("attributes of a file", { _ = try $0.attributes(of: $1, kind: .file) }),
    ("attributes of a link", { _ = try $0.attributes(of: $1, kind: .symbolicLink) }),
    (
        "set attributes",
        { try $0.setAttributes([ExtendedAttribute(name: "trusted.x", value: [1])], of: $1, kind: .symbolicLink) }
    ),
]

@Suite("An open directory", .serialized)
struct OpenDirectoryTests {
    @Test("is left by no path: not through a link, upwards, or from the root", arguments: OpenCall.allCases)
    func leftByNoPath(call: OpenCall) async throws {
        try await withOutside { scratch, root in
            try await call.run {
                let directory = try OpenDirectory(root)
                let before = try Self.state(of: scratch)
                for path in [
                    "link/file", "link/directory", "link/new", "link/directory/deep", "sub/link/file",
                    "sub/../../outside/file",
                    "../outside/file", "../outside/new", "..", scratch.pushing("outside/file"),
                    scratch.pushing("outside/new"),
                ] as [FilePath] {
                    for (name, operation) in operations {
                        #expect(throws: Errno.self, "\(name) \(path)") { try operation(directory, path) }
                    }
                }
                #expect(try Self.state(of: scratch) == before)
            }
        }
    }

    @Test("does not change what a link at the end of a path leads to", arguments: OpenCall.allCases)
    func lastLink(call: OpenCall) async throws {
        try await withOutside { scratch, root in
            try await call.run {
                let directory = try OpenDirectory(root)
                let before = try FileSystem.status(of: scratch.appending("outside"))
                #expect(throws: Errno.tooManySymbolicLinkLevels) { try directory.setMode(of: "link", to: 0o777) }
                #expect(throws: Errno.tooManySymbolicLinkLevels) { try directory.openFile("link") }
                #expect(throws: Errno.notDirectory) { try directory.names(in: "link") }
                #expect(throws: Errno.tooManySymbolicLinkLevels) { try directory.names(in: "link/directory") }
                try directory.setOwner(of: "link", to: 4711, 4711)
                try directory.setModified("link", to: 1)
                #expect(try directory.status(of: "link").uid == 4711)
                #expect(try FileSystem.status(of: scratch.appending("outside")) == before)
            }
        }
    }

    @Test("reaches all that is below it, however deep", arguments: OpenCall.allCases)
    func reachesBelow(call: OpenCall) async throws {
        try await withOutside { _, root in
            try await call.run {
                let directory = try OpenDirectory(root)
                var path: FilePath = "sub"
                for _ in 1...30 {
                    path.append(FilePath.Component(String(repeating: "d", count: 100))!)
                    try directory.createDirectory(path)
                }
                try directory.createFile(path.appending("file")).close()
                try directory.setMode(of: path.appending("file"), to: 0o751)
                #expect(try directory.status(of: path.appending("file")).mode == 0o751)
                #expect(try directory.names(in: path) == ["file"])
                #expect(throws: Errno.notDirectory) { try directory.status(of: "file/below") }
                #expect(throws: Errno.noSuchFileOrDirectory) { try directory.status(of: "nothing/below") }
            }
        }
    }

    @Test("is not left while directories are exchanged with links as fast as can be", arguments: OpenCall.allCases)
    func exchanged(call: OpenCall) async throws {
        try await withOutside { scratch, root in
            let outside = scratch.appending("outside")
            let before = try Self.state(of: outside)
            let isOver = Atomic(false)
            async let exchanges: Void = onOwnThread {
                while !isOver.load(ordering: .relaxed) {
                    try? FileSystem.exchange(root.appending("sub"), root.appending("link"))
                }
            }
            try await call.run {
                let directory = try OpenDirectory(root)
                for _ in 1...100 {
                    for (_, operation) in operations { try? operation(directory, "sub/file") }
                    #expect(throws: Errno.self) { try directory.openFile("sub/secret") }
                }
            }
            isOver.store(true, ordering: .relaxed)
            await exchanges
            #expect(try Self.state(of: outside) == before)
        }
    }

    @Test(
        "goes by what a name leads to now, not by what lay below it before it was renamed", arguments: OpenCall.allCases
    )
    func renamed(call: OpenCall) async throws {
        try await withOutside { _, root in
            try await call.run {
                let directory = try OpenDirectory(root)
                for path in ["sub/deep", "other", "other/deep"] as [FilePath] { try directory.createDirectory(path) }
                try directory.createFile("sub/deep/one").close()
                try directory.rename("sub", to: "moved")
                #expect(throws: Errno.noSuchFileOrDirectory) { try directory.createFile("sub/deep/two") }
                try directory.createFile("moved/deep/two").close()
                try directory.renameNew("other", to: "sub")
                #expect(throws: Errno.fileExists) { try directory.renameNew("moved", to: "sub") }
                try directory.createFile("sub/deep/three").close()
                #expect(try directory.names(in: "sub/deep") == ["three"])
                #expect(try directory.names(in: "moved/deep") == ["one", "two"])
            }
        }
    }

    /// `root` with a file, a directory and links to `outside`, in which there are a file and a directory.
    private func withOutside(_ body: (FilePath, FilePath) async throws -> Void) async throws {
        try await withScratch { scratch in
            let (root, outside) = (scratch.appending("root"), scratch.appending("outside"))
            for path in [root, root.appending("sub"), outside, outside.appending("directory")] {
                try FileSystem.createDirectory(path)
            }
            for path in [
                root.appending("file"), root.appending("sub/file"), outside.appending("file"),
                outside.appending("secret"),
            ] {
                try write("original", to: path)
            }
            #expect(symlink("../outside", root.appending("link").string) == 0)
            #expect(symlink("../../outside", root.appending("sub/link").string) == 0)
            try await body(scratch, root)
        }
    }

    private static func state(of root: FilePath) throws -> [FileTree.Entry] { try FileTree(root).entries() }
}
