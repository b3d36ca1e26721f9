import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import Borg

/// A Borg that does not do what it says, or does not say what it did, and the clauses of the rule that must notice.
struct AcceptanceFault: Sendable, CustomStringConvertible {
    /// Follows "a Borg that".
    var description: String
    /// Bash, in front of the real Borg: see `TestHost.putBorg`.
    var script: String
    var clauses: [Acceptance.Clause]
    /// What the operator is told was found.
    var found: String

    init(_ description: String, _ clauses: [Acceptance.Clause], found: String, _ script: String) {
        self.description = description
        self.script = script
        self.clauses = clauses
        self.found = found
    }

    static let all = [
        AcceptanceFault(
            "exits with 1 and has made the archive", [.exitStatus], found: "borg exited with status 1",
            "[ $VERB != create ] || { $BORG \"$@\"; exit 1; }"),
        AcceptanceFault(
            "exits with 0 and has made no archive", [.reported], found: "no archive was reported",
            "[ $VERB != create ] || exit 0"),
        AcceptanceFault(
            "exits with 1 and has made no archive", [.exitStatus, .reported], found: "borg exited with status 1",
            "[ $VERB != create ] || exit 1"),
        AcceptanceFault(
            "marks a file as changed and says no more", [.files], found: "C app/globals.sql",
            #"[ $VERB != create ] || echo '{"type": "file_status", "status": "C", "path": "app/globals.sql"}' >&2"#),
        AcceptanceFault(
            "reads a file that changes meanwhile", [.exitStatus, .files, .warnings], found: "borg exited with status 1",
            """
            # chmod to the same mode moves the ctime, by which Borg sees that a file changed, and nothing else. Each read of the
            # file is held up, so that a chmod falls between Borg's two looks at it.
            if [ $VERB = create ]; then
                python3 -c "import os; open('$READY', 'w')
            while True: os.chmod('$FILE', 0o600)" & toucher=$!
                until [ -e $READY ]; do sleep 0.05; done
                strace -f -o /dev/null -P $FILE -e trace=read -e inject=read:delay_exit=300000 $REAL "$@"
                status=$?; kill $toucher; exit $status
            fi
            """),
        AcceptanceFault(
            "warns of something", [.warnings], found: "the moon is full",
            #"[ $VERB != create ] || echo '{"type": "log_message", "levelname": "WARNING", "name": "borg.archiver", "message": "the moon is full"}' >&2"#
        ),
        AcceptanceFault(
            "answers with the id of another archive", [.identity], found: "reported $OTHER, listed ",
            #"[ $VERB != create ] || { $BORG "$@" | sed -E 's/"id": "[0-9a-f]{64}"/"id": "'$OTHER'"/'; exit; }"#),
        AcceptanceFault(
            "leaves a file out", [.listing], found: "app/globals.sql is missing",
            """
            words=()
            for word in "$@"; do
                words+=("$word"); [ "$word" != create ] || words+=(--exclude app/globals.sql)
            done
            exec $BORG "${words[@]}"
            """),
        AcceptanceFault(
            "comes when a file is away for the while", [.listing], found: "app/globals.sql is missing",
            "[ $VERB != create ] || { mv $FILE $ASIDE; $BORG \"$@\"; status=$?; mv $ASIDE $FILE; exit $status; }"),
        AcceptanceFault(
            "comes when a file is longer for the while", [.listing], found: "app/globals.sql has ",
            """
            if [ $VERB = create ]; then
                mv $FILE $ASIDE; (cat $ASIDE; echo more) > $FILE; $BORG "$@"; status=$?; mv $ASIDE $FILE; exit $status
            fi
            """),
        AcceptanceFault(
            "finds a file too many", [.listing], found: "app/guest is not in the set",
            "[ $VERB != create ] || { touch $SET/app/guest; $BORG \"$@\"; status=$?; rm $SET/app/guest; exit $status; }"
        ),
        AcceptanceFault(
            "lists a file with another size", [.listing], found: "app/globals.sql has 7 bytes instead of ",
            #"[[ "$*" != *" list ::"* ]] || { $BORG "$@" | perl -0777 -pe 's/\0\d+\0(app\/globals\.sql\0)/\x{00}7\0$1/'; exit; }"#
        ),
        AcceptanceFault(
            "gives back the manifest cut short", [.manifest], found: "its SHA-256 is ",
            "[ $VERB != extract ] || { $BORG \"$@\" | head -c -1; exit; }"),
        AcceptanceFault(
            "gives back another manifest", [.manifest], found: "its SHA-256 is ",
            "[ $VERB != extract ] || { $BORG \"$@\" | tr 1 2; exit; }"),
        AcceptanceFault(
            "gives back no manifest", [.manifest], found: "its SHA-256 is ",
            "[ $VERB != extract ] || { $BORG \"$@\" >/dev/null; exit; }"),
    ]
}

@Suite("A Borg that is not to be trusted")
struct AcceptanceFaultTests {
    @Test("Each clause of the rule has a fault that nothing else would notice")
    func everyClause() {
        let alone = AcceptanceFault.all.filter { $0.clauses.count == 1 }.map(\.clauses[0])
        #expect(Set(alone) == Set(Acceptance.Clause.allCases))
    }

    /// With one Borg: that each clause holds of each Borg's archives is a claim of BorgTests.
    @Test("ends the run with 4 and leaves nothing that looks like an archive; archive alone finishes the job")
    func refused() async throws {
        try await TestHost.with { host in
            let version = BorgUnderTest.stable
            let other = try await host.firstArchive(by: version)
            var archives = try await host.archiveNames()
            for fault in AcceptanceFault.all {
                try await host.addOrders()
                try await host.putBorg(version, after: "OTHER=\(other)\n\(fault.script)")
                let result = try await host.muster("run")
                try await host.putBorg(version)

                #expect(result.status == .exited(4), "a Borg that \(fault): \(result.errors)")
                let found = fault.found.replacing("$OTHER", with: other)
                #expect(
                    result.errors.contains("in repository 'local' is not a faithful copy of the set: \(found)"),
                    "a Borg that \(fault): \(result.errors)")
                #expect(violated(result.errors) == fault.clauses, "a Borg that \(fault): \(result.errors)")
                #expect(try await host.archiveNames() == archives, "a Borg that \(fault)")
                archives = try await host.archiveNames(onceFinishedAfter: archives)
            }
        }
    }

    @Test(
        "nor deletes what it was told to delete: the archive is named as one not to trust, and goes with the next",
        arguments: BorgUnderTest.allCases)
    func undeletable(version: BorgUnderTest) async throws {
        try await TestHost.with { host in
            _ = try await host.firstArchive(by: version)
            let archives = try await host.archiveNames()
            try await host.addOrders()
            try await host.putBorg(
                version, after: "case $VERB in create) $BORG \"$@\"; exit 1 ;; delete) exit 2 ;; esac")
            let result = try await host.muster("run")
            try await host.putBorg(version)

            #expect(result.status == .exited(4), "\(result.errors)")
            let left = try #require(try await host.archiveNames().last { !archives.contains($0) })
            #expect(result.errors.contains("Do not trust archive '\(left)'"), "\(result.errors)")
            _ = try await host.archiveNames(onceFinishedAfter: archives)
            #expect(try await !host.archiveNames().contains(left))
        }
    }

    /// The clauses that an error names, in its order.
    private func violated(_ errors: String) -> [Acceptance.Clause] {
        errors.split(separator: "\n").compactMap { line in
            Acceptance.Clause.allCases.first { line.contains(" \($0.rawValue): ") }
        }
    }
}

extension TestHost {
    /// Runs the job with this Borg, first on `PATH`, and returns the id of its archive.
    fileprivate mutating func firstArchive(by version: BorgUnderTest) async throws -> String {
        try await putBorg(version)
        let run = try await muster("run", "--json")
        try #require(run.status == .exited(0), "\(run.errors)")
        let id = try #require(run.output.firstMatch(of: /"id" : "([0-9a-f]{64})"/))
        return String(id.output.1)
    }

