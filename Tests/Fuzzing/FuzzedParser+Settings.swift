import Settings
import YAML

@testable import Directories
@testable import MusterConfig
@testable import PostgreSQL

/// What operators write.
extension FuzzedParser {
    static let ofSettings = [
        FuzzedParser("yaml", [job]) { bytes in
            var diagnostics = Diagnostics()
            let words = YAMLComposer.Words(file: "file", ifEmpty: "Fill it.", ifSecond: "Remove it.")
            _ = YAMLComposer.compose(bytes, as: words, &diagnostics)
        },
        FuzzedParser("job", [job]) { bytes in
            _ = try JobFile.parse(
                bytes, name: "nightly", file: "/etc/muster/nightly.yaml", kinds: [.postgresql, .directory])
        },
        FuzzedParser(
            "connection",
            ["host=/run/x port=5433 user='a \\' b'", "postgresql://me@db.example:5432/shop?sslmode=require"]
        ) {
            let options = try ConnectionOptions(parsing: $0.text)
            _ = (options.shown, try ConnectionOptions(parsing: options.conninfo))
        }.flat,
        FuzzedParser("service", ["# a comment\n[other]\nhost=x\n\n[app]\nhost=db.example\nport=5432\npassword=x=y\n"]) {
            _ = try ServiceFile("app", in: $0.text)
        }.flat,
        FuzzedParser("exclude", ["!/a/**/[[:digit:]x-z!]*?.o\\*/", "*.tmp", "[!a]**"]) { bytes in
            let pattern = ExcludePattern(bytes.text)
            _ = pattern?.matches([Array("a".utf8), bytes, Array("1b.o*".utf8)], isDirectory: true)
        }.flat,
    ]

    private static let job = """
        staging: /var/lib/muster
        parallel: 2
        retry: {times: 2, wait: 1s}
        max_age: 26h
        anomalies: {action: fail, below_percent: 90}
        dumps:
          app:
            provider: postgresql
            connection: service=app
            databases: {include: ["*"], exclude: [x_*]}
            lock_timeout: 1m30s
            password: {command: "cat /run/secrets/app"}
          docs: {provider: directory, path: "/srv/docs", exclude: ['*.o', '!keep.o', '/cache/[a-z]*']}
        repositories:
          off:
            location: ssh://user@host:2222/./repo
            passphrase: {file: /etc/muster/passphrase}
            keep: {daily: 7, within: 2w}
            check: {every: 7d, max_duration: 1h}
            chunker_params: buzhash,19,23,21,4095
            compression: auto,zstd,3
        """
}
