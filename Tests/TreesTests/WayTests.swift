import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The way to a directory")
struct WayTests {
    /// `theirs` belongs to a user, and has a directory of that user's and one of root's in it.
    private func withWay(_ body: (FilePath) throws -> Void) async throws {
        try await withScratch { scratch in
            for name in ["theirs", "theirs/own", "theirs/own/deep", "theirs/roots", "private"] {
                try FileSystem.createDirectory(scratch.pushing(FilePath(name)))
            }
            for name in ["theirs", "theirs/own", "theirs/own/deep"] {
                #expect(chown(scratch.pushing(FilePath(name)).string, user, user) == 0)
            }
            try body(scratch)
        }
    }

    private let user: UInt32 = 4711

    private func link(_ path: FilePath, to target: String, ofUser: Bool = false) {
        #expect(symlink(target, path.string) == 0)
        if ofUser { #expect(lchown(path.string, user, user) == 0) }
    }

    private func number(_ path: FilePath) throws -> FileNumber { FileNumber(try FileSystem.status(of: path)) }

    private func number(_ directory: OpenDirectory) throws -> FileNumber { FileNumber(try directory.status(of: "")) }

    @Test("leads through links of root, absolute and relative, and upwards")
    func ours() async throws {
        try await withWay { scratch in
            link(scratch.appending("absolute"), to: scratch.appending("theirs").string)
            link(scratch.appending("relative"), to: "absolute/../theirs/./own")
            let deep = try number(scratch.pushing("theirs/own/deep"))
            for path in ["relative/deep", "absolute/own/deep", "private/../relative/deep"] as [FilePath] {
                #expect(try number(OpenDirectory(following: scratch.pushing(path))) == deep)
                #expect(try number(OpenDirectory(alongUsers: scratch.pushing(path))) == deep)
            }
            #expect(
                try number(OpenDirectory(following: scratch.appending("relative")))
                    == number(scratch.pushing("theirs/own")))
            // Nobody can look into what is dumped through a link at its end.
            #expect(throws: Errno.tooManySymbolicLinkLevels) {
                try OpenDirectory(alongUsers: scratch.appending("relative"))
            }
            #expect(try number(OpenDirectory(following: "/")) == number("/"))
            #expect(throws: Errno.notDirectory) { try OpenDirectory(following: "/etc/passwd") }
            #expect(throws: Errno.noSuchFileOrDirectory) { try OpenDirectory(following: scratch.appending("nothing")) }
        }
    }

    @Test("through a link of a user is refused where something is put, and leads to that user's own where it is read")
    func theirs() async throws {
        try await withWay { scratch in
            link(scratch.pushing("theirs/in"), to: "own", ofUser: true)
            link(scratch.pushing("theirs/out"), to: "../private", ofUser: true)
            link(scratch.pushing("theirs/to-roots"), to: "roots", ofUser: true)
            link(scratch.appending("by-way"), to: "theirs/in")
            for path in ["theirs/in", "theirs/in/deep", "theirs/out", "by-way", "by-way/deep"] as [FilePath] {
                #expect(throws: Errno.notPermitted) { try OpenDirectory(following: scratch.pushing(path)) }
            }
            let deep = try number(scratch.pushing("theirs/own/deep"))
            #expect(try number(OpenDirectory(alongUsers: scratch.pushing("theirs/in/deep"))) == deep)
            #expect(try number(OpenDirectory(alongUsers: scratch.pushing("by-way/deep"))) == deep)
            for path in ["theirs/out/.", "theirs/to-roots/."] as [FilePath] {
                #expect(throws: Errno.self) { try OpenDirectory(alongUsers: scratch.pushing(path)) }
            }
        }
    }

    @Test("ends where links lead in a circle")
    func circle() async throws {
        try await withWay { scratch in
            link(scratch.appending("one"), to: "other/x")
            link(scratch.appending("other"), to: "one")
            for open in [{ try OpenDirectory(following: $0) }, { try OpenDirectory(alongUsers: $0) }]
                as [(FilePath) throws -> OpenDirectory]
            {
                #expect(throws: Errno.tooManySymbolicLinkLevels) { try open(scratch.pushing("one/y")) }
            }
        }
    }
}
