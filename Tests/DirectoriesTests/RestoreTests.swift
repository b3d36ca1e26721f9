import Conformance
import DumpCore
import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

@Suite("A restored directory")
struct RestoreTests {
    @Test(
        "lies beside the other, which is untouched, and has all that was dumped, moved or copied",
        arguments: [false, true])
    func beside(isCopied: Bool) async throws {
        try await RestoreHost.with { host in
            let before = try host.fingerprint(of: host.target)
            let outcome = try await host.elsewhere(isCopied) { [host] in try await host.restore(.beside, from: $0) }
            let item = try #require(outcome.items.first)
            #expect(item.name.hasPrefix("\(host.target)_restored_2") && item.name.hasSuffix("Z"))
            #expect(item.item == host.target.string && item.kept == nil && outcome.isProven)
            #expect(try await host.host.source.differences(from: FilePath(item.name)) == "")
            #expect(try host.fingerprint(of: host.target) == before)
            #expect(try host.hiddenNames() == [])
            // What is counted is what is there.
            let counted = item.comparison.compared
            let entries = try FileTree(host.target).entries()
            #expect(counted["entries"] == Int64(entries.count) + 1)
            #expect(counted["files"] == Int64(entries.count { $0.status.kind == .file }))
            #expect(counted["links"] == 4, "two symbolic links, and two further names")
        }
    }

    @Test("takes the place of what is there, which is kept as it was under another name")
    func replacing() async throws {
        try await RestoreHost.with { host in
            let original = host.host.scratch.appending("original")
            try await run("cp", "-a", host.target.string, original.string)
            try await host.host.source.shell("rm plain/file; echo new > plain/new; chmod 700 plain/sub")
            let changed = try host.fingerprint(of: host.target)
            let plan = try await host.prepared(.replacing).plan
            let outcome = try await host.restore(.replacing)
            let item = try #require(outcome.items.first)
            #expect(item.name == host.target.string)
            let kept = FilePath(try #require(item.kept))
            #expect(kept.string.hasPrefix("\(host.target)_before_2"))
            #expect(plan.first?.kept?.hasPrefix("\(host.target)_before_2") == true)
            #expect(try host.fingerprint(of: kept) == changed)
            let found = try await TreeFixture.differences(of: original, from: host.target)
            #expect(found == "")
            #expect(try host.hiddenNames() == [])
            #expect((host.journal as? MemoryJournal)?.open.isEmpty == true)
        }
    }

    @Test("replaces nothing where nothing is, and has its own name then")
    func replacingNothing() async throws {
        try await RestoreHost.with { host in
            let elsewhere = host.host.scratch.appending("elsewhere")
            try FileSystem.rename(host.target, to: elsewhere)
            let outcome = try await host.restore(.replacing)
            #expect(outcome.items.first?.kept == nil)
            #expect(try await TreeFixture.differences(of: elsewhere, from: host.target) == "")
        }
    }

    @Test(
        "can be a directory, a file, a link or a device of the tree alone, moved or copied", arguments: [false, true])
    func items(isCopied: Bool) async throws {
        try await RestoreHost.with { host in
            let items = ["plain/sub", "plain/file", "plain/broken", "plain/null"]
            let parts = try await host.prepared(.beside, items).parts
            #expect(parts == items.map { FilePath("tree").pushing(FilePath($0)) } + ["tree.mtree"])
            let outcome = try await host.elsewhere(isCopied) { [host] in
                try await host.restore(.beside, items, from: $0)
            }
            #expect(outcome.items.map(\.item) == items && outcome.isProven)
            for item in outcome.items {
                let (old, new) = (host.target.pushing(FilePath(item.item)), FilePath(item.name))
                #expect(new.removingLastComponent() == old.removingLastComponent())
                let (before, after) = (try FileSystem.status(of: old), try FileSystem.status(of: new))
                #expect((before.kind, before.mode, before.uid) == (after.kind, after.mode, after.uid))
                #expect((before.modified, before.node) == (after.modified, after.node))
            }
            #expect(try read(FilePath(outcome.items[1].name)) == "hello\n")
        }
    }

    @Test("has the name that is asked for, which nothing may have")
    func named() async throws {
        try await RestoreHost.with { host in
            let name = host.host.scratch.appending("new")
            let outcome = try await host.restore(.named(name.string))
            #expect(outcome.items.map(\.name) == [name.string])
            #expect(try await host.host.source.differences(from: name) == "")
            let error = await #expect(throws: DumpError.self) { try await host.restore(.named(name.string)) }
            #expect(error?.message == "occupied: there is something at \(name) already")
        }
    }

    @Test(
        "that is not what the inventory lists is none: nothing is left of it, and what was there is as it was",
        arguments: Fault.allCases)
    func unfaithful(fault: Fault) async throws {
        try await RestoreHost.with { host in
            let before = try host.fingerprint(of: host.target)
            try await run("/bin/sh", "-c", "cd '\(host.dump.tree)' && \(fault.script)")
            let unfaithful = host
            let error = await #expect(throws: DumpError.self) {
                _ = try await unfaithful.elsewhere(true) { try await unfaithful.restore(.replacing, from: $0) }
            }
            #expect(error?.code == .notRestored, "\(error?.message ?? "")")
            #expect(
                error?.context["differences"]?.contains(fault.named) == true, "\(error?.context["differences"] ?? "")")
            #expect(try host.fingerprint(of: host.target) == before)
            #expect(try host.hiddenNames() == [] && host.namesBeside() == [])
            #expect((host.journal as? MemoryJournal)?.open.isEmpty == true)
        }
    }

    enum Fault: String, CaseIterable {
        case mode, contents, missing, extra, link

        var script: String {
            switch self {
            case .mode: "chmod 0711 plain/old"
            case .contents:
                """
                touch -r plain/file /tmp/$$ && printf j | dd of=plain/file conv=notrunc status=none && touch -r /tmp/$$ plain/file
                rm /tmp/$$
                """
            case .missing: "rm plain/private"
            case .extra: "echo x > empty/extra"
            case .link: "cp -p plain/file plain/copy && mv plain/copy plain/zweitname"
            }
        }

        var named: String {
            switch self {
            case .mode: "plain/old: as its inventory has it in the manifest, has mode 711 and not 644 restored"
            case .contents: "files of plain/file: SHA-256 "
            case .missing: "plain/private: a file in the manifest, nothing restored"
            case .extra: "empty/extra: nothing in the manifest, a file restored"
            case .link: "links of plain/zweitname: another name of plain/file in the manifest"
            }
        }
    }

    @Test("without room for it is none: nothing is left of it")
    func fullDisk() async throws {
        try await RestoreHost.with { host in
            let disk = host.host.scratch.appending("disk")
            try FileSystem.createDirectory(disk)
            try await withMemoryFileSystem(kibibytes: 128, at: disk) { [host] in
                let prepared = try await host.prepared(.named(disk.appending("new").string))
                #expect(prepared.findings.map(\.code).contains("no_space"))
                let error = await #expect(throws: DumpError.self) {
                    try await prepared.restore(from: host.dump.directory, in: host.context())
                }
                #expect(error?.code == .noSpace)
                #expect(try FileSystem.names(in: disk).isEmpty)
            }
        }
    }

    @Test("of several items is placed when all of them are good, and else none of them")
    func allOrNone() async throws {
        try await RestoreHost.with { host in
            // The time of the directory in which they are built changes.
            func state() throws -> [String] { try host.fingerprint(of: host.target).filter { !$0.hasPrefix("plain ") } }
            let before = try state()
            try await run("/bin/sh", "-c", "chmod 0711 '\(host.dump.tree)/plain/old'")
            await #expect(throws: DumpError.self) { try await host.restore(.replacing, ["plain/sub", "plain/old"]) }
            #expect(try state() == before)
        }
    }

    @Test("that is drilled is compared in its room, and what differs is in the result")
    func drill() async throws {
        try await RestoreHost.with { host in
            let room = host.host.scratch.appending("room")
            try FileSystem.createDirectory(room)
            let proven = try await DirectoryRestorer().drill(
                DrillRequest(), of: host.record, from: host.dump.directory, in: room, host.context())
            #expect(proven.isProven && proven.items.map(\.item) == [host.target.string])
            #expect((proven.items[0].comparison.compared["files"] ?? 0) > 12)
            #expect(try await host.host.source.differences(from: FilePath(proven.items[0].name)) == "")
        }
        try await RestoreHost.with { host in
            let room = host.host.scratch.appending("room")
            try FileSystem.createDirectory(room)
            try await run(
                "/bin/sh", "-c", "chmod 0711 '\(host.dump.tree)/plain/old'; rm '\(host.dump.tree)/plain/private'")
            let found = try await DirectoryRestorer().drill(
                DrillRequest(), of: host.record, from: host.dump.directory, in: room, host.context())
            // The directory's time changed with what is in it.
            #expect(found.items[0].comparison.differences.map(\.object) == ["plain", "plain/old", "plain/private"])
        }
    }
}

