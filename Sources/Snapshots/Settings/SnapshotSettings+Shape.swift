import Settings

extension Shape<SnapshotSettings> {
    /// What may stand under `snapshot:`: the word for a kind, or a mapping of the kind to its own settings.
    public static var snapshot: Shape {
        let long = LongForm.shape
        return Shape(schema: ["oneOf": [word.schema, long.schema]]) { node, diagnostics in
            if case .mapping = node.content { return long.read(node, &diagnostics)?.settings }
            return word.read(node, &diagnostics).map { SnapshotSettings($0.kind) }
        } writer: { settings in
            LongForm(settings).isShort ? word.write(Word(settings.kind)) : long.write(LongForm(settings)).withoutNulls
        }
    }

    private static var word: Shape<Word> { Shape<Word>.choice.example("auto") }
}

/// The kinds that have nothing that must be said of them.
private enum Word: String, Sendable, CaseIterable {
    case auto, btrfs, lvm, zfs

    /// For a kind that has such a word.
    init(_ kind: SnapshotSettings.Kind) { self = Word(rawValue: kind.rawValue)! }

    var kind: SnapshotSettings.Kind { SnapshotSettings.Kind(rawValue: rawValue)! }
}

/// A mapping with one of its keys, which is the kind.
private struct LongForm: Sendable {
    var auto: SnapshotSettings?
    var btrfs: SnapshotSettings?
    var lvm: SnapshotSettings?
    var zfs: SnapshotSettings?
    var command: SnapshotCommands?

    init() {}

    init(_ settings: SnapshotSettings) {
        switch settings.kind {
        case .auto: auto = settings
        case .btrfs: btrfs = settings
        case .lvm: lvm = settings
        case .zfs: zfs = settings
        case .command: command = settings.commands
        }
    }

    private var all: [SnapshotSettings] {
        [auto, btrfs, lvm, zfs, command.map { SnapshotSettings($0) }].compactMap { $0 }
    }

    /// The settings, if they were read without a mistake.
    var settings: SnapshotSettings { all[0] }

    /// Whether the word for the kind says it all.
    var isShort: Bool { command == nil && settings == SnapshotSettings(settings.kind) }

    static var shape: Shape<LongForm> {
        ObjectShape(default: LongForm())
            .optional("auto", \.auto, settings(.auto), "The one of the others that fits the path.")
            .optional("btrfs", \.btrfs, settings(.btrfs), "A read-only snapshot of the Btrfs subvolume.")
            .optional("lvm", \.lvm, settings(.lvm), "A snapshot of the logical volume, thin or classic.")
            .optional("zfs", \.zfs, settings(.zfs), "A snapshot of the ZFS dataset, held while it is read.")
            .optional("command", \.command, .snapshotCommands, "Your own commands.")
            .shape.checked(["minProperties": 1, "maxProperties": 1]) { form in
                form.all.count == 1
                    ? nil : Fault("expected one kind of snapshot", hint: "Write it once, such as lvm: {size: 5G}.")
            }
    }

    private static func settings(_ kind: SnapshotSettings.Kind) -> Shape<SnapshotSettings> {
        var keys = ObjectShape(default: SnapshotSettings(kind))
        if kind == .auto || kind == .lvm {
            keys = keys.key(
                "size", \.size, .snapshotSize,
                "How much may change on a classic volume during the dump. Ignored for a thin one.")
        }
        return keys.key(
            "nested", \.nested, .choice,
            "What to do with other volumes below the path: refuse them, include subvolumes and datasets, or omit them all."
        ).shape
    }
}

extension Shape<SnapshotCommands> {
    fileprivate static var snapshotCommands: Shape {
        ObjectShape(default: SnapshotCommands())
            .required(
                "create", \.create, .command.example(["/usr/local/bin/snapshot", "create"]),
                "Takes the snapshot MUSTER_SNAPSHOT_NAME of MUSTER_SOURCE."
            )
            .required(
                "mount", \.mount, .command.example(["/usr/local/bin/snapshot", "mount"]),
                "Shows it, read-only, at MUSTER_MOUNT_POINT."
            )
            .required(
                "release", \.release, .command.example(["/usr/local/bin/snapshot", "release"]),
                "Undoes what was done of both, and succeeds if nothing was. Also runs after a crash."
            )
            .key(
                "deadline", \.deadline, .duration(atLeast: .seconds(1), atMost: .seconds(86400)),
                "How long each of them may take."
            ).shape
    }
}

extension Shape<SnapshotSize> {
    fileprivate static var snapshotSize: Shape {
        let text = Shape<String>.matching(
            "[1-9][0-9]*(%(ORIGIN|VG|FREE)|[KMGTP])", "a size such as 10%ORIGIN, 50%FREE or 5G",
            hint: "ORIGIN is the volume, FREE what its volume group has left, as lvcreate --extents has them.")
        // What matches is a size.
        return Shape(schema: text.schema) { node, diagnostics in
            text.read(node, &diagnostics).map { SnapshotSize($0)! }
        } writer: {
            .text($0.description)
        }
    }
}

extension PlainValue {
    fileprivate var withoutNulls: PlainValue { .mapping(members.filter { $0.value != .null }) }
}
