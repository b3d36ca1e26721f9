import DumpCore
import Linux
import SystemPackage

/// One placement on its way: recorded, built, placed, settled, in this order.
///
/// Each step may be the last that a process takes: the record says all that `RecordedPlacement.undo` needs.
actor PlacedTree {
    private let placement: TreePlacement
    private let building: TreeBuilding
    private let facts: RecordedPlacement
    private let parent: OpenDirectory
    private let record: UndoRecord
    private let began = ContinuousClock.now
    private var comparison = RestoreComparison()
    private var isPlaced = false

    private init(
        _ placement: TreePlacement, _ building: TreeBuilding, _ facts: RecordedPlacement, in parent: OpenDirectory,
        _ record: UndoRecord
    ) {
        (self.placement, self.building, self.facts) = (placement, building, facts)
        (self.parent, self.record) = (parent, record)
    }

    /// Writes down what is about to happen. Nothing is changed yet.
    static func record(
        _ placement: TreePlacement, of tree: TreeContents, from directory: FilePath, in run: RunContext
    ) async throws(DumpError) -> PlacedTree {
        let above = placement.target.removingLastComponent()
        let parent = try restoring("open", above) { () throws(Errno) in try OpenDirectory(following: above) }
        let facts = try placement.recorded(in: parent, run.runID)
        let record = try await run.journal.record(facts, of: run.dump)
        StopPoint.passing("restore.tree.recorded")
        return PlacedTree(
            placement, TreeBuilding(item: placement.item, tree: tree, directory: directory), facts, in: parent, record)
    }

    /// Builds it out of sight, compares it with the inventory, and writes it to disk.
    func build(in run: RunContext) async throws(DumpError) {
        let hidden = FilePath(root: nil, [facts.hidden])
        let directory = try restoring("create", facts.parent.pushing(hidden)) { () throws(Errno) in
            try parent.openNewDirectory(hidden)
        }
        let name = FilePath(root: nil, [facts.name])
        comparison = try await building.perform(into: directory, as: name, in: run)
        guard comparison.differences.isEmpty else { throw notRestored }
        try await onOwnThread { [parent, path = facts.parent] () throws(DumpError) in
            try restoring("write to disk", path) { () throws(Errno) in try parent.flushFileSystem() }
        }
        StopPoint.passing("restore.tree.built")
    }

    /// Gives it its name, at one instant where the file system can.
    func place() throws(DumpError) {
        try restoring("rename to", placement.target) { () throws(Errno) in
            guard let former = facts.former else {
                try parent.renameVacant(facts.built, to: facts.target)
                isPlaced = true
                return
            }
            guard try parent.inode(at: facts.target) == former else { throw .fileExists }
            do throws(Errno) {
                try parent.exchange(facts.built, facts.target)
                isPlaced = true
            } catch {
                guard error.isUnsupportedRename else { throw error }
                try placeInTwoSteps()
            }
        }
        StopPoint.passing("restore.tree.placed")
    }

    private func placeInTwoSteps() throws(Errno) {
        guard let kept = facts.keptPath else { return }
        try parent.renameVacant(facts.target, to: kept)
        StopPoint.passing("restore.tree.moved")
        do throws(Errno) {
            try parent.renameVacant(facts.built, to: facts.target)
            isPlaced = true
        } catch {
            // The old one serves again. If not even that can be, the record says what is to be done.
            try parent.renameVacant(kept, to: facts.target)
            throw error
        }
    }

    /// Gives what was there before its new name, and forgets the record.
    func settle(in run: RunContext) async throws(DumpError) {
        try restoring("keep what was at", placement.target) { () throws(Errno) in
            if let kept = facts.keptPath, let former = facts.former, try parent.inode(at: facts.built) == former {
                try parent.renameVacant(facts.built, to: kept)
            }
            StopPoint.passing("restore.tree.kept")
            try facts.removeHidden(parent)
            try parent.flush()
        }
        try await run.journal.forget(record)
    }

    var result: RestoredItem {
        RestoredItem(
            item: placement.name, name: placement.target.string,
            kept: facts.former == nil ? nil : placement.kept?.string,
            durationSeconds: (ContinuousClock.now - began) / .seconds(1), comparison: comparison)
    }

    private var notRestored: DumpError {
        let first = comparison.differences.prefix(20).map(\.description)
        let more = comparison.differences.count > 20 ? ["and \(comparison.differences.count - 20) more"] : []
        return DumpError(
            .notRestored, "what was restored of '\(placement.name)' is not what its inventory lists",
            hint: "The file system of \(placement.target) may not keep all of it. Restore to another one.",
            context: ["differences": (first + more).joined(separator: "\n")])
    }
}

