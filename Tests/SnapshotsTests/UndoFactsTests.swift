import Documents
import Staging
import TestSupport
import Testing

@testable import DumpCore
@testable import Snapshots

@Suite("Undo records of snapshots")
struct UndoFactsTests {
    /// As they are on disk since the first Muster that wrote them.
    private static let facts: [String: [String: String]] = [
        "lvm_snapshot": [
            "volume_group": "vg0", "volume_group_uuid": "u-1", "origin": "data", "snapshot": "muster-a",
            "thin": "false",
            "size": "10%ORIGIN", "file_system": "xfs",
        ],
        "zfs_snapshot": ["dataset": "tank/app", "guid": "42", "snapshot": "muster-a"],
        "btrfs_snapshot": [
            "source": "/srv/app", "source_uuid": "u-2", "generation": "77", "snapshot": ".muster-a",
            "file_system_uuid": "u-3",
        ],
        "command_snapshot": [
            "MUSTER_JOB": "nightly", "MUSTER_DUMP": "app", "MUSTER_RUN_ID": "20261123T080102Z-5f3a",
            "MUSTER_SNAPSHOT_NAME": "muster-a", "MUSTER_SOURCE": "/srv/app", "MUSTER_MOUNT_POINT": "/run/muster/a",
            "release": "/bin/rm\n-rf\n/x y", "deadline_seconds": "300",
        ],
        "snapshot_mount": ["mount_point": "/run/muster/a", "mark": "tank/app@muster-a", "directory": "true"],
        "application_freeze": ["thaw": "/bin/thaw\nall", "deadline_seconds": "30"],
    ]

    private static let types: [any UndoFacts.Type] = [
        LogicalVolumeSnapshot.self, DatasetSnapshot.self, SubvolumeSnapshot.self, CommandSnapshot.self,
        SnapshotMount.self, FrozenApplication.self,
    ]

    private func record(_ kind: String, _ facts: [String: String]) throws -> UndoRecord {
        let members = facts.map { "\"\($0.key)\": \"\($0.value.replacing("\n", with: "\\n"))\"" }
        let text = """
            {"run": "20261123T080102Z-5f3a", "dump": "app", "kind": "\(kind)", "at": "2026-11-23T08:01:02.000Z", "serial": 1,
             "facts": {\(members.joined(separator: ", "))}, "owner": {"pid": 1, "start_ticks": 2, "boot_id": "b"}}
            """
        return try SnakeCaseJSON.decode(UndoRecord.self, from: Array(text.utf8))
    }

    @Test("Each kind reads the members that older records have, and writes the same", arguments: facts.keys.sorted())
    func members(kind: String) throws {
        let facts = try #require(Self.facts[kind])
        let read = Self.types.compactMap { type in
            let facts = try? type.init(of: record(kind, facts))
            return facts?.kind == kind ? facts : nil
        }
        #expect(read.map(\.recorded) == [facts])
        let written = UndoRecord(run: RunID(start: .now), dump: "app", try #require(read.first), owner: .current)
        let json = String(decoding: try SnakeCaseJSON.encode(written), as: UTF8.self)
        for name in facts.keys { #expect(json.contains("\"\(name)\" : "), "\(json)") }
        #expect(try SnakeCaseJSON.decode(UndoRecord.self, from: Array(json.utf8)) == written)
    }

    @Test("A record that lacks a member is refused, and says which")
    func missing() throws {
        let record = try record("zfs_snapshot", ["dataset": "tank/app", "snapshot": "muster-a"])
        let error = #expect(throws: DumpError.self) { try DatasetSnapshot(of: record) }
        #expect(error?.message == "the undo record of zfs_snapshot of dump 'app' does not say its guid")
    }

    @Test("A record of another kind is refused by whoever would undo it")
    func unknownKind() async throws {
        try await withScratch { scratch in
            let host = SnapshotHost(scratch: scratch)
            let record = try record("moon_snapshot", ["snapshot": "a"])
            let error = await #expect(throws: DumpError.self) { try await host.round.undo(record, in: host.context()) }
            #expect(error?.message == "no provider knows how to undo moon_snapshot of dump 'app'")
            let other = #expect(throws: DumpError.self) { try FrozenApplication(of: record) }
            #expect(other?.message == "no provider knows how to undo moon_snapshot of dump 'app'")
        }
    }
}
