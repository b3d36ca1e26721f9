import DumpCore
import Glibc
import Linux
import Logging
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite("Secrets")
struct SecretSourceTests {
    let runner = ProgramRunner(
        keeper: keeperExecutable, log: Logger.silent)

    @Test("A secret is read from a file, one final newline not counted", arguments: ["p ä'$x", "p ä'$x\n"])
    func file(contents: String) async throws {
        try await withSecretFile(contents) { path in
            let secret = try await resolve(.file(path.string))
            #expect(secret == Secret("p ä'$x"))
        }
    }

    @Test("A secret is not read from a file that another user can change, or exchange")
    func exposed() async throws {
        try await withScratch { scratch in
            let directory = scratch.appending("secrets")
            try FileSystem.createDirectory(directory)
            let path = directory.appending("passphrase")
            try write(Array("hunter2".utf8), to: path)
            func expectRefused(_ part: FilePath, _ fault: String) async {
                await expect(
                    "cannot read the secret of x: it is not safe from other users: \(part) \(fault)",
                    hint: """
                        Give it to root and take the permission to write from others. If it is meant to be so, set \
                        MUSTER_TRUST=\(part) in the environment.
                        """
                ) { try await resolve(.file(path.string)) }
            }
            try #require(chmod(path.string, 0o622) == 0)
            await expectRefused(path, "is writable by all users (mode 0622)")
            try #require(chmod(path.string, 0o600) == 0 && chown(path.string, 23456, 0) == 0)
            await expectRefused(path, "belongs to user 23456 (mode 0600)")
            try #require(chown(path.string, 0, 0) == 0 && chown(directory.string, 23456, 0) == 0)
            await expectRefused(directory, "belongs to user 23456 (mode 0700)")
        }
    }

    @Test("The user whose programs are given a secret may own its directory, but has nothing of others read by it")
    func held() async throws {
        try await withScratch { scratch in
            let holder = try #require(UserAccount(named: "nobody"))
            let (closed, directory) = (scratch.appending("closed"), scratch.appending("theirs"))
            try write(Array("root's own".utf8), to: closed)
            try FileSystem.createDirectory(directory)
            let path = directory.appending("password")
            try write(Array("hunter2".utf8), to: path)
            try #require(chown(directory.string, holder.uid, 0) == 0)
            #expect(try await resolve(.file(path.string), holder: holder) == Secret("hunter2"))
            func expectRefused(_ reason: String) async {
                await expect("cannot read the secret of x: \(path)\(reason)", hint: nil) {
                    try await resolve(.file(path.string), holder: holder)
                }
            }
            try FileSystem.removeFile(path)
            try #require(link(closed.string, path.string) == 0)
            await expectRefused(" has other names")
            try FileSystem.removeFile(path)
            try #require(symlink(closed.string, path.string) == 0)
            await expectRefused(": Too many levels of symbolic links")
            try #require(rename(directory.string, directory.string + ".away") == 0)
            try FileSystem.createDirectory(scratch.appending("mine"))
            try write(Array("root's own".utf8), to: scratch.appending("mine").appending("password"))
            try #require(symlink("mine", directory.string) == 0 && lchown(directory.string, holder.uid, 0) == 0)
            await expectRefused(": Too many levels of symbolic links")
        }
    }

    @Test("A secret is what a command writes, and the command may be anything a shell understands")
    func command() async throws {
        #expect(try await resolve(.command("printf 'a '; echo b | tr b c")) == Secret("a c"))
    }

    @Test("A command's own text is in no argument: it may be the secret")
    func commandInMemory() async throws {
        let line = "cat /proc/$$/cmdline | tr '\\0' ' ' # hunter2"
        #expect(try await resolve(.command(line)) == Secret("/bin/sh -c . \"$MUSTER_SECRET_COMMAND\" "))
    }

