import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A tree that is removed")
struct TreeRemovalTests {
    @Test("goes with directories that lie deeper than any path can say, and nothing goes that a link in it leads to")
    func deep() async throws {
        try await withScratch { scratch in
            let (root, outside) = (scratch.appending("root"), scratch.appending("outside"))
            try FileSystem.createDirectory(root)
            try write("kept", to: outside)
            // Ten thousand levels, with a file and a link every so often.
            let program = """
                import os, sys
                os.chdir(sys.argv[1])
                for level in range(10000):
                    os.mkdir('a' * 100); os.chdir('a' * 100)
                    if level % 1000 == 0:
                        open('file', 'w').close()
                        os.symlink(sys.argv[2], 'link')
                """
            try await output("/usr/bin/python3", "-c", program, root.string, scratch.string)
            try FileTree(root).remove()
            #expect(access(root.string, F_OK) != 0)
            #expect(try read(outside) == "kept")
            // What is gone is fine.
            try FileTree(root).remove()
        }
    }
}
