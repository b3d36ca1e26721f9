import Documents
import DumpCore
import Staging
import SystemPackage
import TestSupport

@testable import Borg
@testable import Catalog

/// What Borg, ssh and servers say, and what is in an archive.
extension FuzzedParser {
    static let ofBorg = [
        FuzzedParser("log", logLines) { bytes in
            let log = BorgLog()
            for line in bytes.text.split(atASCII: "\n") { log.take(String(line)) }
            let messages = log.messages
            _ = (messages, BorgFault.byText(messages.lastLines))
            _ = BorgFault.ofServer(saying: messages.fromServer, program: "borg", hasBegun: false)
        },
        FuzzedParser("created", [created]) { bytes in
            let document = CreateDocument(bytes)
            _ = (document?.known, document?.archive.start.timestamp.local, document?.archive.stats.storedBytes)
        },
        FuzzedParser("archives", [archives]) {
            _ = try SnakeCaseJSON.decode(ListDocument.self, from: $0).archives.map { Archive($0).start.local }
        },
        FuzzedParser("info", [info]) {
            _ = try SnakeCaseJSON.decode(InfoDocument.self, from: $0).archives.map { ArchiveInfo($0).chunkerParams }
        },
        FuzzedParser("version", ["borg 1.4.5\n", "borg 2.0.0b22"]) { _ = BorgVersion(printed: $0.text)?.description }
            .flat,
        FuzzedParser("listing", [listing]) { bytes in
            let comparison = SetComparison(with: SealedListing(in: "/tmp"))
            bytes.inPieces(comparison.take)
            _ = try comparison.finish()
        }.flat,
        FuzzedParser(
            "comment",
            [
                "muster host=web1 job=nightly run=20261123T080102Z-5f3a manifest=\(digest) consistency=exact bytes=1234 dumps=app,%2Ex"
            ]
        ) { _ = Provenance(comment: $0.text)?.comment },
        FuzzedParser("tar", [tar]) { bytes in
            try withFile(holding: bytes) { file in
                var reader = TarReader(file)
                while let entry = try reader.next() { _ = PlacesInSet([]).path(of: entry.path) }
            }
        },
    ]

    private static let logLines = [
        #"{"original_size": 5, "compressed_size": 48, "deduplicated_size": 48, "nfiles": 1, "path": "-x", "time": 1795422533.6, "type": "archive_progress", "finished": false}"#,
        #"{"type": "progress_percent", "msgid": "extract", "current": 6, "total": 6, "info": ["d/e/x"], "operation": 1, "finished": false, "time": 1}"#,
        #"{"type": "log_message", "time": 1, "message": "compaction freed about 30.00 MB repository space.", "levelname": "INFO", "name": "borg.repository"}"#,
        #"Enter passphrase: {"type": "log_message", "message": "Remote: x\r\ny", "levelname": "ERROR", "name": "borg.archiver", "msgid": "X"}"#,
        #"{"type": "log_message", "message": "Remote: ssh: connect to host x port 22: Connection refused", "levelname": "WARNING", "name": "root"}"#
            + "\nme@host: Permission denied (publickey).\nssh ended with status 255",
        """
        Local Exception
        Traceback (most recent call last):
          File "/usr/lib/python3/dist-packages/borg/archiver.py", line 5089, in main
            exit_code = archiver.run(args)
        OSError: [Errno 28] No space left on device: '/root/.cache/borg/x'
        """,
    ]
    private static let created = """
        {"archive": {"command_line": ["borg"], "duration": 0.01, "end": "2026-11-23T08:01:03.000000", "id": "\(digest)", "limits": {},
        "name": "web1-nightly-2026-11-23T08:01:02Z", "start": "2026-11-23T08:01:02.000000",
        "stats": {"compressed_size": 1, "deduplicated_size": 2, "nfiles": 3, "original_size": 4}},
        "cache": {"path": "/root/.cache/borg/x", "stats": {"total_chunks": 1}}, "encryption": {"mode": "repokey-blake2"},
        "repository": {"id": "\(digest)", "last_modified": "2026-11-23T08:01:03.000000", "location": "/srv/repository"}}
        """
    private static let archives = """
        {"archives": [{"archive": "a", "barchive": "a", "id": "\(digest)", "name": "a", "start": "2026-11-23T08:01:02.000000",
        "time": "2026-11-23T08:01:02.000000", "comment": "", "command_line": ["borg", "create", "--comment", "muster host=a"]}],
        "encryption": {"mode": "none"}, "repository": {"id": "\(digest)", "location": "/srv/repository"}}
        """
    private static let info = """
        {"archives": [{"chunker_params": ["buzhash", 19, 23, 21, 4095], "comment": "x", "duration": 0.5, "end": "2026-11-23T08:01:03.000000",
        "hostname": "web1", "username": "root", "stats": {"compressed_size": 1, "deduplicated_size": 2, "nfiles": 3, "original_size": 4}}]}
        """
    private static let listing = [
        [digest, "-rw-------", "12", "app/globals.sql", ""],
        [digest, "hrw-------", "0", "app/b\u{E4}", "app/globals.sql"],
        [digest, "drwx------", "0", "app", ""],
    ].map { $0.map { $0 + "\0" }.joined() }.joined()

    private static var tar: [UInt8] {
        var stream = TarStream()
        stream.add("docs/", type: "5", mode: "0000750")
        stream.addLong(String(repeating: "n/", count: 100))
        stream.add("cut", content: "hello")
        stream.addExtended([("path", "abc"), ("mtime", "1.5"), ("size", "0")])
        stream.add("g", type: "2", target: "../x")
        stream.end()
        return stream.bytes
    }
}
