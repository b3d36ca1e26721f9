import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Snapshots

/// A path on what the fake LVM takes for a volume `vg0/data`.
private struct FakeLVM {
    let host: SnapshotHost
    let fakes: FakePrograms
    let path: FilePath
    private let rows: FilePath

    static func with(thin: Bool = false, _ body: (FakeLVM) async throws -> Void) async throws {
        try await withMountScratch { scratch in
            let path = try scratch.directory("data")
            try await output("mount", "-t", "tmpfs", "/dev/mapper/vg0-data", path.string)
            try await body(try FakeLVM(scratch: scratch, path: path, thin: thin))
        }
    }

    private init(scratch: FilePath, path: FilePath, thin: Bool) throws {
        self.path = path
        fakes = try FakePrograms(in: scratch)
        host = SnapshotHost(scratch: scratch, bin: fakes.bin)
        rows = scratch.appending("rows")
        let device = try #require(try MountTable.current().mount(at: path)?.device).replacing(":", with: "|")
        let kind = thin ? "thin|Vwi-aotz--|pool" : "linear|-wi-ao----|"
        try write(
            """
              vg0|ID0|data|\(device)|\(kind)|||1073741824|536870912||
              vg0|ID0|pool|253|5|thin-pool|twi-aotz--||||4294967296|536870912|40.00|

            """, to: rows)
        let made = thin ? "Vwi---tz-k|pool" : "swi-a-s---|"
        try fakes.add("lvs", "cat \(rows)")
        try fakes.add(
            "lvcreate",
            """
            while [ $# -gt 1 ]; do
                case $1 in --name) name=$2 ;; --addtag) tag=$2 ;; esac
                shift
            done
            echo "  vg0|ID0|$name|253|9|\(thin ? "thin" : "linear")|\(made)|${1#vg0/}|$tag|107374182|429496729|1.50|" >> \(rows)
            """)
        try fakes.add("vgs")
        try fakes.add("lvchange", "sed -i 's/|Vwi---tz-k|/|Vwi-a-tz-k|/' \(rows)")
        try fakes.add("lvremove", #"sed -i "/|${2#*/}|/d" \#(rows)"#)
        try fakes.addMounts()
    }

    var snapshot: String { "muster-nightly-\(host.run.context.runID)-data" }
    var device: String { "/dev/mapper/vg0-" + snapshot.replacing("-", with: "--") }
    var tag: String { "muster.owner=\(ProcessIdentity.current.mark)" }

    func edit(_ expression: String) async throws { try await output("sed", "-i", expression, rows.string) }

    func listing() throws -> [String] { try read(rows).split(separator: "\n").map(String.init) }
}

private let lvs = """
    lvs --all --noheadings --separator | --units b --nosuffix --options vg_name,vg_uuid,lv_name,lv_kernel_major,\
    lv_kernel_minor,segtype,lv_attr,pool_lv,origin,lv_tags,lv_size,vg_free,data_percent,lv_health_status
    """

@Suite("A snapshot of a logical volume")
struct LVMTests {
    @Test("is taken with its owner in a tag, mounted, confirmed, unmounted and removed, in this order")
    func classic() async throws {
        try await FakeLVM.with { lvm in
            let plan = try await lvm.host.examined(lvm.path)
            #expect(try lvm.fakes.called() == [lvs])
            #expect(plan.findings == [])
            #expect(plan.facts["volume"] == "vg0/data")
            #expect(plan.facts["snapshot_size"] == "10%ORIGIN")
            let held = try await plan.take(in: lvm.host.context())
            #expect(held.tree == lvm.host.mountPoint)
            #expect(
                try lvm.fakes.called() == [
                    "lvcreate --snapshot --permission rw --extents 10%ORIGIN --addtag \(lvm.tag) --name \(lvm.snapshot) vg0/data",
                    "mount -t tmpfs -o ro,nodev,nosuid,noexec \(lvm.device) \(lvm.host.mountPoint)",
                ])
            try await held.confirm()
            #expect(try lvm.fakes.called() == [lvs])
            await held.release()
            #expect(
                try lvm.fakes.called() == [
                    "umount \(lvm.host.mountPoint)", lvs, "lvremove --yes vg0/\(lvm.snapshot)",
                ])
            #expect(try lvm.listing().count == 2)
            try lvm.host.expectNothingLeft()
        }
    }

    @Test("of a thin volume needs no size, and is activated")
    func thin() async throws {
        try await FakeLVM.with(thin: true) { lvm in
            let plan = try await lvm.host.examined(lvm.path, SnapshotSettings(.lvm))
            #expect(plan.facts["snapshot_size"] == "thin")
            _ = try lvm.fakes.called()
            let held = try await plan.take(in: lvm.host.context())
            #expect(
                try lvm.fakes.called() == [
                    "lvcreate --snapshot --permission rw --addtag \(lvm.tag) --name \(lvm.snapshot) vg0/data",
                    "lvchange --activate y --ignoreactivationskip vg0/\(lvm.snapshot)",
                    "mount -t tmpfs -o ro,nodev,nosuid,noexec \(lvm.device) \(lvm.host.mountPoint)",
                ])
            try await held.confirm()
            try await lvm.edit("/|pool|253/s/|$/|out_of_data/")
            let error = await #expect(throws: DumpError.self) { try await held.confirm() }
            #expect(error?.message == "LVM no longer vouches for the snapshot vg0/\(lvm.snapshot)")
            await held.release()
            try lvm.host.expectNothingLeft()
        }
    }

    @Test(
        "that overflowed while it was read fails the dump",
        arguments: ["s/|swi-a-s---|/|swi-I-s---|/", "s/|1.50|/|100.00|/", "s/|1.50|/||/"])
    func overflow(edit: String) async throws {
        try await FakeLVM.with { lvm in
            var settings = SnapshotSettings(.lvm)
            settings.size = try #require(SnapshotSize("256M"))
            let held = try await lvm.host.examined(lvm.path, settings).take(in: lvm.host.context())
            try await held.confirm()
            try await lvm.edit(edit)
            let error = await #expect(throws: DumpError.self) { try await held.confirm() }
            #expect(error?.code.rawValue == "snapshot_lost")
            #expect(
                error?.message
                    == "the snapshot vg0/\(lvm.snapshot) overflowed while it was being read: it held 256M")
            await held.release()
            try lvm.host.expectNothingLeft()
            #expect(try lvm.listing().count == 2)
        }
    }

    @Test("that cannot be taken or mounted leaves nothing", arguments: ["lvcreate", "mount"])
    func failure(program: String) async throws {
        try await FakeLVM.with { lvm in
            let plan = try await lvm.host.examined(lvm.path)
            try lvm.fakes.add(program, "echo 'it does not want to' >&2; exit 5")
            let error = await #expect(throws: DumpError.self) { try await plan.take(in: lvm.host.context()) }
            #expect(error?.code == .programFailed)
            #expect(error?.message == "\(program) exited with status 5")
            #expect(error?.context["stderr"] == "it does not want to")
            #expect(try lvm.listing().count == 2)
            try lvm.host.expectNothingLeft()
            #expect(!lvm.host.journal.all.isEmpty)
        }
    }

    @Test("is undone only where the tag says that it is ours, and the group is there to tell")
    func undo() async throws {
        try await FakeLVM.with { lvm in
            let held = try await lvm.host.examined(lvm.path).take(in: lvm.host.context())
            let records = lvm.host.journal.open
            // Somebody made it anew, by hand.
            try await lvm.edit("s/|muster.owner=[^|]*|/|mine|/")
            await held.release()
            #expect(try lvm.listing().count == 3)
            try lvm.host.expectNothingLeft()
            try await lvm.edit("s/|ID0|/|ID1|/")
            let error = await #expect(throws: DumpError.self) {
                try await lvm.host.round.undo(records[0], in: lvm.host.context())
            }
            #expect(error?.message == "the volume group vg0, which had the snapshot vg0/\(lvm.snapshot), is not there")
            try await lvm.edit("s/|ID1|/|ID0|/; s/|mine|/|\(lvm.tag.replacing("/", with: "\\/"))|/")
            // Under another name, and without its origin, it is still the same.
            try await lvm.edit("s/ vg0|ID0|/ renamed|ID0|/; s/|data|muster.owner/||muster.owner/")
            _ = try lvm.fakes.called()
            try await lvm.host.undoAll(records)
            #expect(try lvm.fakes.called().contains("lvremove --yes renamed/\(lvm.snapshot)"))
            #expect(try lvm.listing().count == 2)
            try await lvm.host.undoAll(records)
            // In a group without volumes there is no snapshot either.
            try await lvm.edit("d")
            for (line, isEmpty) in [("ID0|wz--n-|0", true), ("ID0|wzx-n-|0", false), ("ID0|wz--n-|1", false)] {
                try lvm.fakes.add("vgs", "echo '  \(line)'")
                guard !isEmpty else {
                    try await lvm.host.undoAll(records)
                    continue
                }
                await #expect(throws: DumpError.self, "\(line)") { try await lvm.host.undoAll(records) }
            }
        }
    }

    @Test("needs room in the group, and a device that LVM knows")
    func examination() async throws {
        try await FakeLVM.with { lvm in
            var settings = SnapshotSettings(.lvm)
            settings.size = try #require(SnapshotSize("1G"))
            let plan = try await lvm.host.examined(lvm.path, settings)
            #expect(
                plan.findings == [
                    Finding(
                        .failure, "no_room_for_snapshot", object: "vg0/data",
                        "the volume group vg0 has \(formatBytes(536_870_912)) left for a snapshot of 1G",
                        hint: "Extend the volume group, or write a smaller size: snapshot: {lvm: {size: 1G}}.")
                ])
            try await lvm.edit("1d")
            let error = await #expect(throws: DumpError.self) { try await lvm.host.examined(lvm.path) }
            #expect(error?.message.hasSuffix("of which no snapshot can be taken") == true)
            #expect(lvm.host.journal.all.isEmpty)
        }
    }

    @Test("is mounted as its file system needs it")
    func mountOptions() async throws {
        let programs = SnapshotHost(scratch: "/nonexistent").round.programs
        var snapshot = LogicalVolumeSnapshot(
            group: "my-vg", groupID: "ID", origin: "data", volume: "muster-x", isThin: false, size: .standard,
            fileSystem: "xfs")
        let device = "/dev/mapper/my--vg-muster--x"
        #expect(
            snapshot.mounting(by: programs)
                == .byMount(arguments: ["-t", "xfs", "-o", "ro,nodev,nosuid,noexec,nouuid", device]))
        snapshot.fileSystem = "ext4"
        #expect(
            snapshot.mounting(by: programs)
                == .byMount(arguments: ["-t", "ext4", "-o", "ro,nodev,nosuid,noexec", device]))
    }
}
