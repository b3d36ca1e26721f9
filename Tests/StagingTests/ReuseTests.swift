import CFaults
import Checksums
import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@Suite("Reusing unchanged files")
struct ReuseTests {
    private static let first: [String: Files] = ["app": ["same": "12345", "changed": "old", "sub/empty": ""]]

    @Test("An unchanged file keeps its inode and its time of change, a changed one does not")
    func unchanged() async throws {
        try await withArea { area in
            try await area.takeSet(Self.first, run: .numbered(1))
            let old = try statuses(area)
            let reuse = try await area.takeSet(
                ["app": ["same": "12345", "changed": "new", "sub/empty": "", "added": "old"]], run: .numbered(2)
            ).reuse
            let new = try statuses(area)
            for path: FilePath in ["app/same", "app/sub/empty"] {
                #expect(new[path]?.inode == old[path]?.inode && new[path]?.modified == old[path]?.modified)
                #expect(new[path]?.links == 2)
            }
            #expect(new["app/changed"]?.inode != old["app/changed"]?.inode)
            #expect(new["app/added"]?.links == 1)
            #expect(reuse.files == 2 && reuse.bytes == 5 && reuse.hindrance == nil)
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
            #expect(try await area.faithfulRun(at: area.previous) == .numbered(1))
            #expect(try area.incomingNames == [])
        }
    }

    @Test("A changed file of the same size never has the time of the one before it")
    func sameTime() async throws {
        try await withArea { area in
            try await area.takeSet(Self.first, run: .numbered(1))
            let old = try FileSystem.status(of: area.current.appending("app/changed"))
            try await area.withIncoming(.numbered(2)) { incoming in
                let file = try await incoming.directory(forDump: "app").appending("changed")
                try write("new", to: file)
                try FileSystem.setModified(file, to: old.modified)
                _ = try await incoming.seal([.test("app")], as: .test).publish()
            }
            let new = try FileSystem.status(of: area.current.appending("app/changed"))
            #expect(new.bytes == old.bytes && new.modified > old.modified)
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
        }
    }

    @Test("A file that is the same as one of another name keeps its inode, and no two files become one")
    func renamed() async throws {
        try await withArea { area in
            try await area.takeSet(["app": ["1.dat": "rows", "2.dat": "others"]], run: .numbered(1))
            let old = try statuses(area)
            let reuse = try await area.withIncoming(.numbered(2)) { incoming in
                try fill(
                    try await incoming.directory(forDump: "app"), ["1.dat": "rows", "3.dat": "rows", "2.dat": "others"])
                var dump = FinishedDump.test("app")
                // 1.dat is new, and by chance the same.
                dump.summary.renamed = ["3.dat": "1.dat"]
                let unpublished = try await incoming.seal([dump], as: .test)
                _ = try await unpublished.publish()
                return unpublished.reuse
            }
            let new = try statuses(area)
            #expect(reuse.files == 2)
            #expect(new["app/3.dat"]?.inode == old["app/1.dat"]?.inode)
            #expect(new["app/2.dat"]?.inode == old["app/2.dat"]?.inode)
            #expect(new["app/1.dat"]?.links == 1)
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
        }
    }

    @Test("A file that its provider has linked itself counts as reused")
    func linkedByProvider() async throws {
        try await withArea { area in
            try await area.takeSet(Self.first, run: .numbered(1))
            let reuse = try await area.withIncoming(.numbered(2)) { incoming in
                let directory = try await incoming.directory(forDump: "app")
                try FileSystem.link(area.current.appending("app/same"), as: directory.appending("same"))
                let unpublished = try await incoming.seal([.test("app")], as: .test)
                _ = try await unpublished.publish()
                return unpublished.reuse
            }
            #expect(reuse.files == 1)
            #expect(try area.incomingNames == [])
        }
    }

    @Test("An old file that is not what its set says never takes the place of a new one", arguments: Fault.allCases)
    func oldFileUnfit(fault: Fault) async throws {
        try await withArea { area in
            try await area.takeSet(Self.first, run: .numbered(1))
            let old = area.current.appending("app/same")
            let before = try FileSystem.status(of: old)
            // Held open, so that the file system gives its number to no other.
            let held = try FileSystem.openToRead(old)
            defer { try? held.close() }
            switch fault {
            case .rotted:
                try write("12X45", to: old)
                try FileSystem.setModified(old, to: before.modified)
            case .cutOff: #expect(truncate(old.string, 4) == 0)
            case .gone: try FileSystem.removeFile(old)
            case .mode: #expect(chmod(old.string, 0o640) == 0)
            case .owner: #expect(chown(old.string, 65534, 0) == 0)
            case .group: #expect(chown(old.string, 0, 65534) == 0)
            case .link:
                try FileSystem.rename(old, to: area.current.appending("elsewhere"))
                #expect(symlink("../elsewhere", old.string) == 0)
            }
            let unpublished = try await area.takeSet(["app": ["same": "12345"]], run: .numbered(2))
            #expect(unpublished.reuse.files == 0)
            let told = unpublished.set.manifest.dumps.flatMap(\.findings)
            #expect(told.map(\.code) == (fault.isDamage ? ["previous_set_damaged"] : []), "\(told)")
            #expect(told.allSatisfy { $0.object == "app/same" && $0.severity == .warning }, "\(told)")
            #expect(try read(area.current.appending("app/same")) == "12345")
            #expect(try FileSystem.status(of: area.current.appending("app/same")).inode != before.inode)
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
        }
    }

