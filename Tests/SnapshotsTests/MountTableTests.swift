import SystemPackage
import TestSupport
import Testing

@testable import Linux

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

    @Test("knows where a disk is to be mounted and is not")
    func configured() {
        let points = MountTable.points(
            inLines: Array(
                """
                # <file system> <mount point> <type>
                UUID=1 / ext4 defaults 0 1
                UUID=2\t/mnt/usb\text4 noauto 0 2
                UUID=3 none swap sw 0 0
                //nas/backup /srv/my\\040backup cifs defaults
                UUID=4 /srv ext4 defaults
                """.utf8))
        #expect(points == ["/", "/mnt/usb", "/srv/my backup", "/srv"])
        var table = MountTable(parsing: Array("36 35 98:0 / /srv rw - ext3 /dev/sda rw\n".utf8))
        #expect(table.missing(of: points, above: "/mnt/usb/repository") == "/mnt/usb")
        #expect(table.missing(of: points, above: "/mnt/usb") == "/mnt/usb")
        #expect(table.missing(of: points, above: "/srv/my backup/repository") == "/srv/my backup")
        #expect(table.missing(of: points, above: "/srv/repository") == nil)
        #expect(table.missing(of: points, above: "/mnt/usb2") == nil)
        table.mounts = []
        #expect(table.missing(of: points, above: "/home") == nil, "the root is always mounted")
    }
}
