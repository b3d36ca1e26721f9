import DumpCore
import Glibc
import Linux
import Logging
import Processes
import SystemPackage
import Testing

/// A server that keeps repositories and is reached by ssh alone, as rsync.net is one. A real sshd listens on a loopback address of its own.
/// It accepts one key, with a forced command that runs `borg serve` on one directory. Its `borg` is Borg 1.2, its `borg14` Borg 1.4.
///
/// Nothing of this machine's own ssh is read or changed. What a client needs lies in `directory`.
public struct SSHServer: Sendable {
    public let directory: FilePath
    /// What repositories may lie in. A location is relative to it.
    public let served: FilePath
    public let address: String

    public static let port = 2222
    public var identity: FilePath { directory.appending("id") }
    public var knownHosts: FilePath { directory.appending("known_hosts") }

    /// Serves `served` for as long as `body` runs.
    ///
    /// - Parameters:
    ///   - options: of `borg serve`, such as `--append-only`.
    ///   - isReal: whether its Borg is a process that can be stopped. Else it is there at once, see `BorgUnderTest.warm`.
    public static func with<Result>(
        in scratch: FilePath, serving served: FilePath, options: String = "", isReal: Bool = false,
        _ body: (SSHServer) async throws -> Result
    ) async throws -> Result {
        let server = try await SSHServer(
            in: scratch.appending("ssh-server"), serving: served, options: options, isReal: isReal)
        // The keeper ends sshd, its sessions and what they run.
        let running = try await server.start()
        do {
            let result = try await body(server)
            await end(running)
            return result
        } catch {
            await end(running)
            throw error
        }
    }

    private init(in directory: FilePath, serving served: FilePath, options: String, isReal: Bool) async throws {
        self.directory = directory
        self.served = served
        // All of 127/8 is this machine's, so that no two servers are in each other's way.
        let numbers = (0..<3).map { _ in String(Int.random(in: 2...250)) }
        address = "127." + numbers.joined(separator: ".")
        try FileSystem.createDirectory(directory, mode: 0o711)
        for key in ["host_key", "id"] { try await makeKey(directory.appending(key)) }
        try accept(hostKey: directory.appending("host_key.pub"))
        try await install(isReal: isReal)
        try forceCommand(options)
        try write(settings, to: directory.appending("sshd_config"))
    }

