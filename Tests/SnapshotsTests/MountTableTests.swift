import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The table of mounts")
struct MountTableTests {
    @Test("finds what a path is on, whatever its name, and whatever hides what")
    func place() async throws {
        try await withMountScratch { scratch in
            let odd = try scratch.directory("a b\\040\n#")
            try await output("mount", "-t", "tmpfs", "one", odd.string)
            let inner = try odd.directory("inner")
            try await output("mount", "-t", "tmpfs", "two", inner.string)
            #expect(try MountTable.place(of: inner).mount.source == "two")
            #expect(try MountTable.current().mounts(below: scratch).map(\.point) == [odd, inner])
            // Over both of them.
            try await output("mount", "-t", "tmpfs", "three", odd.string)
            let hidden = try odd.directory("inner")
            let place = try MountTable.place(of: hidden)
            #expect(place.mount.source == "three" && place.mount.point == odd && place.mount.root == "/")
            #expect(try MountTable.current().mount(at: odd)?.source == "three")
            try await output("ln", "-s", hidden.string, scratch.appending("link").string)
            #expect(try MountTable.place(of: scratch.appending("link")).path == hidden)
            #expect(throws: Errno.noSuchFileOrDirectory) { try MountTable.place(of: scratch.appending("nothing")) }
        }
    }
}
