import Testing

@testable import Borg

/// The lines are Borg's own, of 1.2.4 and 1.4.5.
@Suite("Borg's log")
struct LogTests {
    @Test(
        "Each kind of line is told apart",
        arguments: [
            (
                #"{"original_size": 5, "compressed_size": 48, "deduplicated_size": 48, "nfiles": 1, "path": "-x", "time": 1795422533.6, "type": "archive_progress", "finished": false}"#,
                BorgLogLine.progress(ArchiveProgress(bytes: 5, files: 1))
            ),
            (#"{"time": 1795422533.6, "type": "archive_progress", "finished": true}"#, .progress(nil)),
            (#"{"type": "file_status", "status": "C", "path": "app/x"}"#, .file(status: "C", path: "app/x")),
            (
                #"{"type": "log_message", "time": 1795422622.4, "message": "/no: [Errno 2] No such file", "levelname": "WARNING", "name": "borg.archiver"}"#,
                .message(.init(level: "WARNING", logger: "borg.archiver", id: nil, text: "/no: [Errno 2] No such file"))
            ),
            (
                #"{"type": "log_message", "time": 1, "message": "Archive a2 already exists", "levelname": "ERROR", "name": "borg.archiver", "msgid": "Archive.AlreadyExists"}"#,
                .message(
                    .init(
                        level: "ERROR", logger: "borg.archiver", id: "Archive.AlreadyExists",
                        text: "Archive a2 already exists"))
            ),
            (#"{"type": "question_prompt", "msgid": "X", "message": "Continue? [yN] "}"#, .question("Continue? [yN] ")),
            (#"{"message": "Saving", "operation": 2, "msgid": "cache.commit", "type": "progress_message"}"#, .other),
            (
                #"{"message": "  0.0% Extracting: d/e/x", "current": 6, "total": 6, "info": ["d/e/x"], "operation": 1, "msgid": "extract", "type": "progress_percent", "finished": false, "time": 1795624016.1088114}"#,
                .extracted(bytes: 6)
            ),
            (
                #"{"operation": 1, "msgid": "extract", "type": "progress_percent", "finished": true, "time": 1795624016.109088}"#,
                .other
            ),
            (
                #"{"message": "Syncing chunks cache. Processing archive foreign", "current": 1, "total": 1, "info": null, "operation": 1, "msgid": "cache.sync", "type": "progress_percent", "finished": false, "time": 1}"#,
                .other
            ),
            (#"{"type": "something_new"}"#, .other),
            ("usage: borg create", .text("usage: borg create")),
            ("{broken", .text("{broken")),
            (
                #"{"type": "log_message", "message": "no level"}"#,
                .unreadable(#"{"type": "log_message", "message": "no level"}"#)
            ),
            (#"{"type": "file_st"#, .unreadable(#"{"type": "file_st"#)),
        ])
    func kinds(line: String, kind: BorgLogLine) {
        #expect(BorgLogLine.all(in: line) == [kind])
    }

    @Test("A message that follows a prompt on its line is not lost")
    func afterPrompt() {
        let log = BorgLog()
        log.take(
            #"Enter passphrase for key /x: {"type": "log_message", "message": "can not", "levelname": "ERROR", "name": "borg.archiver", "msgid": "NoPassphraseFailure"}"#
        )
        #expect(log.messages.errorID == "NoPassphraseFailure")
        #expect(log.messages.lastLines == ["Enter passphrase for key /x: ", "can not"])
    }

    @Test("Only warnings about files, and what may have been one, count as such")
    func warnings() {
        let log = BorgLog()
        for (level, name) in [("WARNING", "borg.locking"), ("WARNING", "root"), ("INFO", "borg.archiver")] {
            log.take(#"{"type": "log_message", "levelname": "\#(level)", "name": "\#(name)", "message": "m"}"#)
        }
        log.take("/usr/lib/python3: DeprecationWarning: old")
        #expect(log.messages.warnings.isEmpty)
        log.take(#"{"type": "log_message", "levelname": "WARNING", "name": "borg.archiver", "message": "m"}"#)
        log.take(#"{"type": "log_mess"#)
        #expect(log.messages.warnings.description == #"m; {"type": "log_mess"#)
    }

    @Test("However much Borg says, little of it is kept")
    func bounded() {
        let log = BorgLog()
        for number in 0..<1000 {
            log.take(#"{"type": "file_status", "status": "E", "path": "\#(number)"}"#)
            log.take("line \(number)")
        }
        #expect(log.messages.troubledFiles.description == "E 0; E 1; E 2; E 3; E 4; and 995 more")
        #expect(log.messages.lastLines.count == 12)
        #expect(log.messages.lastLines.last == "line 999")
    }
}
