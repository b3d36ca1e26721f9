import DumpCore
import Settings

extension ObjectShape<RepositorySettings> {
    /// The keys of a repository that say how archives are created.
    func creationKeys() -> ObjectShape {
        key(
            "compression", \.creation.compression, .compression.example("auto,zstd"),
            "The value for borg create --compression, such as auto,zstd."
        )
        .optional(
            "chunker_params", \.creation.chunkerParams, .chunkerParams.example("buzhash,15,19,17,4095"),
            "The value for borg create --chunker-params. For dumps, buzhash,15,19,17,4095 stores less of each change."
        )
        .optional(
            "upload_ratelimit", \.creation.uploadRateLimit, .integer(1...1_000_000_000).example(10_000),
            "The most that Borg sends to another host, in KiB a second."
        )
        .key(
            "extra_args", \.creation.extraArguments, .list(of: .createOption).example(["--checkpoint-interval=600"]),
            "More options for borg create, each written as --name or --name=value."
        )
    }
}

extension Shape<String> {
    /// As `borg help compression` has it. Borg ignores a level of lz4; 250 is new in Borg 1.4.
    fileprivate static var compression: Shape {
        matching(
            "(obfuscate,([1-6]|11[0-9]|12[0-3]|250),)?(auto,)?"
                + "(none|lz4(,[0-9]+)?|(zlib|lzma)(,[0-9])?|zstd(,([1-9]|1[0-9]|2[0-2]))?)",
            "a compression that Borg knows",
            hint: "Such as none, lz4, zstd,3 or auto,zstd. See 'borg help compression'.")
    }

    /// Borg itself looks at the numbers.
    fileprivate static var chunkerParams: Shape {
        matching(
            "default|((buzhash|buzhash64|fastcdc),)?[0-9]+,[0-9]+,[0-9]+,[0-9]+|fixed,[0-9]+(,[0-9]+)?",
            "chunker parameters that Borg knows",
            hint: "Such as buzhash,15,19,17,4095. See --chunker-params in 'borg create --help'.")
    }

    fileprivate static var createOption: Shape {
        matching("--[a-z][a-z0-9-]*(=.*)?", "an option", hint: "Write --name or --name=value.")
            .checked { option in
                let name = option.prefix { $0 != "=" }
                guard let reason = refusedOptions.first(where: { $0.names.contains(String(name)) })?.reason else {
                    return nil
                }
                return Fault("\(name) \(reason)")
            }
    }

    /// Borg understands an option's first letters too, but then says nothing of it here: the archive would not be accepted.
    private static var refusedOptions: [(names: Set<String>, reason: String)] {
        [
            (
                ["--compression", "--chunker-params", "--upload-ratelimit", "--remote-path", "--lock-wait", "--rsh"],
                "has a key of its own in the job file"
            ),
            (
                [
                    "--json", "--log-json", "--list", "--filter", "--progress", "--comment", "--timestamp",
                    "--files-cache", "--stats", "--quick-stats", "--critical", "--error", "--warning", "--info",
                    "--debug", "--verbose", "--show-rc",
                ], "is set by Muster"
            ),
            (
                [
                    "--dry-run", "--exclude", "--exclude-from", "--pattern", "--patterns-from", "--exclude-caches",
                    "--exclude-if-present", "--keep-exclude-tags", "--exclude-nodump", "--exclude-dataless",
                    "--one-file-system", "--stdin-name",
                    "--stdin-user", "--stdin-group", "--stdin-mode", "--content-from-command", "--paths-from-stdin",
                    "--paths-from-command", "--paths-from-shell-command", "--paths-delimiter", "--read-special",
                    "--files-changed",
                ], "would leave part of the set out of the archive"
            ),
        ]
    }
}
