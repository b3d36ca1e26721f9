import Testing

@testable import Borg

@Suite("A traceback of Borg's")
struct TracebackTests {
    private static let text = """
        Traceback (most recent call last):
          File "/usr/lib/python3/dist-packages/borg/archiver.py", line 5213, in main
            exit_code = archiver.run(args)
                        ^^^^^^^^^^^^^^^^^^
          File "/usr/lib/python3/dist-packages/borg/cache.py", line 98, in save
            fd.write(text)
        OSError: [Errno 28] No space left on device: '/root/.cache/borg/x'

        """

    private func message(_ text: String, level: String = "ERROR", id: String? = nil) -> String {
        let text = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        let id = id.map { #", "msgid": "\#($0)""# } ?? ""
        return
            #"{"type": "log_message", "message": "\#(text)", "levelname": "\#(level)", "name": "borg.archiver"\#(id)}"#
    }

    @Test("is one line for people, and says what was at work and what was refused")
    func kept() {
        let log = BorgLog()
        log.take(message("Local Exception", id: "Exception"))
        log.take(message(Self.text))
        #expect(log.messages.lastLines == ["OSError: [Errno 28] No space left on device: '/root/.cache/borg/x'"])
        #expect(log.messages.traceback?.files == ["archiver.py", "cache.py"])
        #expect(
            log.messages.systemFault == SystemFault(in: "[Errno 28] No space left on device: '/root/.cache/borg/x'"))
        #expect(log.messages.systemFault?.path == "/root/.cache/borg/x")
    }

    @Test("that Python prints by itself counts too, and one that it ignores does not")
    func printed() {
        let log = BorgLog()
        for line in Self.text.split(separator: "\n") { log.take(String(line)) }
        log.take("Exception ignored in: <function Repository.__del__ at 0x7f690534e980>")
        for line in [
            "Traceback (most recent call last):", "  File \"x/repository.py\", line 1, in y", "AssertionError: cleanup",
        ] {
            log.take(line)
        }
        #expect(log.messages.lastLines == ["OSError: [Errno 28] No space left on device: '/root/.cache/borg/x'"])
        #expect(log.messages.traceback?.files == ["archiver.py", "cache.py"])
    }

    @Test("that repeats what Borg said adds nothing")
    func repeated() {
        let log = BorgLog()
        log.take(message("Inconsistency detected.", id: "Repository.CheckNeeded"))
        log.take(
            message(
                "Traceback (most recent call last):\n  File \"a.py\", line 1, in x\nborg.CheckNeeded: Inconsistency detected.\n"
            ))
        #expect(log.messages.lastLines == ["Inconsistency detected."])
        #expect(log.messages.errorID == "Repository.CheckNeeded")
    }

    @Test("of a login script at the server counts for nothing")
    func fromServer() {
        let log = BorgLog()
        log.take(message("Remote: OSError: [Errno 28] No space left on device", level: "ERROR"))
        #expect(log.messages.systemFault == nil)
        #expect(log.messages.fromServer == ["OSError: [Errno 28] No space left on device"])
    }
}

@Suite("What a server prints at login")
struct LoginNoiseTests {
    /// As login scripts, banners and broken profiles have it.
    static let noise = [
        "-bash: fortune: command not found", "mesg: ttyname failed: No such file or directory",
        "mount: Permission denied (nfs)", "Welcome! Connection refused is our motto.", "quota: timed out",
        "/etc/profile.d/x.sh: line 3: Host key verification failed", "No route to host",
        "[Errno 28] No space left on device",
        "ssh: not found",
    ]

    @Test("is not taken for the cause of a lost connection, whatever ssh ended with", arguments: [255, 1, 137])
    func noCause(status: Int) {
        #expect(
            BorgFault.ofServer(
                saying: Self.noise + ["ssh ended with status \(status)"], program: "borg", hasBegun: false)?.code == nil
        )
        #expect(BorgFault.ofServer(saying: Self.noise, program: "borg14", hasBegun: false)?.code == nil)
    }

    @Test("hides nothing that ssh itself says")
    func ssh() {
        func code(_ line: String) -> BorgError.Code? {
            BorgFault.ofServer(
                saying: Self.noise + [line, "ssh ended with status 255"], program: "borg", hasBegun: false)?.code
        }
        #expect(code("me@host: Permission denied (publickey).") == .loginRefused)
        #expect(code("Host key verification failed.") == .hostKeyRefused)
        #expect(code("ssh: connect to host h port 22: Connection refused") == .connectionLost)
        #expect(code("Connection to h closed by remote host.") == nil)
    }

    @Test("A program that is not there is known by the status of the remote shell, or by its name")
    func missing() {
        #expect(
            BorgFault.ofServer(saying: ["ssh ended with status 127"], program: "borg14", hasBegun: false)?.code
                == .programUnsuitable)
        #expect(
            BorgFault.ofServer(saying: ["sh: 1: borg14: not found"], program: "borg14", hasBegun: false)?.code
                == .programUnsuitable)
        #expect(BorgFault.ofServer(saying: ["ssh ended with status 127"], program: "borg", hasBegun: true) == nil)
    }
}
