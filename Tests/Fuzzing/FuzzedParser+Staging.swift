import Checksums
import Documents
import DumpCore
import Linux

@testable import Catalog
@testable import Reporting
@testable import Staging

/// What is in a set, and in a staging area.
extension FuzzedParser {
    static let ofStaging = [
        FuzzedParser("list", ["\(digest)  app/a\n\\\(digest)  app/b\\nc\n"]) { bytes in
            _ = try ChecksumList(parsing: bytes).bytes
        },
        FuzzedParser("manifest", [manifest]) { bytes in
            let manifest = try Manifest.decode(bytes)
            _ = (manifest.bytes, manifest.archivedBytes, manifest.diskBytes, manifest.consistency)
            _ = PlacesInSet(manifest)
        },
        FuzzedParser("record", [record]) { _ = try SnakeCaseJSON.decode(UndoRecord.self, from: $0) },
        FuzzedParser("journal", [#"{"kind": "undo", "run": "20261123T080102Z-5f3a", "undo": \#(record)}"#]) {
            _ = try SnakeCaseJSON.decode(Journal.Record.self, from: $0).fileName
        },
        FuzzedParser("report", [record, manifest]) { _ = try? SnakeCaseJSON.decode(RunReport.self, from: $0) },
        FuzzedParser("ledger", [ledger]) { bytes in
            var ledger = try SnakeCaseJSON.decode(RepositoryLedger.self, from: bytes)
            _ = (
                ledger.jump(at: .now), ledger.confirmed.max(), ledger.begun.map(\.begunArchive),
                ledger.filesCache?.isThere
            )
            ledger.notice(.now)
        },
        FuzzedParser("owner", [owner]) { _ = try SnakeCaseJSON.decode(JobRecord.self, from: $0).job },
        FuzzedParser("lock", [lock]) { _ = LockHolder($0) },
        FuzzedParser("unfinished", [unfinished]) {
            _ = try SnakeCaseJSON.decode(UnfinishedDirectory.self, from: $0).isLeft
        },
        FuzzedParser("time", ["2026-11-23T08:01:02.345Z"]) { bytes in
            let time = Timestamp(bytes.text)
            _ = (time?.local, time?.nanoseconds)
        },
    ]

    private static let record = """
        {"id":"20261123T080102Z-5f3a.undo.docs.x.1","run":"20261123T080102Z-5f3a","dump":"docs","kind":"snapshot","facts":{"deadline_seconds":"300"},
        "owner":{"pid":1,"start_ticks":5,"boot_id":"x"},"at":"2026-11-23T08:01:02.000Z","serial":1}
        """
    static let ledger = """
        {"format_version": 1, "begun": [{"archive": "a", "began_at": "2026-11-23T08:01:02.000Z", "comment":
        "muster host=a job=b run=20261123T080102Z-5f3a manifest=\(digest) bytes=5 dumps=app"}],
        "confirmed": [{"archive": "a", "id": "\(digest)", "run_id": "20261123T080102Z-5f3a", "confirmed_at": "2026-11-23T08:01:02.000Z", "number": 3}],
        "clock": {"time": "2026-11-23T08:01:02.000Z", "boot_id": "\(ProcessIdentity.current.bootID)", "milliseconds_up": 5000},
        "last_check_at": "2026-11-23T08:01:02.000Z",
        "borg": {"path": "/usr/bin/borg", "inode": 5, "modified": 1, "bytes": 2, "version": "1.4.5"},
        "files_cache": {"token": "muster-x", "path": "/root/x/files.x", "inode": 5, "modified": 1, "bytes": 2}}
        """
    private static let owner = """
        {"format_version": 1, "id": "0123456789abcdef0123456789abcdef", "names": [{"host": "web1", "job": "nightly"}], "file": "/etc/muster/nightly.yaml"}
        """
    private static let lock = #"{"pid": 1, "command": "muster run", "since": "2026-11-23T08:01:02.000Z"}"#
    private static let unfinished = """
        {"path": "/tmp/x", "command": "muster extract", "at": "2026-11-23T08:01:02.000Z", "owner": {"pid": 1, "start_ticks": 5, "boot_id": "x"}}
        """
    static let manifest = """
        {"format_version":1,"tool":{"name":"muster","version":"0.1.0"},"job":"nightly","run_id":"20261123T080102Z-5f3a","host":"web1",
        "started_at":"2026-11-23T08:01:02.000Z","ended_at":"2026-11-23T08:01:03.000Z",
        "freeze":{"from":"2026-11-23T08:01:02.000Z","to":"2026-11-23T08:01:02.000Z"},
        "dumps":[{"name":"docs","provider":"directory","path":"docs","identity":{"path":"/srv"},
        "moment":{"kind":"live","from":"2026-11-23T08:01:02.000Z","to":"2026-11-23T08:01:02.000Z","evidence":{"lsn":"0/1"}},"duration_seconds":1.5,"bytes":12,"files":1,
        "findings":[],"omissions":[],"checksums":{"path":"checksums/docs.sha256","sha256":"\(digest)"},
        "databases":[{"name":"shop","path":"databases/shop","tables":[{"schema":"public","name":"t","rows":3}]}],
        "tree":{"path":"tree","reference":"/run/muster/x","inventory":"tree.mtree","inventory_sha256":"\(digest)","entries":3,"bytes":5,"disk_bytes":5}}]}
        """
}