    /// So that there is something new to archive.
    fileprivate func addOrders() async throws {
        try await sql(
            "INSERT INTO orders SELECT n, 'more' FROM (SELECT max(id) FROM orders) o, generate_series(max + 1, max + 1000) n",
            in: "shop")
    }

    /// A borg, first on `PATH`, that does this before it becomes the real one, unless it exits.
    ///
    /// In the script, `$BORG` is Borg, and `$REAL` is the same as a process of its own. `$VERB` is what it is asked to do. `$SET` is the
    /// set, and `$FILE` a file in it. `$ASIDE` and `$READY` are places for the script's own files.
    fileprivate func putBorg(_ version: BorgUnderTest, after script: String = "") async throws {
        let borg = try await version.warm
        try fake(
            "borg",
            """
            BORG=\(borg) REAL=\(version.program) SET=\(current) FILE=\(current)/app/globals.sql ASIDE=\(scratch)/aside READY=\(scratch)/ready VERB=other
            set -o pipefail
            for word in "$@"; do
                case $word in create|list|extract|delete) VERB=$word; break ;; esac
            done
            \(script)
            exec $BORG "$@"
            """)
    }

    /// After a failed archive: the set and the repository are whole, and the job can be finished, which makes one archive more.
    fileprivate func archiveNames(onceFinishedAfter archives: [String]) async throws -> [String] {
        let verified = try await muster("verify")
        #expect(verified.status == .exited(0), "\(verified.output)")
        let check = try await borg("check")
        #expect(check.status == .exited(0), "\(check.errors)")
        let archive = try await muster("archive")
        #expect(archive.status == .exited(0), "\(archive.errors)")
        let now = try await archiveNames()
        #expect(now.count == archives.count + 1)
        #expect(now.starts(with: archives))
        return now
    }
}
