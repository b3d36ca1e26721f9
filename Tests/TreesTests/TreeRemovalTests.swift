import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A tree that is removed")
struct TreeRemovalTests {
    @Test("goes with directories that lie deeper than any path can say, and with names that are in the way")
    func deep() async throws {
        try await withScratch { scratch in
            let root = scratch.appending("root")
            try FileSystem.createDirectory(root)
            try write("taken", to: root.appending(".removed-1"))
            // Ten thousand levels, with a file every so often.
            let program = """
                import os, sys
                os.chdir(sys.argv[1])
                for level in range(10000):
                    os.mkdir('a' * 100); os.chdir('a' * 100)
                    if level % 1000 == 0: open('file', 'w').close()
                """
            try await output("/usr/bin/python3", "-c", program, root.string)
            let outside = scratch.appending("outside")
            try write("kept", to: outside)
            try await output("/bin/ln", "-s", scratch.string, root.appending("link").string)
            try FileTree(root).remove()
            #expect(access(root.string, F_OK) != 0)
            #expect(try read(outside) == "kept")
            try FileTree(root).remove()
        }
    }
}
