import Linux
import SystemPackage
import TestSupport
import Testing

@testable import DumpCore
@testable import Snapshots

/// A pool `tank` as the fake `zfs` has it: a file for each snapshot, with its owner, and one for each hold.
private struct FakeZFS {
    let host: SnapshotHost
    let fakes: FakePrograms
    private let state: FilePath

    static func with(_ body: (FakeZFS) async throws -> Void) async throws {
        try await withMountScratch { try await body(try FakeZFS(scratch: $0)) }
    }

    private init(scratch: FilePath) throws {
        fakes = try FakePrograms(in: scratch)
        host = SnapshotHost(scratch: scratch, bin: fakes.bin)
        state = try scratch.directory("pool")
        try fakes.add(
            "zfs",
            #"""
            cd \#(state)
            last=${@: -1}
            case $1 in
            snapshot) for name in "${@:4}"; do echo "${3#muster:owner=}" > "${name//\//,}"; done ;;
            list) cat "${last//\//,}" ;;
            get) [ "${last%%/*}" = tank ] && echo "guid of $last" ;;
            hold) touch "hold-$2-${last//\//,}" ;;
            holds) [ ! -e "hold-${last#*@}-${last//\//,}" ] || printf '%s\t%s\tnow\n' "$last" "${last#*@}" ;;
            release) rm "hold-$2-${last//\//,}" ;;
            destroy) [ ! -e "hold-${last#*@}-${last//\//,}" ] && rm "${last//\//,}" ;;
            esac
            """#)
        try fakes.addMounts()
    }

    var label: String { "muster-nightly-\(host.run.context.runID)" }
    var owner: String { ProcessIdentity.current.mark }

    /// What the pool has: snapshots with their owners.
    func snapshots() throws -> [String] {
        try FileSystem.names(in: state).map(\.string).filter { !$0.hasPrefix("hold-") }
    }

    func own(_ snapshot: String, _ owner: String) throws { try write(owner + "\n", to: state.appending(snapshot)) }

    /// The plan for a path on a dataset, which cannot be mounted here.
    func plan(
        _ path: FilePath, on dataset: String, at point: FilePath, below: [(String, FilePath)] = [],
        nested: SnapshotSettings.Nested = .refuse, for dump: String = "app"
    ) async throws -> PlannedSnapshot {
        func mount(_ source: String, _ point: FilePath) -> MountTable.Mount {
            MountTable.Mount(id: 1, device: "0:50", root: "/", point: point, fileSystem: "zfs", source: source)
        }
        var settings = SnapshotSettings(.zfs)
        settings.nested = nested
        let survey = Survey(path: path, mount: mount(dataset, point), mountsBelow: below.map { mount($0.0, $0.1) })
        let planning = Planning(
            round: host.round, survey: survey, settings: settings, dump: dump, run: host.context(of: dump))
        let plan = try await planning.plan()
        await host.round.register(plan.parts.map(\.snapshot), for: dump)
        return plan
    }
}

@Suite("A ZFS snapshot")
struct ZFSTests {
    private let options = "ro,nodev,nosuid,noexec"

    @Test("takes all datasets of a pool that the job needs in one command, holds them, and gives them up in good order")
    func together() async throws {
        try await FakeZFS.with { zfs in
            let app = try await zfs.plan("/srv/app/files", on: "tank/app", at: "/srv/app", for: "app")
            let web = try await zfs.plan("/srv/web", on: "tank/web", at: "/srv/web", for: "web")
            #expect(
                try zfs.fakes.called() == ["tank/app", "tank/web"].map { "zfs get -H -p -o value guid \($0)" })
            let first = try await app.take(in: zfs.host.context(of: "app"))
            let second = try await web.take(in: zfs.host.context(of: "web"))
            #expect(first.moment.from == second.moment.from && first.moment.to == second.moment.to)
            #expect(first.moment.kind == .exact)
            #expect(first.tree == zfs.host.mountPoint.appending("files"))
            let (one, other) = ("tank/app@\(zfs.label)", "tank/web@\(zfs.label)")
            #expect(
                try zfs.fakes.called() == [
                    "zfs snapshot -o muster:owner=\(zfs.owner) \(one) \(other)",
                    "zfs hold \(zfs.label) \(one)", "zfs hold \(zfs.label) \(other)",
                    "mount -t zfs -o \(options) \(one) \(zfs.host.mountPoint)",
                    "mount -t zfs -o \(options) \(other) \(zfs.host.runtime)/nightly/web",
                ])
            #expect(zfs.host.journal.open.map(\.dump) == ["app", "web", "app", "web"])
            await first.release()
            #expect(try zfs.fakes.called() == ["umount \(zfs.host.mountPoint)"])
            await second.release()
            #expect(
                try zfs.fakes.called() == ["umount \(zfs.host.runtime)/nightly/web"]
                    + [other, one].flatMap {
                        [
                            "zfs list -H -t snapshot -o muster:owner \($0)", "zfs holds -H \($0)",
                            "zfs release \(zfs.label) \($0)", "zfs destroy \($0)",
                        ]
                    })
            #expect(try zfs.snapshots() == [])
            try zfs.host.expectNothingLeft()
        }
    }

    @Test("includes the datasets that are mounted below the path, at the same instant and in their places")
    func nested() async throws {
        try await FakeZFS.with { zfs in
            let below: [(String, FilePath)] = [("tank/app/mail", "/srv/app/mail")]
            let refused = try await zfs.plan("/srv/app", on: "tank/app", at: "/srv/app", below: below)
            #expect(
                refused.findings.map(\.message) == ["the dataset tank/app/mail at /srv/app/mail is not in the snapshot"]
            )
            #expect(refused.findings.map(\.severity) == [.failure])
            let plan = try await zfs.plan("/srv/app", on: "tank/app", at: "/srv/app", below: below, nested: .include)
            #expect(plan.findings == [])
            #expect(plan.parts.map(\.place) == ["", "mail"])
            #expect(Set(plan.parts.map(\.snapshot.batch)) == ["zfs tank"])
        }
    }

    @Test("whose datasets cannot all be held leaves nothing")
    func failure() async throws {
        try await FakeZFS.with { zfs in
            let plan = try await zfs.plan("/srv/app", on: "tank/app", at: "/srv/app")
            try zfs.own("tank,gone@x", "somebody")
            let script = try read(zfs.fakes.bin.appending("zfs"))
            try write(
                script.replacing("hold) touch", with: "hold) exit 1; touch"), to: zfs.fakes.bin.appending("zfs"),
                mode: FilePermissions(rawValue: 0o755))
            let error = await #expect(throws: DumpError.self) { try await plan.take(in: zfs.host.context()) }
            #expect(error?.message == "zfs exited with status 1")
            #expect(try zfs.snapshots() == ["tank,gone@x"])
            try zfs.host.expectNothingLeft()
        }
    }

    @Test("is undone only where its property says that it is ours, and its pool is there to tell")
    func undo() async throws {
        try await FakeZFS.with { zfs in
            let plan = try await zfs.plan("/srv/app", on: "tank/app", at: "/srv/app")
            let held = try await plan.take(in: zfs.host.context())
            let records = zfs.host.journal.open
            let file = "tank,app@\(zfs.label)"
            try zfs.own(file, "-")
            await held.release()
            #expect(try zfs.snapshots() == [file])
            try zfs.own(file, zfs.owner)
            try zfs.own("tank,app@\(zfs.label)-2", "-")
            for _ in 1...2 { try await zfs.host.undoAll(records) }
            #expect(try zfs.snapshots() == ["tank,app@\(zfs.label)-2"])

            var elsewhere = try #require(records.first)
            elsewhere.facts["dataset"] = "gone/app"
            let (record, context) = (elsewhere, zfs.host.context())
            let error = await #expect(throws: DumpError.self) { try await zfs.host.round.undo(record, in: context) }
            #expect(
                error?.hint
                    == "Import the pool of gone/app, and if one of Muster's snapshots is in it, run 'muster undo'.")
            elsewhere = try #require(records.first)
            elsewhere.facts["guid"] = "another"
            let renamed = elsewhere
            let other = await #expect(throws: DumpError.self) { try await zfs.host.round.undo(renamed, in: context) }
            #expect(
                other?.message
                    == "tank/app is another dataset than the one that had the snapshot \(zfs.label)")
        }
    }
}
