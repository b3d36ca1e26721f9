import DumpCore
import Linux
import SystemPackage

/// A tree, or parts of one, that could be restored.
struct PreparedTreeRestore: PreparedRestore {
    let tree: TreeContents
    let placements: [TreePlacement]
    let original: FilePath
    let survey: InventorySurvey
    private let unordered: [Finding]

    init(
        tree: TreeContents, placements: [TreePlacement], original: FilePath, survey: InventorySurvey,
        findings: [Finding]
    ) {
        (self.tree, self.placements, self.original, self.survey) = (tree, placements, original, survey)
        unordered = findings
    }

    var facts: ErrorContext { ["path": original.string, "entries": "\(tree.entries)", "bytes": "\(tree.bytes)"] }

    var findings: [Finding] { unordered.sorted { $0.severity > $1.severity } }

    var plan: [RestorePlan] {
        placements.map { placement in
            RestorePlan(
                item: placement.name, name: placement.target.string,
                kept: placement.replaces ? placement.kept?.string : nil, bytes: survey.bytes(of: placement.item))
        }
    }

    var parts: [FilePath]? {
        guard placements.map(\.item) != [FilePath()] else { return nil }
        return placements.map { FilePath(tree.path).pushing($0.item) } + [FilePath(tree.inventory)]
    }

    func restore(from directory: FilePath, in run: RunContext) async throws(DumpError) -> RestoreOutcome {
        var begun: [PlacedTree] = []
        do {
            for placement in placements {
                let placed = try await PlacedTree.record(placement, of: tree, from: directory, in: run)
                begun.append(placed)
                try await placed.build(in: run)
            }
            // Only when all of them are good.
            for placed in begun { try await placed.place() }
            for placed in begun { try await placed.settle(in: run) }
        } catch {
            await PlacedTree.giveUp(begun, in: run)
            throw error.aboutRestoring
        }
        var items: [RestoredItem] = []
        for placed in begun { items.append(await placed.result) }
        return RestoreOutcome(items: items, identity: ["path": original.string])
    }
}

extension DumpError {
    /// The words for a copy into a dump, as those for a copy out of it.
    fileprivate var aboutRestoring: DumpError {
        var error = self
        error.message = message.replacing("the file system of the staging area", with: "the file system of the target")
        error.hint = hint.map {
            $0.replacing("Put the staging area on", with: "Restore it to")
                .replacing("move the staging area to", with: "restore it to")
                .replacing("the file system of the staging area", with: "the file system of the target")
                .replacing(", or move the staging area to a larger one", with: ", or restore to a larger one")
        }
        return error
    }
}
