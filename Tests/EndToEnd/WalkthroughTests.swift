import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The README")
struct WalkthroughTests {
    @Test("Its way off-site works as it is written, line by line, against a server like rsync.net's")
    func offSite() async throws {
        try await TestHost.with { host in
            let served = host.scratch.appending("account")
            try FileSystem.createDirectory(served)
            try FileSystem.createDirectory(served.appending("backups"))
            let sharedHost = host
            try await SSHServer.with(in: host.scratch, serving: served) { server in
                let readme = try Readme.offSite()
                try #require(readme.lines.count > 30, "the section is there")
                let result = try await sharedHost.type(readme, reaching: server)
                #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
                for expected in [
                    "borg14 1.4", "does not exist and will be created", "in rsyncnet: confirmed", "only here",
                    "0 go, 1 stay",
                    "no damage found", "all as sealed", "Selected TOC Entries", "store it on another host",
                ] { #expect((result.output + result.errors).contains(expected), "\(expected) in \(result.output)") }
                #expect(access("/etc/muster/offsite.yaml", F_OK) != 0, "nothing of this was done to this machine")
            }
        }
    }
}

/// The commands of a section of the README: its indented lines.
private struct Readme {
    var lines: [Substring]

    static func offSite() throws -> Readme {
        let text = try read(FilePath(#filePath).removingLastComponent().pushing("../../README.md"))
        let section = text.split(separator: "\n## ").first { $0.hasPrefix("Off-site, step by step") } ?? ""
        let indented = section.split(separator: "\n", omittingEmptySubsequences: false).filter { $0.hasPrefix("    ") }
        return Readme(lines: indented.map { $0.dropFirst(4) })
    }
}

extension TestHost {
    /// Types the lines into a shell of a host that has nothing in /etc/muster and /var/lib/muster yet, and where the account that the
    /// README names is `server`.
    fileprivate func type(_ readme: Readme, reaching account: SSHServer) async throws -> Command.Result {
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
        let places = ["/etc/muster", "/var/lib/muster"]
        let made = places.filter { mkdir($0, 0o700) == 0 }
        defer { for place in made { rmdir(place) } }
        let mounts = places.map { "mount -t tmpfs -o mode=0700 tmpfs \($0)" }
        let script = """
            set -e
            \(mounts.joined(separator: "\n"))
            cd /
            set -x
            \(readme.lines.joined(separator: "\n"))
            """
        return try await command(
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/bash", "-c", script,
            environment: [
                "PGHOST": server.directory.string,
                "PATH": "\(bin):\(musterExecutable.removingLastComponent()):/usr/sbin:/usr/bin:/sbin:/bin",
            ])
    }
}
