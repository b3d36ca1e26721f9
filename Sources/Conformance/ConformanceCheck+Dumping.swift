import Checksums
import DumpCore
import Linux
import SystemPackage

extension ConformanceCheck {
    func dumpIsItsUnits() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let tree = try await run.dump(source, into: directory).tree.map { FilePath($0.path) }
            expect(try FileSystem.status(of: directory).mode == 0o700, "the dump's directory is open to others")
            let entries = try FileTree(directory).entries()
            for unit in source.units {
                expect(entries.contains { $0.path == unit.path }, "there is no \(unit.path)")
            }
            for entry in entries {
                expect(entry, belongsTo: source.units)
                if tree.map(entry.path.starts(with:)) ?? false { continue }
                expectPrivate(entry)
            }
        }
        let names = try FileSystem.names(in: scratch)
        expect(names == ["dump"], "the dump is not all in its directory: \(names)")
    }

    private func expect(_ entry: FileTree.Entry, belongsTo units: [WorkUnit]) {
        let belongs = units.contains {
            entry.path.starts(with: $0.path) || entry.status.kind == .directory && $0.path.starts(with: entry.path)
        }
        expect(belongs, "\(entry.path) belongs to no unit")
    }

    private func expectPrivate(_ entry: FileTree.Entry) {
        let isDirectory = entry.status.kind == .directory
        expect(isDirectory || entry.status.kind == .file, "\(entry.path) is neither a file nor a directory")
        expect(
            entry.status.mode == (isDirectory ? 0o700 : 0o600),
            "\(entry.path) has mode \(String(entry.status.mode, radix: 8))")
        expect(entry.status.uid == UserAccount.current?.uid, "\(entry.path) belongs to user \(entry.status.uid)")
    }

    func dumpChangesNothing() async throws {
        try await leavingSourceAlone {
            let run = TestRun()
            try await run.dump(provider(run), into: try newDirectory())
        }
    }

    func digestsAreTrue() async throws {
        let directory = try newDirectory()
        var run = TestRun()
        let told = Notes<(path: FilePath, digest: FileDigest)>()
        run.context.shortcuts.completed = { told.append(($0, $1)) }
        // What nothing writes to any longer is what it is in the end.
        run.context.shortcuts.written = { path in
            if let digest = try? FileScan(directory.pushing(path)).digest() { told.append((path, digest)) }
        }
        let summary = try await run.dump(provider(run), into: directory)
        let digests = told.all + summary.digests.map { (path: $0, digest: $1) }
        for (path, digest) in digests {
            expect(try FileScan(directory.pushing(path)).digest() == digest, "the digest of \(path) is not its own")
        }
        if digests.isEmpty { try lack("the dump reports no digest") }
    }

    func contentsAreThere() async throws {
        let directory = try newDirectory()
        let run = TestRun()
        let summary = try await run.dump(provider(run), into: directory)
        expect(!summary.identity.facts.isEmpty, "the summary does not say what was dumped")
        expect(
            Set(summary.databases.map(\.name)).count == summary.databases.count, "two databases have one name")
        for database in summary.databases {
            expect(database.path, liesIn: directory)
            let places = database.tables.map { [$0.schema, $0.name] }
            expect(
                places == places.sorted { $0.lexicographicallyPrecedes($1) },
                "the tables of \(database.name) are not in the order of their names")
            expect(database.tables.allSatisfy { $0.rows >= 0 }, "a table of \(database.name) has less than no rows")
        }
        for path in [summary.tree?.path, summary.tree?.inventory].compactMap(\.self) {
            expect(path, liesIn: directory)
        }
        if summary.databases.isEmpty, summary.tree == nil { try lack("the summary lists neither databases nor a tree") }
    }

    private func expect(_ path: String, liesIn directory: FilePath) {
        let isThere = (try? FileSystem.status(of: directory.pushing(FilePath(path)))) != nil
        expect(isThere, "\(path) is in the summary and not in the dump")
    }

    func omissionsAreForetold() async throws {
        let run = TestRun()
        try await run.prepared(provider(run)) { source in
            let summary = try await run.dump(source, into: try newDirectory())
            let (foretold, left) = (source.omissions, summary.omissions)
            expect(
                Set(left) == Set(foretold), "foretold was \(foretold.listed), left out was \(left.listed)")
            expect(left.count == foretold.count, "an omission is reported twice")
            expect(Set(source.findings).isDisjoint(with: foretold), "an omission is a finding too")
            for omission in foretold {
                let isWhole = !omission.code.isEmpty && !omission.object.isEmpty && !omission.message.isEmpty
                expect(isWhole, "an omission lacks its code, object or message: \([omission].listed)")
                let reads = !omission.message.hasSuffix(".") && omission.hint?.hasSuffix(".") == true
                expect(reads, "the message has a full stop, or the hint has none: \([omission].listed)")
            }
        }
    }

    func momentIsTrue() async throws {
        let start = Timestamp.now
        let run = TestRun()
        let moment = try await run.dump(provider(run), into: try newDirectory()).moment
        let end = Timestamp.now
        expect(start <= moment.from, "the moment is before the freeze")
        expect(moment.from <= moment.to, "the moment ends before it begins")
        expect(moment.to <= end, "the moment is after the dump")
    }

    func unitsKeepToTheirSlots() async throws {
        let run = TestRun(slots: 1)
        let units = try await run.prepared(provider(run)) { source in
            _ = try await run.dump(source, into: try newDirectory())
            return source.units
        }
        var running = 0
        for event in run.events.all {
            running += event.isBegin ? 1 : -1
            expect(running <= 1, "two units run at once")
        }
        let begun = run.events.all.count(where: \.isBegin)
        expect(begun == units.count, "\(begun) units began, of \(units.count)")
        for unit in units {
            let events = run.events.all.filter { $0 == .began(unit) || $0 == .ended(unit) }
            expect(events == [.began(unit), .ended(unit)], "the unit \(unit.path) does not begin and end once")
        }
        if units.count < 2 { try lack("the source is one unit") }
    }

    func twoDumpsAtOnce() async throws {
        let directories = [try newDirectory("one"), try newDirectory("two")]
        let run = TestRun()
        let provider = provider(run)
        async let first = run.dump(provider, into: directories[0])
        async let second = run.dump(provider, into: directories[1])
        expect(try await first.databases == second.databases, "the two dumps have other databases")
        let paths = try directories.map { try FileTree($0).entries().map(\.path) }
        expect(paths[0] == paths[1], "the two dumps have other files")
    }

    func unchangedIsIdentical() async throws {
        let run = TestRun()
        var dumps: [[String]] = []
        var compared = 0
        for name in ["first", "second"] {
            let directory = try newDirectory(name)
            try await run.dump(provider(run), into: directory)
            dumps.append(
                try FileTree(directory).entries().map { entry in
                    let isRestless = subject.isRestless(entry.path.lastComponent?.string ?? "")
                    guard entry.status.kind == .file, !isRestless else { return "\(entry.path) \(entry.status.kind)" }
                    compared += 1
                    return "\(entry.path) \(try FileScan(directory.pushing(entry.path)).digest().sha256)"
                })
        }
        let changed = Set(dumps[0]).symmetricDifference(dumps[1]).sorted()
        expect(dumps[0] == dumps[1], "the second dump differs: \(changed)")
        expect(!dumps[0].isEmpty, "the dump is empty")
        if compared == 0 { try lack("no file of this source is ever the same twice") }
    }
}

extension [Finding] {
    /// Each as a person reads it.
    var listed: String {
        guard !isEmpty else { return "nothing" }
        return map {
            "\($0.severity.rawValue) \($0.code) of \($0.object): \($0.message)" + ($0.hint.map { " (\($0))" } ?? "")
        }
        .joined(separator: "; ")
    }
}
