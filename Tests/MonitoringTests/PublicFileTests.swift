import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Monitoring

@Suite("A file for programs of other users")
struct PublicFileTests {
    @Test(
        "is a new one that they may read, and what lay under its names is neither read, opened to others nor waited for"
    )
    func others() async throws {
        try await withScratch { (scratch) async throws in
            let (path, draft) = (scratch.appending("page.html"), scratch.appending(".draft"))
            let secret = scratch.appending("secret")
            try write("secret", to: secret, mode: .ownerReadWrite)
            #expect(link(secret.string, draft.string) == 0)
            #expect(symlink(secret.string, path.string) == 0)
            try PublicFile.replace(path, holding: Array("page".utf8), draft: ".draft")
            #expect(try read(path) == "page")
            #expect(try FileSystem.status(of: path).mode & 0o777 == 0o644)
            #expect(try read(secret) == "secret")
            #expect(try FileSystem.status(of: secret).mode & 0o777 == 0o600)

            #expect(mkfifo(draft.string, 0o600) == 0)
            try PublicFile.replace(path, holding: Array("next".utf8), draft: ".draft")
            #expect(try read(path) == "next")
            #expect(try FileSystem.names(in: scratch).map(\.string) == ["page.html", "secret"])
        }
    }

    @Test("takes the place of a file or a link alone")
    func taken() async throws {
        try await withScratch { (scratch) async throws in
            #expect(mkfifo(scratch.appending("pipe").string, 0o600) == 0)
            #expect(throws: Errno.fileExists) {
                try PublicFile.replace(scratch.appending("pipe"), holding: [], draft: ".draft")
            }
            #expect(try FileSystem.names(in: scratch).map(\.string) == ["pipe"])
        }
    }
}
