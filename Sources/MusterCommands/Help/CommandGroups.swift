import ArgumentParser

extension Muster {
    /// The commands as help, manual and reference group them.
    static let groups: [(title: String, commands: [any MusterCommand.Type])] = [
        ("Set up", [InitCommand.self, InstallUnitsCommand.self, ConfigCommand.self, DemoCommand.self]),
        ("Back up", [RunCommand.self, DumpCommand.self, ArchiveCommand.self]),
        (
            "Inspect",
            [
                CheckCommand.self, StatusCommand.self, ReportCommand.self, ListCommand.self, InfoCommand.self,
                DiffCommand.self,
                VerifyCommand.self,
            ]
        ),
        (
            "Restore",
            [RestoreCommand.self, DrillCommand.self, PsqlCommand.self, ExtractCommand.self, MountCommand.self]
        ),
        (
            "Maintain",
            [
                PruneCommand.self, CheckRepositoryCommand.self, UndoCommand.self, ReleaseCommand.self,
                AcceptCommand.self,
            ]
        ),
        (
            "Integrate",
            [WithLockCommand.self, BorgCommand.self, PluginsCommand.self, NotifyCommand.self, FailedCommand.self]
        ),
    ]

    static var commandGroups: [CommandGroup] {
        groups.map { CommandGroup(name: $0.title, subcommands: $0.commands) }
    }

    /// The parser's help with `Back up` as a heading, which it prints as `BACK UP SUBCOMMANDS`.
    static func withPlainHeadings(_ help: String) -> String {
        groups.reduce(help) { help, group in
            help.replacing("\(group.title.uppercased()) SUBCOMMANDS:\n", with: "\(group.title.uppercased()):\n")
        }
    }
}
