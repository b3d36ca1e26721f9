import DumpCore
import Linux
import SystemPackage

/// Puts back dumps of directories: whole trees, or files and directories of them.
///
///     look → record → build beside, hidden → compare with the inventory → flush → rename into place
///
/// What is there under the target's name is what was there, or all that was restored, at any moment. Where the file system cannot exchange
/// two names there is an instant without either, which the record ends.
public struct DirectoryRestorer: Restorer {
    public init() {}

    public var undoneKinds: Set<String> { [RecordedPlacement.recordKind] }

    public func prepare(
        _ request: RestoreRequest, of dump: Manifest.DumpRecord, reading files: any DumpFiles, in run: RunContext
    ) async throws(DumpError) -> any PreparedRestore {
        let tree = try dump.requireTree()
        try request.requireOfDirectory()
        let original = try dump.originalPath()
        let placements = try request.placements(of: original, at: run.runID)
        let survey = try await InventorySurvey(of: tree, placements.map(\.item), reading: files)
        return PreparedTreeRestore(
            tree: tree, placements: placements, original: original, survey: survey,
            findings: await onOwnThread {
                survey.findings + placements.flatMap(\.findings) + placements.spaceFindings(survey)
            })
    }

    /// The inventory, unless it is too large to be looked at.
    public func examinedFiles(of dump: Manifest.DumpRecord, for request: RestoreRequest) -> [FilePath] {
        dump.tree.flatMap { InventorySurvey.isLookedAt($0) ? [FilePath($0.inventory)] : nil } ?? []
    }

    public func drill(
        _ drill: DrillRequest, of dump: Manifest.DumpRecord, from directory: FilePath, in room: FilePath,
        _ run: RunContext
    ) async throws(DumpError) -> RestoreOutcome {
        let tree = try dump.requireTree()
        try drill.requireRoom(for: tree.diskBytes ?? tree.bytes, of: dump)
        let began = ContinuousClock.now
        var comparison = RestoreComparison()
        for (number, item) in (drill.items.isEmpty ? [""] : drill.items).enumerated() {
            let copy = TreeBuilding(item: FilePath(item), tree: tree, directory: directory)
            comparison.add(try await copy.perform(into: room, as: FilePath("restored-\(number)"), in: run))
        }
        let name = dump.identity["path"] ?? dump.name
        let isWhole = drill.items.isEmpty
        let item = RestoredItem(
            item: isWhole ? name : "\(name) in \(drill.items.count) parts",
            name: (isWhole ? room.appending("restored-0") : room).string,
            durationSeconds: (ContinuousClock.now - began) / .seconds(1), comparison: comparison)
        return RestoreOutcome(items: [item], findings: drill.unanswered(of: dump), identity: dump.identity)
    }

    public func parts(of dump: Manifest.DumpRecord, items: [String]) -> [FilePath]? {
        guard let tree = dump.tree, !items.isEmpty else { return nil }
        return items.map { FilePath(tree.path).pushing(FilePath($0)) } + [FilePath(tree.inventory)]
    }

    public func slices(
        of dump: Manifest.DumpRecord, into count: Int, reading files: any DumpFiles
    ) async throws(DumpError) -> [String] {
        guard let tree = dump.tree, InventorySurvey.isLookedAt(tree) else { return [] }
        let inventory = try await files.contents(of: FilePath(tree.inventory), limit: InventorySurvey.longest)
        do {
            return try TreeSlices.paths(inventory, into: count)
        } catch {
            throw DumpError(
                .incompleteDump, "the inventory of the tree cannot be understood: \(error)", underlying: error)
        }
    }

    public func guide(to request: RestoreRequest, of dump: Manifest.DumpRecord) -> [String] {
        guard let tree = dump.tree else { return [] }
        let original = dump.identity["path"] ?? "/srv/\(dump.name)"
        let place = tree.reference.map { "." + $0 } ?? "\(dump.path)/\(tree.path)"
        let paths = request.items.isEmpty ? [""] : request.items.map { "/" + $0 }
        return paths.map { "cp -a \((place + $0).asShellWord) \((original + $0 + "_restored").asShellWord)" }
            + ["mtree -f \("\(dump.path)/\(tree.inventory)".asShellWord) -p \(place.asShellWord)   # compares it"]
    }

    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        guard record.kind == RecordedPlacement.recordKind else { throw DumpError(unknown: record) }
        let placement = try RecordedPlacement(of: record)
        try await onOwnThread { () throws(DumpError) in try placement.undo() }
    }
}

extension Manifest.DumpRecord {
    func requireTree() throws(DumpError) -> TreeContents {
        guard let tree else {
            throw DumpError(
                .settings, "dump '\(name)' holds no tree", hint: "Look at what it holds: muster list ARCHIVE.")
        }
        return tree
    }

    /// What was dumped.
    fileprivate func originalPath() throws(DumpError) -> FilePath {
        guard let path = identity["path"], path.hasPrefix("/") else {
            throw DumpError(
                .settings, "the manifest does not say which directory dump '\(name)' is of",
                hint: "Extract it: muster extract ARCHIVE \(name) --into DIR.")
        }
        return FilePath(path)
    }
}

extension RestoreRequest {
    /// Throws for what only other kinds know.
    fileprivate func requireOfDirectory() throws(DumpError) {
        let foreign: [(what: String, isThere: Bool)] = [
            ("no pieces such as tables", !pieces.isEmpty), ("no target but this host", target != nil),
            ("no schema", schema != nil),
        ]
        guard let fault = foreign.first(where: \.isThere) else { return }
        throw DumpError(
            .settings, "a directory has \(fault.what)",
            hint: "Leave that out. Name files and directories of the tree as items.")
    }
}

extension DrillRequest {
    fileprivate func requireRoom(for bytes: Int64, of dump: Manifest.DumpRecord) throws(DumpError) {
        guard let byteLimit, bytes > byteLimit else { return }
        throw DumpError(
            .noSpace,
            "the tree of dump '\(dump.name)' takes \(formatBytes(bytes)), more than \(formatBytes(byteLimit))",
            hint: "Raise the drill's limit, or let it take some items of the tree.")
    }

    /// Questions that a tree has no answer to.
    fileprivate func unanswered(of dump: Manifest.DumpRecord) -> [Finding] {
        guard !assertions.isEmpty || !freshness.isEmpty else { return [] }
        return [
            Finding(
                .warning, "not_asked", object: dump.name, "a directory answers no statements: they were not asked",
                hint: "Ask them of a dump of databases.")
        ]
    }
}