    @Test("What is no single line of text is refused without being shown", arguments: SecretSourceTests.unfitContents)
    func unfit(contents: [UInt8], message: String) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("secret")
            try write(contents, to: path)
            let isEmpty = message == "it is empty"
            await expect(
                "cannot read the secret of x: \(isEmpty ? "\(path) is empty" : message)",
                hint: isEmpty ? "Write the secret into it, in one line." : nil
            ) { try await resolve(.file(path.string)) }
            await expect("cannot read the secret of x: \(message)", hint: nil) {
                try await resolve(.command("cat \(path)"))
            }
        }
    }

    static let unfitContents: [([UInt8], String)] = [
        ([], "it is empty"), (Array("\n".utf8), "it is empty"), ([0x61, 0x00, 0x62], "it is not text in UTF-8"),
        ([0x61, 0xff], "it is not text in UTF-8"),
    ]

    @Test("Two lines are refused, whatever ends them", arguments: ["a\nb", "a\n\n", "a\r\n"])
    func lines(contents: String) async throws {
        try await withSecretFile(contents) { path in
            await expect(
                "cannot read the secret of x: it is more than one line",
                hint: "Leave only the secret there, in one line."
            ) { try await resolve(.file(path.string)) }
        }
    }

    @Test("A file that every user may read is refused, one that a group may read is not")
    func readableByAll() async throws {
        try await withSecretFile("hunter2") { path in
            #expect(chmod(path.string, 0o640) == 0)
            let secret = try await resolve(.file(path.string))
            #expect(secret == Secret("hunter2"))
            #expect(chmod(path.string, 0o644) == 0)
            await expect(
                "cannot read the secret of x: every user may read \(path)",
                hint: "Take the permission away: chmod o= \(path)"
            ) { try await resolve(.file(path.string)) }
        }
    }

    @Test("What is not a file, a pipe without a writer included, is an error at once")
    func notAFile() async throws {
        try await withScratch { scratch in
            let pipe = scratch.appending("pipe")
            #expect(mkfifo(pipe.string, 0o600) == 0)
            for path in [scratch, pipe] {
                await expect("cannot read the secret of x: \(path) is not a file", hint: nil) {
                    try await resolve(.file(path.string))
                }
            }
            await expect(
                "cannot read the secret of x: \(scratch)/none: No such file or directory",
                hint: "Write the secret into that file, readable by its owner alone, or name the file that has it."
            ) { try await resolve(.file("\(scratch)/none")) }
            try write(Array("\n".utf8), to: scratch.appending("empty"))
            await expect(
                "cannot read the secret of x: \(scratch)/empty is empty",
                hint: "Write the secret into it, in one line."
            ) { try await resolve(.file("\(scratch)/empty")) }
        }
    }

    @Test("A command that fails says so with its standard error, and nothing of its output")
    func commandFails() async throws {
        let error = await #expect(throws: ProcessError.self) {
            try await resolve(.command("echo hunter2; echo no vault >&2; exit 3"))
        }
        #expect(
            error?.description == """
                cannot read the secret of x: its command exited with status 3
                  stderr: no vault
                  hint: Run it by hand as this user.
                """)
    }

    @Test("A command that never ends, or never ends to write, is stopped")
    func commandHangs() async throws {
        await expect(
            "cannot read the secret of x: its command took longer than 1 s",
            hint: "Run it by hand as this user, with no terminal: it must not ask for anything."
        ) {
            try await SecretSource.command("sleep 1000").resolve(
                for: "the secret of x", runner: runner, limit: .seconds(1))
        }
        await expect("cannot read the secret of x: sh wrote more than 64.0 KiB", hint: nil) {
            try await resolve(.command("yes"))
        }
    }

    @Test("Cancelling while a command runs is no trouble with the secret")
    func cancelled() async throws {
        let task = Task { try await resolve(.command("sleep 1000")) }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        let error = await #expect(throws: ProcessError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    @Test("A credential is a file of that name in the directory that systemd made, and its absence says how to load it")
    func credential() async throws {
        await expect(
            "cannot read the secret of x: there are no credentials: CREDENTIALS_DIRECTORY is not set",
            hint:
                "Credentials exist only in a systemd unit: give it LoadCredential=pw:FILE. By hand: systemd-run --pipe --wait --property=LoadCredential=pw:FILE muster …"
        ) { try await resolve(.credential("pw"), credentials: nil) }
        try await withScratch { scratch in
            await expect(
                "cannot read the secret of x: \(scratch)/pw: No such file or directory",
                hint:
                    "Give the unit LoadCredential=pw:/path/of/the/secret. It has none at all: LoadCredential=pw without a path is looked for in /etc/credstore, and where systemd finds nothing it starts the unit all the same."
            ) { try await resolve(.credential("pw"), credentials: scratch) }
            try write(Array("other".utf8), to: scratch.appending("other"))
            await expect(
                "cannot read the secret of x: \(scratch)/pw: No such file or directory",
                hint: "Give the unit LoadCredential=pw:/path/of/the/secret."
            ) { try await resolve(.credential("pw"), credentials: scratch) }
            await expect("cannot read the secret of x: '../pw' cannot be the name of a credential", hint: nil) {
                try await resolve(.credential("../pw"), credentials: scratch)
            }
            try write(Array("hunter2".utf8), to: scratch.appending("pw"))
            #expect(try await resolve(.credential("pw"), credentials: scratch) == Secret("hunter2"))
        }
    }

    private func resolve(
        _ source: SecretSource, holder: UserAccount? = nil, credentials: FilePath? = nil
    ) async throws -> Secret {
        try await source.resolve(for: "the secret of x", holder: holder, runner: runner, credentials: credentials)
    }

    private func write(_ bytes: [UInt8], to path: FilePath) throws {
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create], permissions: [.ownerReadWrite])
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    private func expect(
        _ message: String, hint: String?, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Secret
    ) async {
        let error = await #expect(throws: ProcessError.self, sourceLocation: sourceLocation) { _ = try await body() }
        #expect(error?.message == message, sourceLocation: sourceLocation)
        #expect(error?.hint == hint, sourceLocation: sourceLocation)
        #expect(error?.code == .secretUnavailable, sourceLocation: sourceLocation)
    }

    private func withSecretFile(_ contents: String, _ body: (FilePath) async throws -> Void) async throws {
        try await withScratch { scratch in
            let path = scratch.appending("secret")
            try write(Array(contents.utf8), to: path)
            try await body(path)
        }
    }
}
