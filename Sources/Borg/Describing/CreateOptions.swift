/// How archives are created, as far as a job file says it.
public struct CreateOptions: Sendable, Equatable {
    /// As `borg create --compression` takes it.
    public var compression = "lz4"
    /// As `borg create --chunker-params` takes it; nil is Borg's default.
    public var chunkerParams: String?
    /// KiB a second, as `--upload-ratelimit` takes it; Borg heeds it on the way to another host. Nil for no limit.
    public var uploadRateLimit: Int?
    /// More options for `borg create`, each `--name` or `--name=value`.
    public var extraArguments: [String] = []

    public init() {}

    var arguments: [String] {
        var arguments = ["--compression", compression]
        if let chunkerParams { arguments += ["--chunker-params", chunkerParams] }
        if let uploadRateLimit { arguments += ["--upload-ratelimit", String(uploadRateLimit)] }
        return arguments + extraArguments
    }
}
