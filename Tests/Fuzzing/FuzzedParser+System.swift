import DumpCore
import SystemPackage
import Trees

@testable import Linux
@testable import Snapshots

/// What the kernel and the programs of file systems write, and the inventory of a tree.
extension FuzzedParser {
    static let ofSystem = [
        FuzzedParser("inventory", [inventory]) { bytes in
            try withFile(holding: bytes) { file in
                var reader = InventoryReader(file)
                while let entry = try reader.next() { _ = entry.differences(from: entry) }
            }
        },
        FuzzedParser("mounts", [mounts]) { bytes in
            let table = MountTable(parsing: bytes)
            _ = (table.mounts(below: "/"), table.missing(of: MountTable.points(inLines: bytes), above: "/srv/a b/c"))
        }.flat,
        FuzzedParser(
            "fstab", ["# static\nUUID=x / ext4 errors=remount-ro 0 1\n/dev/sdb1\t/srv/a\\040b xfs defaults 0 2\n"]
        ) {
            _ = MountTable.points(inLines: $0)
        }.flat,
        FuzzedParser("subvolume", [subvolume]) { bytes in
            _ = Subvolume(at: "/srv/data", showing: bytes)?.isOwnSnapshot
        }.flat,
        FuzzedParser("lvs", [lvs]) { bytes in
            for line in bytes.text.split(atASCII: "\n") {
                guard let volume = LogicalVolume(line: String(line)) else { continue }
                _ = (volume.facts, volume.isSound, volume.overflowed, volume.isThin, volume.isClassicSnapshot)
            }
        }.flat,
    ]

    private static let inventory = """
        #mtree
        . type=dir mode=0755 uid=0 gid=0 time=1700000000.000000000
        #: inode=7 changed=1700000000.000000001 xattr.user.comment=6869
        ./a type=file mode=0644 uid=0 gid=0 size=12 time=-1.500000000 sha256=\(digest)
        #: first-name=./a
        ./b\\040c type=file mode=0644 uid=0 gid=0 size=12 time=1700000000.000000000 sha256=\(digest)
        ./d type=char mode=0600 uid=0 gid=0 time=1700000000.000000000 device=native,1,3
        ./e type=link mode=0777 uid=0 gid=0 time=1700000000.000000000 link=../x

        """
    private static let mounts = """
        21 26 0:20 / /proc rw,nosuid shared:5 - proc proc rw
        36 35 98:0 /mnt1 /srv/a\\040b rw,noatime master:1 - ext3 /dev/root rw,errors=continue
        57 36 0:44 /data//deleted /srv/x rw - btrfs /dev/loop0 rw,subvolid=256

        """
    private static let subvolume = """
        data/.muster-nightly-1
        \tName: \t\t\t.muster-nightly-1
        \tUUID: \t\t\t6f1c2a5e-0000-4000-8000-000000000001
        \tParent UUID: \t\t6f1c2a5e-0000-4000-8000-000000000002
        \tGeneration: \t\t12
        \tGen at creation: \t12
        \tFlags: \t\t\treadonly
        \tSnapshot(s):

        """
    private static let lvs = """
          vg0|Zb1|root|253|0|linear|-wi-ao----||||1073741824|5368709120||
          vg0|Zb1|[thin_tdata]|-1|-1|linear|Twi-ao----||||1073741824|5368709120||
          vg0|Zb1|snap|253|3|linear|swi-a-s---||root|muster,x|104857600|5368709120|99.97|

        """
}
