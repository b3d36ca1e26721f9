import Glibc
import Linux
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// One after the other: each is a whole host.
@Suite("The documents", .serialized)
struct WalkthroughTests {
    @Test("The first job and the way off-site work as written on one host, against a server like rsync.net's")
    func firstJobAndOffSite() async throws {
        try await TestHost.with { host in
            let served = host.scratch.appending("account")
            try FileSystem.createDirectory(served)
            try FileSystem.createDirectory(served.appending("backups"))
            let sharedHost = host
            try await SSHServer.with(in: host.scratch, serving: served) { server in
                let firstJob = try Page.readme.commands(below: "## The first job", through: "muster run nightly")
                let offSite = try Page.offsite.commands(below: "# Off-site, step by step")
                try #require(firstJob.count > 15 && offSite.count > 30, "the sections are there")
                try sharedHost.reachAccount(at: server)
                try sharedHost.offerPackage()
                let result = try await sharedHost.typeOnBareHost(firstJob + ["cd /"] + offSite)
                #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
                for expected in [
                    "in local: confirmed", "borg 1.4", "does not exist and will be created", "in rsyncnet: confirmed",
                    "only here", "0 go, 1 stay", "no damage found", "all as sealed", "Selected TOC Entries",
                    "store it on another host",
                ] { #expect((result.output + result.errors).contains(expected), "\(expected) in \(result.output)") }
                #expect(access("/etc/muster/offsite.yaml", F_OK) != 0, "nothing of this was done to this machine")
            }
        }
    }

    @Test("The commands never write a new passphrase over one that is there")
    func passphrases() async throws {
        try await TestHost.with { host in
            let sections =
                try Page.readme.commands(below: "## The first job", through: "muster run nightly")
                + Page.offsite.commands(below: "# Off-site, step by step")
            let lines = sections.filter { $0.contains("openssl rand") }
            try #require(lines.count == 2)
            var typed = ["mkdir -p /etc/muster"] + lines
            typed.append("md5sum /etc/muster/*.passphrase > /etc/muster/sums")
            for line in lines { typed.append("! " + line.prefix { $0 != "#" }) }
            typed.append("md5sum -c /etc/muster/sums")
            let result = try await host.typeOnBareHost(typed)
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
        }
    }

    @Test("Installing, and the quick start work as written on one host, to the timer and a restored file")
    func quickStart() async throws {
        try await TestHost.with { host in
            try host.offerPackage()
            try host.offerSystemd()
            let lines = try Page.install.commands() + ["cd /"] + Page.quickstart.commands()
            try #require(lines.count > 30, "the sections are there")
            let result = try await host.typeOnBareHost(lines)
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
            for expected in [
                "nightly: READY", "in local: confirmed", "all as sealed", "\nRemember the milk.\n",
                "COPY public.notes (note) FROM stdin;\nRemember the milk.\n", "enabled muster@nightly.timer",
            ] { #expect(result.output.contains(expected), "\(expected) in \(result.output)") }
        }
    }

    @Test(
        "The restore with plain tools brings back every database, also those that each server has and those that are read only"
    )
    func restore() async throws {
        try await TestHost.with { host in
            try await host.fillDatabasesOfEveryServer()
            let run = try await host.muster("run")
            try #require(run.status == .exited(0), "\(run.errors)")
            let archive = try #require(try await host.archiveNames().first)
            let lines = try Page.restore.commands(below: "## Without Muster").map {
                $0.replacing("REPOSITORY::ARCHIVE", with: "\(host.repository)::\(archive)")
            }
            try #require(lines.count > 10)
            let elsewhere = host.scratch.appending("target")
            try FileSystem.createDirectory(elsewhere, mode: 0o755)
            try await PostgreSQLServer.with(in: elsewhere) { target in
                let result = try await host.type(lines, reaching: target)
                #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
                for database in ["shop", "postgres", "template1"] {
                    #expect(try await target.contents(of: database) == host.server.contents(of: database))
                }
            }
        }
    }

    @Test("One database and some files come back as written, beside what is there")
    func parts() async throws {
        try await TestHost.with { host in
            let before = try await host.server.fingerprint(of: "shop")
            let lines =
                try firstRun(initialize: "repokey-blake2") + Page.restore.commands(below: "## One database")
                + Page.restore.commands(below: "## One table") + Page.restore.commands(below: "## Files")
                + ["diff -r /srv/documents/letters /srv/letters.restored"]
            let result = try await host.typeWithMuster(lines)
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
            for name in ["shop", "shop_check"] {
                #expect(try await host.server.fingerprint(of: name) == before, "\(name)")
            }
            #expect(try await host.server.psql("SELECT count(*) FROM orders", in: "orders_check") == "1000")
        }
    }

    @Test("A whole server comes back on an empty one as written")
    func wholeServer() async throws {
        try await TestHost.with { host in
            try await host.fillDatabasesOfEveryServer()
            let lines =
                try firstRun(initialize: "repokey-blake2") + ["export PGHOST=\(host.scratch)/target"]
                + Page.restore.commands(below: "## The whole server")
            let elsewhere = host.scratch.appending("target")
            try FileSystem.createDirectory(elsewhere, mode: 0o755)
            try await PostgreSQLServer.with(in: elsewhere) { target in
                let result = try await host.typeWithMuster(
                    lines.map { $0.replacing("\(elsewhere)", with: "\(target.directory)") })
                #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
                for database in ["shop", "postgres", "template1"] {
                    #expect(try await target.contents(of: database) == host.server.contents(of: database))
                }
            }
        }
    }

    @Test("A new host that has the repository, a copy of its key and the passphrase restores, and backs up again")
    func newHost() async throws {
        try await TestHost.with { host in
            let commands = try Page.restore.commands(below: "## A new host")
            try #require(commands.count == 6)
            let lines =
                firstRun(initialize: "keyfile-blake2")
                + [
                    "rm -r /var/lib/muster/nightly \"$BORG_BASE_DIR\"", "! muster list --job nightly",
                    "mv /etc/muster/nightly.yaml /srv", "rm -r /srv/documents",
                ]
                + commands.prefix(2)
                + ["cat /srv/documents/letters/first", "mv /srv/nightly.yaml /etc/muster"]
                + commands.dropFirst(2) + ["muster list --job nightly"]
            let result = try await host.typeWithMuster(lines)
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
            for expected in [
                "all as sealed", "\ndear\n", "0 pruned, 3 kept", "repository offsite: 3 archives of this job",
            ] {
                #expect(result.output.contains(expected), "\(expected) in \(result.output)")
            }
        }
    }
}

/// The job that docs/restore.md speaks of, its first run, and files to restore.
private func firstRun(initialize encryption: String) -> [String] {
    [
        "mkdir -p /srv/documents/letters", "echo dear > /srv/documents/letters/first",
        "(umask 077; echo secret > /etc/muster/passphrase)", "cat > /etc/muster/nightly.yaml <<'END'",
        "staging: /var/lib/muster/nightly", "dumps:", "  app: {provider: postgresql, run_as: postgres}",
        "  documents: {provider: directory, path: /srv/documents}", "repositories:", "  offsite:",
        "    location: /srv/offsite", "    passphrase: {file: /etc/muster/passphrase}",
        "    initialize: \(encryption)", "    key_export: /etc/muster/offsite.key", "    keep: {last: 5}", "END",
        "muster run nightly",
    ]
}

/// The directories in front of which a bare host has empty ones of its own.
///
/// What this machine lacks of them is made once, and goes with this process. Removed any sooner, a directory takes with it what another
/// test has mounted there, in whatever mount namespace.
private enum BareHost {
    static var mounts: [String] { places.map { "mount -t tmpfs -o mode=0755 tmpfs \($0)" } }

    private static let places: [String] = {
        let places = ["/etc/muster", "/var/lib/muster", "/srv", "/usr/local/bin"]
        made.withLock { $0 = places.filter { mkdir($0, 0o755) == 0 } }
        atexit { made.withLock { for place in $0 { rmdir(place) } } }
        return places
    }()
}

private let made = Mutex<[String]>([])

/// A page whose indented lines are typed.
private enum Page: String {
    case readme = "README.md"
    case offsite = "docs/offsite.md"
    case restore = "docs/restore.md"
    case install = "docs/install.md"
    case quickstart = "docs/quickstart.md"

    /// Those of the whole page.
    func commands() throws -> [String] {
        try read(Repository.root.pushing(FilePath(rawValue))).split(separator: "\n").filter { $0.hasPrefix("    ") }
            .map { String($0.dropFirst(4)) }
    }

    /// - Parameters:
    ///   - heading: as its line has it. The commands are those before the next heading.
    ///   - last: begins the last line to be typed; all of them if nil.
    func commands(below heading: String, through last: String? = nil) throws -> [String] {
        let text = try read(Repository.root.pushing(FilePath(rawValue)))
        let rest = text.split(separator: "\n", omittingEmptySubsequences: false).drop { $0 != heading }.dropFirst()
        let lines = rest.prefix { !$0.hasPrefix("#") }.filter { $0.hasPrefix("    ") }.map { String($0.dropFirst(4)) }
        guard let last, let end = lines.firstIndex(where: { $0.hasPrefix(last) }) else { return lines }
        return Array(lines[...end])
    }
}

extension TestHost {
    /// The account that the page names is `account`.
    fileprivate func reachAccount(at account: SSHServer) throws {
        try fake(
            "ssh",
            """
            arguments=()
            for word in "$@"; do arguments+=("${word/12345@usw-s001.rsync.net/root@\(account.address)}"); done
            # The account's owner has been told the public key. Another session may just be reading the file, so it is replaced as a whole.
            key=$(cut -d' ' -f1,2 /etc/muster/backup_ssh_key.pub)
            told=$(mktemp \(account.directory)/authorized_keys.XXXXXX)
            echo "restrict,command=\\"\(account.directory)/serve\\" $key" > "$told"
            mv "$told" \(account.directory)/authorized_keys
            exec /usr/bin/ssh -p \(SSHServer.port) -o HostKeyAlias=usw-s001.rsync.net "${arguments[@]}"
            """)
        try fake(
            "ssh-keyscan",
            "/usr/bin/ssh-keyscan -t ed25519 -p \(SSHServer.port) \(account.address) | sed 's/^[^ ]*/usw-s001.rsync.net/'"
        )
    }

    /// A checkout in which `make deb` has made a package, which `apt` then installs as far as the lines need it.
    fileprivate func offerPackage() throws {
        let built = musterExecutable.removingLastComponent()
        try fake("make", "[ \"$*\" = deb ]")
        try fake(
            "apt",
            """
            [ "$1" = install ] || exit
            case $2 in ./*) exec install \(built)/muster \(built)/muster-keeper /usr/local/bin/ ;; esac
            """)
    }

    /// The service manager, which does what a unit says when that is started.
    fileprivate func offerSystemd() throws {
        try fake(
            "systemctl",
            """
            units=\(Repository.root)/config/systemd
            case "$1 $2" in
            "enable --now") [ -s "$units/${3/@*./@.}" ] && echo "enabled $3" ;;
            start*) command=$(sed -n 's,^ExecStart=/usr/bin/,/usr/local/bin/,p' "$units/${2/@*./@.}"); exec ${command//%i/nightly} ;;
            esac
            """)
    }

    /// Types the lines into a shell of a host on which Muster is installed, and no job is there yet.
    fileprivate func typeWithMuster(_ lines: [String]) async throws -> Command.Result {
        try fake("muster", "exec \(musterExecutable) \"$@\"")
        return try await type(BareHost.mounts + lines, reaching: server)
    }

    /// Types the lines into a shell of a host on which nothing of Muster is installed yet, and Borg is what Debian has.
    fileprivate func typeOnBareHost(_ lines: [String]) async throws -> Command.Result {
        let path = "export PATH=\(bin):\(borgDirectory):/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return try await type(BareHost.mounts + [path] + lines, reaching: server)
    }

    /// Types the lines into a shell that stops at the first which fails, and sees mounts of its own.
    fileprivate func type(_ lines: [String], reaching server: PostgreSQLServer) async throws -> Command.Result {
        try await command(
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/bash", "-c",
            "set -e\ncd \(scratch)\nset -x\n\(lines.joined(separator: "\n"))\n",
            environment: [
                "PGHOST": server.directory.string, "BORG_PASSCOMMAND": "cat \(scratch)/passphrase",
            ])
    }

    /// An application in `postgres`, defaults in `template1`, and a database that is read only: what a restore trips over.
    fileprivate mutating func fillDatabasesOfEveryServer() async throws {
        job.dumpsInitialDatabases = true
        try await sql(
            """
            CREATE TABLE visits AS SELECT n FROM generate_series(1, 50) n;
            ALTER DATABASE postgres SET lock_timeout = '3s';
            COMMENT ON DATABASE postgres IS 'the visitors';
            ALTER DATABASE template1 SET lock_timeout = '4s';
            ALTER DATABASE shop SET default_transaction_read_only = on
            """, in: "postgres")
        try await sql("CREATE TABLE defaults AS SELECT 1 AS a", in: "template1")
    }
}

extension PostgreSQLServer {
    /// Tables, settings and comment of a database.
    fileprivate func contents(of database: String) async throws -> String {
        let settings = """
            SELECT d.datname, d.datistemplate, s.setconfig, shobj_description(d.oid, 'pg_database')
            FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid WHERE d.datname = current_database()
            """
        return try await fingerprint(of: database) + "\n" + psql(settings, in: database)
    }
}
