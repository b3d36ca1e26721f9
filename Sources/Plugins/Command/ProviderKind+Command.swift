import DumpCore
import Settings

extension ProviderKind {
    public static let command = ProviderKind(
        "command", "What a command prints, checked by its status, its size, its last line and a check of its own.",
        shape: CommandSettings.shape,
        make: { (all: [CommandSettings], means: ProviderMeans) -> [any Provider] in
            all.map { CommandProvider(settings: $0, means: means) }
        })
}
