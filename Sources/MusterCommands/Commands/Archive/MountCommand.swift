import ArgumentParser
import Linux

struct MountCommand: MusterCommand {
    static let manual = CommandManual(
        "mount", "Mount an archive at a directory, to look around in it.",
        story: """
            Borg takes Muster's place and stays in the background until you unmount the directory: umount DIR. Until then it holds the \
            repository's lock, and a run waits for it. It needs FUSE and Borg's module for it. Nothing is verified: to restore \
            something, take it out with muster extract.
            """,
        examples: [
            "muster mount latest /mnt": "Mount the newest confirmed archive.",
            "muster mount web1-nightly-2026-11-23 /mnt --foreground": "Mount an older one until Ctrl-C.",
        ], statuses: .of(.archiveFailed, note: "That of Borg, or:"))

    @Argument(help: archiveHelp, completion: .archives) var archive: String
    @Argument(help: ArgumentHelp("An empty directory.", valueName: "dir")) var directory: String
    @Flag(help: "Stay in the foreground; Ctrl-C unmounts.") var foreground = false
    @OptionGroup var options: CatalogOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = JobOptions.absolute(directory)
        guard (try? FileSystem.names(in: path))?.isEmpty == true else {
            throw ValidationError("\(path) is not an empty directory", hint: "Make one to mount at.")
        }
        let catalog = try options.catalog(log: output.logger())
        try await reading {
            let found = try await catalog.find(archive)[0]
            try await found.repository.mount(found.archive, at: path, inForeground: foreground)
        }
    }
}
