import DumpCore
import Settings
import Snapshots
import SystemPackage

extension DirectorySettings: ProviderSettings {
    static var shape: ObjectShape<DirectorySettings> {
        ObjectShape(default: DirectorySettings())
            .required("path", \.path, .absolutePath.example("/srv/documents"), "The directory to dump.")
            .optional(
                "snapshot", \.snapshot, .snapshot,
                "How to read it as of one instant: auto, btrfs, lvm, zfs, or your own commands. Not set: read it live."
            )
            .key(
                "stage", \.stage, .choice,
                "copy: copy the tree into the set. reference: let Borg read it in its snapshot; the set holds only a list of it."
            )
            .key(
                "exclude", \.selection.exclude, .list(of: .pattern).example(["*.tmp", "/cache/"]),
                "Patterns of what to leave out, in the syntax of gitignore(5), relative to the path. The last that matches decides."
            )
            .key(
                "exclude_caches", \.selection.excludesCaches, .boolean,
                "Whether to leave out directories that a CACHEDIR.TAG declares to be caches."
            )
            .key(
                "exclude_if_present", \.selection.excludeIfPresent, .list(of: .fileName).example([".nobackup"]),
                "Names such as .nobackup: a directory that has an entry of that name is left out."
            )
            .key(
                "one_file_system", \.selection.isOneFileSystem, .boolean,
                "Whether to leave out other file systems that are mounted below the path."
            )
            .key(
                "require_mount", \.requiresMount, .boolean,
                "Whether to fail when the path is not a mount point, such as when its disk is not mounted."
            )
            .key(
                "changed_files", \.changedFiles, .choice,
                "What to do with a file that changed during each of five copies: fail the dump, or keep the last copy and warn."
            )
            .key(
                "sparse_files", \.sparseFiles, .choice,
                "What to do with a file that has more than 1 TiB of holes, which all have to be read: fail the dump, or read it."
            )
            .key("deadline", \.deadline, .timeLimit, "How long the whole dump may take before Muster stops it.")
            .check("stage") { $0.referenceFault }
    }

    private var referenceFault: Fault? {
        guard stage == .reference else { return nil }
        guard snapshot != nil else {
            return Fault(
                "reference needs a snapshot: Borg would read what is being written",
                hint: "Add snapshot: auto, or leave out stage.")
        }
        guard selection.isEverything else {
            return Fault(
                "reference hands all of the tree to Borg, and leaves nothing out",
                hint:
                    "Leave out exclude, exclude_caches, exclude_if_present and one_file_system, or leave out stage.")
        }
        return nil
    }
}

extension Shape<String> {
    fileprivate static var pattern: Shape {
        name.checked { text in
            guard ExcludePattern(text) == nil else { return nil }
            let isOutside = text.split(atASCII: "/").contains { $0 == ".." || $0 == "!.." }
            return isOutside
                ? Fault(
                    "leads out of path:, and would match nothing",
                    hint: "Patterns begin at path:, such as /cache/ for the directory of that name in it.")
                : Fault(
                    "is not a pattern of gitignore(5)",
                    hint: "Such as *.tmp at any depth, /cache/ for one directory, !keep.tmp to take back.")
        }
    }

    fileprivate static var fileName: Shape {
        name.checked { text in
            text.contains("/") || text == "." || text == ".." ? Fault("must be the name of a file, without /") : nil
        }
    }
}