extension RestoreHost {
    /// Calls `body` with the dump's directory, or with a copy of it on another file system.
    fileprivate func elsewhere<Result: Sendable>(
        _ isElsewhere: Bool, _ body: (FilePath) async throws -> Result
    ) async throws -> Result {
        guard isElsewhere else { return try await body(dump.directory) }
        let disk = host.scratch.appending("disk")
        try FileSystem.createDirectory(disk)
        return try await withMemoryFileSystem(kibibytes: 64 << 10, at: disk) {
            let copy = disk.appending("dump")
            // Else it leaves a time that is off by less than a second.
            try await run("rsync", "-aHAX", "--modify-window=-1", "\(dump.directory)/", "\(copy)/")
            return try await body(copy)
        }
    }

    fileprivate func namesBeside() throws -> [String] {
        try FileSystem.names(in: target.removingLastComponent()).map(\.string).filter {
            $0.contains("_restored_") || $0.contains("_before_")
        }
    }
}

extension TreeFixture {
    /// As `differences(from:)` of a tree that is there already.
    fileprivate static func differences(of tree: FilePath, from copy: FilePath) async throws -> String {
        let compared = try await runProgram(
            "rsync",
            ["-aHAXni", "--numeric-ids", "--checksum", "--delete", "--modify-window=-1", "\(tree)/", "\(copy)/"])
        guard compared.succeeded else { throw HostError(description: compared.lastErrors) }
        return String(decoding: compared.output, as: UTF8.self)
    }
}
