import ArgumentParser
import Linux
import Pipeline

struct MountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount", abstract: "Mount an archive at a directory, to look around in it.",
        discussion: """
            Borg takes Muster's place and stays in the background until the directory is unmounted: umount DIR. Until then it holds the \
            repository's lock, and a run waits for it. Needs FUSE and Borg's module for it. Nothing is verified: what is to be \
            restored is taken out with muster extract.

            The exit status is Borg's own, or:
            \(ExitStatus.help(.archiveFailed))
            """)

    @Argument(help: archiveHelp) var archive: String
    @Argument(help: ArgumentHelp("An empty directory.", valueName: "dir")) var directory: String
    @Flag(help: "Stay in the foreground; Ctrl-C unmounts.") var foreground = false
    @OptionGroup var options: CatalogOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = JobOptions.absolute(directory)
        guard (try? FileSystem.names(in: path))?.isEmpty == true else {
            throw ValidationError("\(path) is not an empty directory. Make one to mount at.")
        }
        let catalog = try options.catalog(log: output.logger())
        try await reading {
            let found = try await catalog.find(archive)[0]
            try await found.repository.mount(found.archive, at: path, inForeground: foreground)
        }
    }
}