extension PlacedTree {
    /// Takes back all of a restore that failed, the last first. What cannot be taken back stays on record.
    static func giveUp(_ begun: [PlacedTree], in run: RunContext) async {
        // Also when the restore is being cancelled: a task of its own is not.
        await Task {
            for placed in begun.reversed() { await placed.giveUp(in: run) }
        }.value
    }

    private func giveUp(in run: RunContext) async {
        do {
            try takeBack()
            try facts.undo()
            try await run.journal.forget(record)
        } catch {
            run.log.error(
                "cannot take back a restore: its undo record stays",
                metadata: ["dump": "\(run.dump)", "target": "\(placement.target)", "error": "\(error)"])
        }
    }

    /// What was placed makes way for what was there before.
    private func takeBack() throws(DumpError) {
        guard isPlaced else { return }
        try restoring("take back", placement.target) { () throws(Errno) in
            defer { isPlaced = false }
            let hidden = FilePath(root: nil, [facts.hidden])
            if try parent.status(ifAnyAt: hidden) == nil { try parent.createDirectory(hidden) }
            guard let former = facts.former, let kept = facts.keptPath else {
                return try parent.renameVacant(facts.target, to: facts.built)
            }
            let old = try parent.inode(at: facts.built) == former ? facts.built : kept
            do throws(Errno) {
                try parent.exchange(old, facts.target)
            } catch {
                guard error.isUnsupportedRename else { throw error }
                let aside = FilePath(root: nil, [facts.hidden, "aside"])
                try parent.rename(facts.target, to: aside)
                return try parent.renameVacant(old, to: facts.target)
            }
            // What was restored goes with the hidden directory.
            guard old == kept else { return }
            try parent.renameVacant(kept, to: facts.built)
        }
    }
}

extension TreePlacement {
    fileprivate func recorded(in parent: OpenDirectory, _ run: RunID) throws(DumpError) -> RecordedPlacement {
        guard let name = target.lastComponent, let hidden = FilePath.Component(".\(name.string).restoring-\(run)")
        else {
            throw DumpError(.settings, "\(target) cannot be the target of a restore", hint: "Name another target.")
        }
        let former = try restoring("look at", target) { () throws(Errno) in
            try parent.inode(at: FilePath(root: nil, [name]))
        }
        guard former == nil || kept != nil else {
            throw DumpError(
                .settings, "there is something at \(target) already", hint: "Name another target, or move it away.")
        }
        return RecordedPlacement(
            parent: target.removingLastComponent(), name: name, hidden: hidden,
            kept: former == nil ? nil : kept?.lastComponent, former: former)
    }
}

/// Does `body` and says of its failure what could not be done to what: `act` reads on after "cannot".
func restoring<Result>(
    _ act: String, _ path: FilePath, _ body: () throws(Errno) -> Result
) throws(DumpError) -> Result {
    do throws(Errno) {
        return try body()
    } catch {
        let isFull = error == .noSpace || error == .diskQuotaExceeded
        throw DumpError(
            isFull ? .noSpace : .system, "cannot \(act) \(path): \(error)",
            hint: isFull ? "Free space there, or restore to a larger file system." : nil, underlying: error)
    }
}
