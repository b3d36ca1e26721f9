import DumpCore
import Linux
import SystemPackage
import Trees

/// What a dump has to say about the tree that it copied.
extension FrozenDirectory {
    func findings(of copied: CopiedTree) -> [Finding] {
        torn(copied) + misdated(copied) + vanished(copied) + copied.damaged.findings
    }

    private func torn(_ copied: CopiedTree) -> [Finding] {
        listed(copied.torn) { torn in
            Finding(
                .warning, torn.flaw.code.rawValue, object: torn.path.string,
                "\(torn.path) \(torn.flaw.described); the last copy may be torn", hint: torn.flaw.remedy)
        } more: { count in
            Finding(
                .warning, "file_changed", object: prepared.settings.path.string,
                "\(count) more files could not be copied without a change; the last copy of each may be torn",
                hint: FileCopy.Flaw.changed.remedy)
        }
    }

    private func misdated(_ copied: CopiedTree) -> [Finding] {
        copied.entries.totals.misdated.first.map { path in
            Finding(
                .warning, "time_out_of_range", object: path.string,
                "\(path) is dated before 1677 or after 2262; the dump has the nearest time that it can hold",
                hint: "Set another date with touch(1), if the file does not need this one.")
        }
    }

    private func vanished(_ copied: CopiedTree) -> [Finding] {
        listed(copied.vanished) { path in
            Finding(
                .warning, "file_vanished", object: path.string, "\(path) vanished before it was copied",
                hint: "Dump a snapshot of the file system if it matters.")
        } more: { count in
            Finding(
                .warning, "file_vanished", object: prepared.settings.path.string,
                "\(count) more files and directories vanished before they were copied",
                hint: "Find out what removed them. The set before, in previous/, may have them.")
        }
    }

    /// A tree that is being removed, or written to everywhere, takes only a few words.
    private func listed<Item>(_ items: FirstOfMany<Item>, _ one: (Item) -> Finding, more: (Int) -> Finding) -> [Finding]
    {
        let rest = items.count - items.first.count
        return items.first.map(one) + (rest > 0 ? [more(rest)] : [])
    }
}