    enum Fault: CaseIterable {
        case rotted, cutOff, gone, mode, owner, group, link

        /// Another mode or owner may be the operator's doing.
        var isDamage: Bool { [.rotted, .cutOff, .gone, .link].contains(self) }
    }

    @Test("Of many damaged files one warning tells, which names the first")
    func manyDamaged() async throws {
        try await withArea { area in
            let files: [String: Files] = ["app": ["a": "1", "b": "2", "c": "3"], "other": ["a": "1"]]
            try await area.takeSet(files, run: .numbered(1))
            for name in ["c", "b"] { try write("x", to: area.current.appending("app").appending(name)) }
            let dumps = try await area.takeSet(files, run: .numbered(2)).set.manifest.dumps
            #expect(dumps.map(\.findings.count) == [1, 0])
            #expect(
                dumps[0].findings[0].message
                    == "app/b and 1 more files in the last set are damaged or missing; the new set does not use them")
        }
    }

    @Test("A list or a manifest of the current set that is not what was sealed is a warning", arguments: [true, false])
    func damagedRecord(isList: Bool) async throws {
        try await withArea { area in
            let first = try await area.takeSet(Self.first, run: .numbered(1)).set.manifest
            let path = isList ? "checksums/app.sha256" : "manifest.json"
            let file = area.current.pushing(FilePath(path))
            try write(isList ? try read(file).replacing("same", with: "sbme") : "{", to: file)
            try await area.withIncoming(.numbered(2)) { incoming in
                try fill(try await incoming.directory(forDump: "app"), Self.first["app"]!)
                var dump = FinishedDump.test("app")
                dump.formerListSHA256 = isList ? first.dumps[0].checksums.sha256 : nil
                let told = try await incoming.seal([dump], as: .test).set.manifest.dumps[0].findings
                #expect(told.map(\.object) == [path], "\(told)")
                #expect(told.map(\.code) == ["previous_set_damaged"])
            }
        }
    }

    @Test("A new file of another mode or owner stays what it is", arguments: [true, false])
    func newFileUnlike(mode: Bool) async throws {
        try await withArea { area in
            try await area.takeSet(Self.first, run: .numbered(1))
            try await area.withIncoming(.numbered(2)) { incoming in
                let directory = try await incoming.directory(forDump: "app")
                try fill(directory, ["same": "12345"])
                let file = directory.appending("same").string
                #expect((mode ? chmod(file, 0o644) : chown(file, 65534, 65534)) == 0)
                let unpublished = try await incoming.seal([.test("app")], as: .test)
                #expect(unpublished.reuse.files == 0)
                let status = try FileSystem.status(of: directory.appending("same"))
                #expect(mode ? status.mode == 0o644 : status.uid == 65534)
            }
        }
    }

    @Test("Where no link can be made, the new file is kept", arguments: [EMLINK, EPERM])
    func noLink(error: Int32) async throws {
        try await withArea { area in
            try await area.takeSet(Self.first, run: .numbered(1))
            await #expect(processExitsWith: .success) { [root = area.root.string as String, error] in
                #expect(cfaults_fail_link(error) == 0)
                let reuse = try await StagingArea.open(FilePath(root)).takeSet(Self.first, run: .numbered(2)).reuse
                #expect(reuse.files == 0)
            }
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
            #expect(try area.incomingNames == [])
        }
    }

    @Test("A damaged list in the current set keeps nothing from being published, and is named")
    func damagedList() async throws {
        try await withArea { area in
            try await area.takeSet(Self.first, run: .numbered(1))
            try write("rubbish\n", to: area.current.appending("checksums/app.sha256"))
            let reuse = try await area.takeSet(Self.first, run: .numbered(2)).reuse
            #expect(reuse.hindrance == "line 1 is not a SHA-256, two spaces and a path")
            #expect(try await area.faithfulRun(at: area.current) == .numbered(2))
        }
    }

    private func statuses(_ area: StagingArea) throws -> [FilePath: FileStatus] {
        Dictionary(uniqueKeysWithValues: try FileTree(area.current).entries().map { ($0.path, $0.status) })
    }
}