    private func makeKey(_ path: FilePath) async throws {
        let made = try await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path.string])
        guard made.succeeded else { throw HostError(description: made.lastErrors) }
    }

    /// The only key of this server that clients know from now on.
    public func accept(hostKey: FilePath) throws {
        let key = try read(hostKey).split(separator: " ").prefix(2).joined(separator: " ")
        try write("[\(address)]:\(Self.port) \(key)\n", to: knownHosts)
    }

    private var programs: FilePath { directory.appending("bin") }

    private func install(isReal: Bool) async throws {
        try FileSystem.createDirectory(programs, mode: 0o755)
        for (name, borg) in [("borg", BorgUnderTest.oldstable), ("borg14", .stable)] {
            let program = isReal ? borg.program : try await borg.warm
            guard symlink(program.string, programs.appending(name).string) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    private func forceCommand(_ options: String) throws {
        let serve = """
            #!/bin/sh
            set -f
            set -- $SSH_ORIGINAL_COMMAND
            case $1 in
                borg|borg14) ;;
                *) echo "sh: $1: command not found" >&2; exit 127 ;;
            esac
            [ "$2" = --version ] && exec \(programs)/$1 --version
            cd \(served) && BORG_EXIT_CODES=modern BORG_SELFTEST=disabled exec \(programs)/$1 serve --restrict-to-path \(served) \(options)

            """
        try write(serve, to: directory.appending("serve"), mode: FilePermissions(rawValue: 0o755))
        let key = try read(directory.appending("id.pub"))
        try write("restrict,command=\"\(directory)/serve\" \(key)", to: directory.appending("authorized_keys"))
    }

    /// The first key exchange of OpenSSH's list takes a tenth of a second of each processor.
    ///
    /// A client that has gone silent is dropped after a while, as Borg's documentation recommends. No start-up file of the machine's own
    /// user is run. With `SHLVL`, a Bash takes itself for one below another and leaves out ~/.bashrc, which may take longer than Borg.
    private var settings: String {
        """
        ListenAddress \(address):\(Self.port)
        HostKey \(directory)/host_key
        AuthorizedKeysFile \(directory)/authorized_keys
        StrictModes no
        UsePAM no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin prohibit-password
        SetEnv SHLVL=1
        ClientAliveInterval 2
        ClientAliveCountMax 4
        PidFile none
        KexAlgorithms curve25519-sha256

        """
    }

    private func start() async throws -> Task<Void, any Error> {
        let isListening = Recorded<Bool>()
        // Debian's service makes it.
        if geteuid() == 0 { mkdir("/run/sshd", 0o755) }
        let sshd = Program("/usr/sbin/sshd", ["-D", "-e", "-f", directory.appending("sshd_config").string])
        let running = Task {
            let outcome = try await ProgramRunner(keeper: keeperExecutable, log: .silent).run(sshd) { line in
                if line.contains("Server listening on") { isListening.append(true) }
            }
            Issue.record("sshd ended by itself: \(outcome.status) \(outcome.lastErrors)")
        }
        try await eventually { !isListening.all.isEmpty }
        return running
    }

    private static func end(_ running: Task<Void, any Error>) async {
        running.cancel()
        // It was cancelled: what it throws says that.
        _ = await running.result
    }
}

extension SSHServer {
    /// What a client calls a repository below `served`.
    public func location(of name: String) -> String { "\(user)@\(address):\(name)" }

    private var user: String { String(cString: getpwuid(geteuid()).pointee.pw_name) }

    /// `ssh:` of a job file.
    ///
    /// - Parameter options: of ssh, before all others.
    public func block(_ options: [String] = []) -> String {
        let quoted = options.map { "'\($0)'" }.joined(separator: ", ")
        return "{identity_file: \(identity), port: \(Self.port), known_hosts: \(knownHosts), options: [\(quoted)]}"
    }

    /// An option that has ssh reach the server through our own program, which lets at most `rate` bytes a second through to the server. The
    /// program can be stopped (the link is a black hole) or killed (it is cut): see `links`.
    ///
    /// - Parameter isStopped: whether it stops itself once it is connected.
    public func slowLink(bytesPerSecond rate: Int, isStopped: Bool = false) throws -> String {
        let program = """
            import signal, socket, sys, threading, time, os
            server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
            if \(isStopped ? "True" : "False"): os.kill(os.getpid(), signal.SIGSTOP)
            def back():
                while data := server.recv(65536): os.write(1, data)
                os._exit(0)
            threading.Thread(target=back, daemon=True).start()
            while data := os.read(0, 16384):
                server.sendall(data)
                time.sleep(len(data) / \(rate))

            """
        try write(program, to: directory.appending("link.py"))
        return "ProxyCommand=/usr/bin/python3 \(directory)/link.py %h %p"
    }

    /// Has a login script print these lines to standard error before anything else.
    public func greet(with lines: [String]) throws {
        let serve = directory.appending("serve")
        let text = lines.map { "echo '\($0)' >&2\n" }.joined()
        let script = try read(serve).replacing("#!/bin/sh\n", with: "#!/bin/sh\n" + text)
        try write(script, to: serve, mode: FilePermissions(rawValue: 0o755))
    }

    /// The processes of this server's slow links.
    public var links: [pid_t] { processes("/usr/bin/python3", mentioning: "\(directory)/link.py") }
    /// Every ssh that is connected, or about to be.
    public var clients: [pid_t] { processes("ssh", mentioning: "\(knownHosts)") }
    /// Every `borg serve` that runs.
    public var serving: [pid_t] {
        processes(nil, mentioning: "--restrict-to-path\0\(served)\0").filter { isAlive($0) }
    }

    /// Processes by their first word, if one is given, and by a text that stands in no other's command line.
    private func processes(_ word: String?, mentioning text: String) -> [pid_t] {
        let processes = (try? RunningProcess.mentioning(text)) ?? []
        return processes.filter { word == nil || $0.commandLine.hasPrefix(word! + "\0") }.map(\.pid)
    }
}
