import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A directory that is expected", .serialized)
struct ExpectedDirectoryTests {
    /// Two directories, each with a file that says which it is in.
    private func withTwo(_ body: (_ scratch: FilePath, _ root: FilePath) async throws -> Void) async throws {
        try await withScratch { scratch in
            let root = scratch.appending("root")
            try FileSystem.createDirectory(root)
            for name in ["own", "other"] {
                try FileSystem.createDirectory(root.appending(name))
                try write(name, to: root.appending(name).appending("file"))
                try write("", to: root.appending(name).appending("in-\(name)"))
            }
            try await body(scratch, root)
        }
    }

    @Test("is that one or gone, whatever it is exchanged with as fast as can be", arguments: OpenCall.allCases)
    func exchanged(call: OpenCall) async throws {
        try await withTwo { scratch, root in
            let (own, other) = (root.appending("own"), root.appending("other"))
            let numbers = [
                "own": FileNumber(try FileSystem.status(of: own)),
                "other": FileNumber(try FileSystem.status(of: other)),
            ]
            try await Swapper.exchanging(own, other, scratch: scratch) { () async throws in
                try await call.run {
                    for _ in 1...2000 {
                        // As each walk is: what it has seen of directories is not known yet.
                        let directory = try OpenDirectory(root)
                        let status = try directory.status(of: "own")
                        directory.expect("own", status)
                        if let file = try? directory.openFile("own/file") {
                            var bytes = [UInt8](repeating: 0, count: 5)
                            let count = try file.closeAfter {
                                try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
                            }
                            #expect(numbers[String(decoding: bytes[..<count], as: UTF8.self)] == FileNumber(status))
                        }
                        if let names = try? directory.names(in: "own") {
                            let place = names.contains("in-own") ? "own" : "other"
                            #expect(numbers[place] == FileNumber(status))
                        }
                    }
                }
            }
        }
    }

    @Test("counts as gone once another, or a link to it, is in its place", arguments: OpenCall.allCases)
    func gone(call: OpenCall) async throws {
        try await withTwo { scratch, root in
            try await call.run {
                let directory = try OpenDirectory(root)
                let (status, file) = (try directory.status(of: "own"), try directory.status(of: "own/file"))
                directory.expect("own", status)
                try directory.openFile("own/file").close()
                try FileSystem.exchange(root.appending("own"), root.appending("other"))
                #expect(throws: Errno.noSuchFileOrDirectory) { try directory.names(in: "own") }
                #expect(throws: Errno.noSuchFileOrDirectory) { try directory.details(of: "own", status) }
                let again = try OpenDirectory(root)
                #expect(throws: Errno.noSuchFileOrDirectory) { try again.details(of: "own/file", file) }
                again.expect("own", status)
                for path in ["own/file", "own/in-own"] as [FilePath] {
                    #expect(throws: Errno.noSuchFileOrDirectory) { try again.openFile(path) }
                    #expect(throws: Errno.noSuchFileOrDirectory) { try again.status(of: path) }
                }
                #expect(rename(root.appending("own").string, root.appending("aside").string) == 0)
                #expect(symlink(root.appending("other").string, root.appending("own").string) == 0)
                #expect(throws: Errno.self) { try again.openFile("own/file") }
            }
        }
    }
}
